//! Redacts a command line given as separate words: `--password`, `x`.

use std::borrow::Cow;

use super::{OneReport, SCRUBBED};

/// Letters after `-p` that make it a long option rather than a password.
const BEGIN_WITH_P: [&str; 18] = [
    "params",
    "path",
    "pattern",
    "pdb",
    "pid",
    "plugin",
    "pool",
    "port",
    "prefix",
    "preload",
    "print",
    "processes",
    "profile",
    "progress",
    "project",
    "proxy",
    "py",
    "pwd",
];

impl OneReport<'_> {
    /// The words of a command line without their secrets; `None` when there are none. If a secret
    /// is known only by the words around it, and these hold blanks, all words become one, so that
    /// nothing depends on where each of them begins.
    pub fn redact_arguments(&self, words: &[String]) -> Option<Vec<String>> {
        let mut redacted: Vec<Cow<'_, str>> = Vec::with_capacity(words.len());
        let mut option = None;
        for word in words {
            let of_option = option.take().filter(|_| !word.starts_with('-'));
            redacted.push(match of_option {
                Some(name) => self.redact_named(name, word),
                None => self.argument(word),
            });
            option = name_of_option(word);
        }
        // Secrets known by their position, as in `mysql -px` and `curl -u user:x`.
        let line = redacted.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        if redacted.len() > 1
            && let Cow::Owned(line) = self.redact(&line)
        {
            let is_plain = redacted.iter().all(|word| quoted(word) == *word);
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            return Some(if is_plain && words.len() == redacted.len() {
                words
            } else {
                vec![line]
            });
        }
        let is_changed = redacted.iter().any(|word| matches!(word, Cow::Owned(_)));
        is_changed.then(|| redacted.into_iter().map(Cow::into_owned).collect())
    }

    /// A word without an option before it.
    fn argument<'a>(&self, word: &'a str) -> Cow<'a, str> {
        if let Some((name, value)) = word.split_once('=')
            && let Cow::Owned(value) = self.redact_named(name.trim_start_matches('-'), value)
        {
            return Cow::Owned(format!("{name}={value}"));
        }
        if has_joined_password(word) && !self.is_secret_name(&word[1..]) {
            return Cow::Owned(format!("-p{SCRUBBED}"));
        }
        self.redact(word)
    }
}

/// Whether a word of a command line is `-p` joined with a password: `-phunter2`.
pub fn has_joined_password(word: &str) -> bool {
    word.strip_prefix("-p").is_some_and(is_password)
}

/// `--password`, `-password`; a single letter is not a name.
fn name_of_option(word: &str) -> Option<&str> {
    let name = word.strip_prefix('-')?;
    let name = name.strip_prefix('-').unwrap_or(name);
    (name.len() > 1 && !name.contains('=')).then_some(name)
}

/// Whether the text joined to `-p` is a password, rather than a port or the rest of a word.
fn is_password(joined: &str) -> bool {
    let word: String = format!("p{joined}").chars().take_while(char::is_ascii_alphabetic).collect();
    joined.len() > 1
        && joined != SCRUBBED
        && !joined.starts_with('=')
        && !joined.chars().all(|c| c.is_ascii_digit() || ",.:/-".contains(c))
        && !BEGIN_WITH_P.iter().any(|name| word.starts_with(name))
}

fn quoted(word: &str) -> Cow<'_, str> {
    let needs_quotes = word.is_empty() || word.contains([' ', '\t', '\n', '\r', '\'', '"', '\\']);
    match needs_quotes {
        false => Cow::Borrowed(word),
        true if word.contains('\'') => Cow::Owned(format!("\"{word}\"")),
        true => Cow::Owned(format!("'{word}'")),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Redactor, Rules};

    fn redacted(words: &[&str]) -> Vec<String> {
        let redactor = Redactor::new(&Rules::default(), []).expect("built-in rules");
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let once = redactor.one_report().redact_arguments(&words).unwrap_or(words);
        let twice = redactor.one_report().redact_arguments(&once);
        assert_eq!(twice.unwrap_or_else(|| once.clone()), once, "redacting twice gives the same");
        once
    }

    #[test]
    fn value_of_an_option_with_a_secret_name_is_gone() {
        for (words, expected) in [
            (&["run", "--password", "hunter2", "x"][..], "run --password **scrubbed** x"),
            (&["run", "--password=hunter2"], "run --password=**scrubbed**"),
            (&["run", "-password", "for"], "run -password **scrubbed**"),
            (&["run", "--db-password", "a b 'c", "x"], "run --db-password **scrubbed** x"),
            (&["run", "password=hunter2"], "run password=**scrubbed**"),
            (&["run", "-phunter2"], "run -p**scrubbed**"),
            (&["mysql", "-u", "shop", "-pSECRET"], "mysql -u shop -p**scrubbed**"),
            (&["curl", "-u", "ann:hunter2", "x"], "curl -u ann:**scrubbed** x"),
            (
                &["run", "postgres://shop:hunter2@db/shop"],
                "run postgres://shop:**scrubbed**@db/shop",
            ),
        ] {
            assert_eq!(redacted(words).join(" "), expected);
        }
        let beside_blanks = redacted(&["curl", "-H", "Accept: x", "-u", "ann:hunter2"]);
        assert_eq!(beside_blanks, ["curl -H 'Accept: x' -u ann:**scrubbed**"]);
    }

    #[test]
    fn other_arguments_stay_as_they_are() {
        for words in [
            &["python", "manage.py", "runserver", "-p8080", "--port", "8000"][..],
            &["pytest", "-profile", "-pdb", "-p", "xdist", "--path=/srv/app"],
            &["run", "--password", "--verbose"],
            &["run", "a b", "it's", ""],
            &[],
        ] {
            assert_eq!(redacted(words), words);
        }
    }
}
