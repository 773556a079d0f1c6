//! What is wrong with a configuration, where it was set, and how to fix it.
use std::fmt;

/// One paragraph: where, what is wrong, and a hint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// `file:line` or the option as given on the command line; empty when it was not set.
    pub location: String,
    /// What is wrong.
    pub problem: String,
    /// What to do.
    pub hint: String,
}

impl ConfigError {
    pub(crate) fn new(
        location: impl Into<String>,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { location: location.into(), problem: problem.into(), hint: hint.into() }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.location.is_empty() {
            write!(f, "{}: ", self.location)?;
        }
        write!(f, "{}. {}", self.problem, self.hint)
    }
}
