//! The process that raised the exception.
use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A process as the client describes it; fields it did not set are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Process {
    /// E.g. `CPython 3.13.0 on Linux x86_64`.
    pub runtime: String,
    /// The words of the command line.
    pub arguments: Vec<String>,
    /// Identifies the set of modules.
    pub modules_id: String,
    /// Versions by name, in reports that contain them. Samples never do: thousands of reports would
    /// repeat them, so they are stored once, under their id.
    #[serde(skip)]
    pub modules: BTreeMap<String, String>,
}

impl Process {
    /// The command line as one could type it: words with blanks or quotes are quoted.
    pub fn command_line(&self) -> String {
        self.arguments.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
    }
}

fn quoted(word: &str) -> Cow<'_, str> {
    let is_plain = |c: char| c.is_alphanumeric() || "*+,-./:=@_%[]{}~#".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.into(),
        false => format!("'{}'", word.replace('\'', r"'\''")).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_reads_as_it_was_typed() {
        let words = ["python", "-c", "print('a b')", "", "--to=ann@example.com", "**scrubbed**"];
        let arguments = words.map(str::to_owned).into();
        let process = Process { arguments, ..Process::default() };
        let expected = r"python -c 'print('\''a b'\'')' '' --to=ann@example.com **scrubbed**";
        assert_eq!(process.command_line(), expected);
        assert_eq!(Process::default().command_line(), "");
    }
}
