//! Finds the values of environment variables with secret-looking names, wherever they appear.

use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::error::RedactError;
use super::names::is_secret;
use super::rule::{Active, Rule};
use super::url::Authorities;

const SHORTEST: usize = 6;
/// A longer value is found by its beginning, even if the text was cut.
const START: usize = 16;
const LONGEST: usize = 64 * 1024;
const MOST: usize = 1000;

/// Values that reveal nothing, or are common words in any program.
const COMMON: [&str; 34] = [
    "admin",
    "anonymous",
    "changeme",
    "database",
    "default",
    "desktop",
    "develop",
    "development",
    "disabled",
    "django",
    "docker",
    "enabled",
    "example",
    "file",
    "github",
    "guest",
    "invalid",
    "localhost",
    "memory",
    "mysql",
    "optional",
    "password",
    "postgres",
    "postgresql",
    "prod",
    "production",
    "redis",
    "required",
    "secret",
    "session",
    "staging",
    "string",
    "testing",
    "token",
];

/// The secrets of the environment.
pub(super) struct Environment {
    /// Sorted, so that values with the same beginning are neighbours.
    values: Vec<String>,
    starts: Option<AhoCorasick>,
    /// For each start, the range of its values in `values`.
    ranges: Vec<Range<usize>>,
}

impl Environment {
    pub(super) fn new(
        variables: impl IntoIterator<Item = (String, String)>,
        active: Active,
    ) -> Result<Self, RedactError> {
        let mut values = BTreeSet::new();
        if active.has(Rule::Environment) {
            for (name, value) in variables {
                secrets_of(&name, &value, &mut values);
            }
        }
        let values: Vec<String> = values.into_iter().take(MOST).collect();
        let mut starts: Vec<&[u8]> = Vec::new();
        let mut ranges: Vec<Range<usize>> = Vec::new();
        for (at, value) in values.iter().enumerate() {
            let start = &value.as_bytes()[..value.len().min(START)];
            match ranges.last_mut() {
                Some(range) if starts.last() == Some(&start) => range.end = at + 1,
                _ => {
                    starts.push(start);
                    ranges.push(at..at + 1);
                }
            }
        }
        let search = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&starts);
        let search = search.map_err(|e| RedactError::Environment { reason: e.to_string() })?;
        let starts = (!values.is_empty()).then_some(search);
        Ok(Self { values, starts, ranges })
    }

    /// Adds every occurrence of one of the values.
    pub(super) fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        let Some(starts) = &self.starts else { return };
        let mut from = 0;
        while let Some(hit) = starts.find(aho_corasick::Input::new(text).range(from..)) {
            let values = &self.values[self.ranges[hit.pattern().as_usize()].clone()];
            let end = values.iter().filter_map(|value| value_end(text, hit.start(), value)).max();
            match end {
                Some(end) => {
                    found.push(hit.start()..end);
                    from = end;
                }
                None => from = hit.start() + 1,
            }
        }
    }
}

/// The end of the value that may begin here: whole, or cut off by the end of the text.
fn value_end(text: &str, start: usize, value: &str) -> Option<usize> {
    let (bytes, value) = (text.as_bytes(), value.as_bytes());
    let rest = &bytes[start..];
    let length = rest.len().min(value.len());
    if rest[..length] != value[..length] {
        return None;
    }
    let end = start + length;
    // Inside another word a short word is not a secret.
    let plain = value.len() < 12 && value.iter().all(u8::is_ascii_alphanumeric);
    let joined = |at: Option<usize>| {
        at.and_then(|at| bytes.get(at)).is_some_and(|byte| byte.is_ascii_alphanumeric())
    };
    (!plain || !joined(start.checked_sub(1)) && !joined(Some(end))).then_some(end)
}

/// The parts of this variable that are hidden.
fn secrets_of(name: &str, value: &str, secrets: &mut BTreeSet<String>) {
    let value = value.trim();
    if value.len() > LONGEST {
        return;
    }
    // The password of a URL, whatever the variable is called.
    let mut authorities = Authorities::default();
    for (at, _) in value.match_indices("://") {
        if let Some(span) = authorities.secret(value.as_bytes(), at + 3, Active::ALL) {
            add(&value[span], secrets);
        }
    }
    let directory = matches!(name, "PWD" | "OLDPWD");
    // A desktop session is called "ubuntu".
    let desktop = name.to_ascii_lowercase().ends_with("session");
    if !directory && !desktop && is_secret(name.as_bytes(), Active::ALL) {
        add(value, secrets);
    }
}

fn add(value: &str, secrets: &mut BTreeSet<String>) {
    let common = COMMON.iter().any(|word| value.eq_ignore_ascii_case(word));
    let same = value.bytes().all(|byte| value.as_bytes().first() == Some(&byte));
    if value.chars().count() < SHORTEST || common || same || is_path(value) {
        return;
    }
    // The value as it appears in a printed string.
    let printed =
        value.replace('\\', r"\\").replace('\n', r"\n").replace('\r', r"\r").replace('\t', r"\t");
    if printed.contains('\'') && printed.contains('"') {
        secrets.insert(printed.replace('\'', r"\'"));
    }
    if printed.contains('"') {
        secrets.insert(printed.replace('"', "\\\""));
    }
    secrets.insert(percent_encoded(value));
    secrets.insert(printed);
    secrets.insert(value.to_owned());
}

/// Whether it is a file path, not a key that happens to have a slash.
fn is_path(value: &str) -> bool {
    let rest = match value.as_bytes() {
        [b'/', rest @ ..] | [b'.', b'/', rest @ ..] | [b'~', b'/', rest @ ..] => rest,
        [drive, b':', b'\\' | b'/', rest @ ..] if drive.is_ascii_alphabetic() => rest,
        _ => return false,
    };
    rest.iter().all(|byte| !matches!(byte, b'+' | b'='))
}

/// The value as it appears in a query.
fn percent_encoded(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}
