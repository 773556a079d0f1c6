//! The outcome of a report: every report ends in exactly one.
use std::fmt;

/// The closed list of outcomes. The reason in words is kept besides the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeKind {
    /// Counted under the issue of its blamed line.
    Counted,
    /// Counted under an issue that nobody is blamed for.
    NotBlamed,
    /// Dropped by a third-party rule.
    ThirdParty,
    /// Dropped because its exception type is ignored.
    IgnoredException,
    /// Not about an error, such as a transaction: accepted and not kept.
    NotAnError,
    /// Not accepted: too large, not decodable, or cut off.
    Refused,
}

impl OutcomeKind {
    /// Every kind, in the order in which pages list them.
    pub const ALL: [Self; 6] = [
        Self::Counted,
        Self::NotBlamed,
        Self::ThirdParty,
        Self::IgnoredException,
        Self::NotAnError,
        Self::Refused,
    ];

    /// The word in the store and in JSON answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::NotBlamed => "not_blamed",
            Self::ThirdParty => "third_party",
            Self::IgnoredException => "ignored_exception",
            Self::NotAnError => "not_an_error",
            Self::Refused => "refused",
        }
    }
}

impl fmt::Display for OutcomeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counted => "counted under an issue",
            Self::NotBlamed => "counted, nobody blamed",
            Self::ThirdParty => "dropped: third-party rule",
            Self::IgnoredException => "dropped: ignored exception",
            Self::NotAnError => "not about an error, not kept",
            Self::Refused => "refused",
        })
    }
}
