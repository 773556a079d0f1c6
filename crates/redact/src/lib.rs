//! Takes secrets out of what is reported: in the program before anything leaves it, and in the
//! server before anything is stored.
//!
//! A secret is known by the name beside it (`names.rs`, `pairs.rs`), by its shape (`shapes.rs`),
//! or because the environment holds it under a secret's name (`environment.rs`). Only the secret
//! is replaced, by [`SCRUBBED`]; what is around it stays readable. Every text is hostile: time
//! grows with its length, and nothing here panics.

mod bytes;
mod card;
mod credentials;
mod environment;
mod error;
mod fields;
mod key_block;
mod lines;
mod name_words;
mod names;
mod pair_value;
mod pairs;
mod patterns;
mod rule;
mod shapes;
mod spans;
mod tokens;
mod url;
mod words;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

use environment::Environment;
pub use error::RedactError;
pub use lines::SourceLines;
use patterns::{NamePatterns, ValuePatterns};
use rule::{Active, RULES, Rule};
use shapes::Shapes;

/// What stands in place of a secret.
pub const SCRUBBED: &str = "**scrubbed**";

/// After a replacement the text is searched again, so that redacting twice gives the same; a text
/// that still changes after so many rounds is hostile and replaced as a whole.
const ROUNDS: usize = 6;

/// What the user changes about the built-in rules.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Regular expressions in Python's syntax. They match at the start of a variable's name only,
    /// as `re.match` does; what the variable holds is a secret.
    pub extra_names: Vec<String>,
    /// Regular expressions in Python's syntax. What they match in any text is a secret.
    pub extra_values: Vec<String>,
    /// Built-in rules that are switched off, by the names of [`Redactor::rule_names`].
    pub off: Vec<String>,
}

/// Finds and replaces secrets. Made once, used by all threads.
pub struct Redactor {
    names: Names,
    /// Made when the first text is searched: a program without errors does without.
    shapes: OnceLock<Shapes>,
    environment: Environment,
    values: ValuePatterns,
}

/// How names are judged.
struct Names {
    active: Active,
    own: NamePatterns,
}

impl Names {
    #[inline]
    fn rule(&self, name: &[u8]) -> Option<Rule> {
        names::rule_of(name, self.active)
    }
}

impl Redactor {
    /// With the built-in rules as changed by `rules`. Of `environment` (name and value of each
    /// variable) only the values are kept whose names are those of secrets.
    ///
    /// # Errors
    /// A pattern that is none, or a rule to switch off that does not exist.
    pub fn new(
        rules: &Rules,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, RedactError> {
        let active = rules.off.iter().try_fold(Active::ALL, |active, name| {
            active.without(name).ok_or_else(|| RedactError::UnknownRule { name: name.clone() })
        })?;
        Ok(Self {
            names: Names { active, own: NamePatterns::new(&rules.extra_names)? },
            shapes: OnceLock::new(),
            environment: Environment::new(environment, active)?,
            values: ValuePatterns::new(&rules.extra_values)?,
        })
    }

    /// The names of the built-in rules, as [`Rules::off`] takes them.
    pub fn rule_names() -> impl Iterator<Item = &'static str> {
        RULES.iter().map(|(_, name, _)| *name)
    }

    /// The built-in rules: name, and what it hides in one line.
    pub fn rule_descriptions() -> impl Iterator<Item = (&'static str, &'static str)> {
        RULES.iter().map(|(_, name, description)| (*name, *description))
    }

    /// Is this the name of a variable, key or attribute that holds a secret?
    #[inline]
    pub fn is_secret_name(&self, name: &str) -> bool {
        self.names.rule(name.as_bytes()).is_some()
            || !self.names.own.is_empty() && self.names.own.matches(name)
    }

    /// The text without the secrets in it, known by the name beside them or by themselves: for
    /// printed values, messages, headers, queries, bodies.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.settle(text, true)
    }

    /// The text without the secrets that are known by themselves: for lines of source code.
    pub fn redact_values<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.settle(text, false)
    }

    fn settle<'a>(&self, text: &'a str, pairs: bool) -> Cow<'a, str> {
        let shapes = self.shapes.get_or_init(|| Shapes::new(self.names.active));
        let mut settled = Cow::Borrowed(text);
        for _ in 0..ROUNDS {
            let mut found = Vec::new();
            let possible = shapes.find(&settled, &mut found);
            if pairs && (possible || !self.names.own.is_empty()) {
                pairs::find(&settled, &self.names, &mut found);
            }
            self.environment.find(&settled, &mut found);
            if self.values.find(&settled, &mut found).is_err() {
                break;
            }
            match spans::replace(&settled, &found) {
                Some(replaced) => settled = Cow::Owned(replaced),
                None => return settled,
            }
        }
        Cow::Borrowed(SCRUBBED)
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}
