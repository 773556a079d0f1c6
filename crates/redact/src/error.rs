//! Errors in rules, with hints.

use super::rule::RULES;

/// The rules cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// A pattern is not a regular expression.
    #[error(
        "{list}: the pattern {pattern:?} is not a regular expression ({reason}); \
         correct it, or escape its special characters if it is meant literally"
    )]
    Pattern {
        /// The field of `Rules` that holds it.
        list: &'static str,
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A rule that is to be switched off does not exist.
    #[error("off: there is no redaction rule {name:?}; the rules are {}", known())]
    UnknownRule {
        /// The name as given.
        name: String,
    },
    /// The values of the environment cannot be compiled into one search.
    #[error(
        "the values of secret environment variables cannot be searched for ({reason}); \
         make them smaller, or switch the rule \"environment\" off"
    )]
    Environment {
        /// What is wrong.
        reason: String,
    },
}

fn known() -> String {
    RULES.map(|(_, name, _)| name).join(", ")
}
