//! Removes secrets from reports: in the program before anything leaves it, and in the server before
//! anything is stored.
//!
//! A secret is recognized by the name beside it (`names.rs`, `pairs.rs`), by its shape
//! (`shapes.rs`), or because an environment variable with a secret's name holds it
//! (`environment.rs`). Only the secret is replaced, by [`SCRUBBED`]; the text around it stays
//! readable. Every text may be hostile: time is linear in its length, and nothing here panics.

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

/// The text that replaces a secret.
pub const SCRUBBED: &str = "**scrubbed**";

/// The user's changes to the built-in rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Regular expressions in Python's syntax. They match only at the start of a variable's name,
    /// as `re.match` does; the variable's value is a secret.
    pub extra_names: Vec<String>,
    /// Regular expressions in Python's syntax. Their matches in any text are secrets.
    pub extra_values: Vec<String>,
    /// Built-in rules to switch off, by their names in [`Redactor::rule_names`].
    pub off: Vec<String>,
}

/// Finds and replaces secrets. Create it once and share it between threads.
pub struct Redactor {
    active: Active,
    own_names: NamePatterns,
    own_values: ValuePatterns,
    rules: Rules,
    /// Made when the first text is searched, so that a program without errors does not pay for it.
    /// `None` if only the user's patterns are active.
    shapes: OnceLock<Option<Shapes>>,
    environment: Environment,
    pace: Pace,
}

impl Redactor {
    /// Creates a redactor with the built-in rules as changed by `rules`. Of `environment` (name and
    /// value of each variable) it keeps only the values of variables named like secrets.
    ///
    /// # Errors
    /// A pattern is not a regular expression, or a rule to switch off does not exist.
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

    /// The names of the built-in rules, as used in [`Rules::off`].
    pub fn rule_names() -> impl Iterator<Item = &'static str> {
        RULES.iter().map(|(_, name, _)| *name)
    }

    /// The built-in rules: the name, and one line about what the rule hides.
    pub fn rule_descriptions() -> impl Iterator<Item = (&'static str, &'static str)> {
        RULES.iter().map(|(_, name, description)| (*name, *description))
    }

    /// Starts one report, whose texts share the time limit of the user's patterns.
    #[inline]
    pub fn one_report(&self) -> OneReport<'_> {
        OneReport::new(self)
    }

    /// Whether a variable, key or attribute of this name holds a secret.
    #[inline]
    pub fn is_secret_name(&self, name: &str) -> bool {
        names::is_secret(name.as_bytes(), self.active)
            || !self.own_names.is_empty() && self.own_names.matches(name, &self.pace.budget())
    }

    /// Redacts printed values, messages, headers, queries and bodies: secrets are recognized by the
    /// name beside them or by themselves.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.one_report().redact(text)
    }

    /// Redacts lines of source code: secrets are recognized by themselves, or as literals beside a
    /// secret's name.
    pub fn redact_values<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.one_report().redact_values(text)
    }
}

/// Whether this printed value reveals nothing whatever its name: an empty value, a function, a
/// plain object.
pub fn hides_nothing(value: &str) -> bool {
    nothing::hides_nothing(value.as_bytes())
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}
