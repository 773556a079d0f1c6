//! Takes secrets out of what is reported: in the program before anything leaves it, and in the
//! server before anything is stored.
//!
//! A secret is known by the name beside it (`names.rs`, `pairs.rs`), by its shape (`shapes.rs`),
//! or because the environment holds it under a secret's name (`environment.rs`). Only the secret
//! is replaced, by [`SCRUBBED`]; what is around it stays readable. Every text is hostile: time
//! grows with its length, and nothing here panics.

mod arguments;
mod blocks;
mod budget;
mod bytes;
mod calls;
mod card;
mod commands;
mod credentials;
mod decoded;
mod elements;
mod environment;
mod error;
mod fields;
mod in_code;
mod key_block;
mod lines;
mod message;
mod name_lists;
mod name_words;
mod names;
mod nothing;
mod options;
mod pair_name;
mod pair_value;
mod pairs;
mod patterns;
mod random;
mod report;
mod rule;
mod settings;
mod shapes;
mod spans;
mod sql;
mod sql_insert;
mod sql_parameters;
mod tokens;
mod url;
mod words;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

pub use arguments::has_joined_password;
use budget::Pace;
use environment::Environment;
pub use error::RedactError;
pub use lines::SourceLines;
use patterns::{NamePatterns, ValuePatterns};
pub use report::OneReport;
use rule::{Active, RULES};
use shapes::Shapes;

/// What stands in place of a secret.
pub const SCRUBBED: &str = "**scrubbed**";

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
    active: Active,
    own_names: NamePatterns,
    own_values: ValuePatterns,
    rules: Rules,
    /// Made when the first text is searched: a program without errors does without. There are
    /// none where only the user's patterns count.
    shapes: OnceLock<Option<Shapes>>,
    environment: Environment,
    pace: Pace,
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
        message::prepare();
        Ok(Self {
            active,
            own_names: NamePatterns::new(&rules.extra_names)?,
            own_values: ValuePatterns::new(&rules.extra_values)?,
            rules: rules.clone(),
            shapes: OnceLock::new(),
            environment: Environment::new(environment, active)?,
            pace: Pace::default(),
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

    /// For the texts of one report, which share the time that the user's patterns may take.
    #[inline]
    pub fn one_report(&self) -> OneReport<'_> {
        OneReport::new(self)
    }

    /// Is this the name of a variable, key or attribute that holds a secret?
    #[inline]
    pub fn is_secret_name(&self, name: &str) -> bool {
        names::is_secret(name.as_bytes(), self.active)
            || !self.own_names.is_empty() && self.own_names.matches(name, &self.pace.budget())
    }

    /// The text without the secrets in it, known by the name beside them or by themselves: for
    /// printed values, messages, headers, queries, bodies.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.one_report().redact(text)
    }

    /// The text without the secrets that are known by themselves, or are written out beside a
    /// secret's name: for lines of source code.
    pub fn redact_values<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.one_report().redact_values(text)
    }
}

/// Is this printed value no secret, whatever its name: nothing, a function, a plain object?
pub fn hides_nothing(value: &str) -> bool {
    nothing::hides_nothing(value.as_bytes())
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}
