//! Why a frame may be blamed or not.
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::rules::RuleId;

/// What a frame is to the choice of the blamed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameKind {
    /// A third-party rule matches: the whole report is dropped.
    ThirdParty(RuleId),
    /// Not a file of the repository.
    Foreign,
    /// A file of the repository that matches none of `only_blame_filepaths_matching`.
    NotToBlame,
    /// Library code: its caller is blamed.
    LibraryCode(RuleId),
    /// A known error: may be blamed, with alert thresholds of its own.
    KnownError(RuleId),
    /// A `raise` statement: the caller is blamed, unless nothing else is the project's own.
    Raise,
    /// The project's own code.
    Candidate,
}

impl FrameKind {
    /// Whether the frame may be the blamed line.
    pub fn is_candidate(self) -> bool {
        matches!(self, Self::KnownError(_) | Self::Candidate)
    }

    /// Whether the frame is in a file of the project that may be blamed at all.
    pub fn is_own(self) -> bool {
        !matches!(self, Self::ThirdParty(_) | Self::Foreign | Self::NotToBlame)
    }
}

/// The reason in words, as pages, mails and `flawless blame` print it.
impl fmt::Display for FrameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThirdParty(id) => write!(f, "third-party rule {id} drops the report"),
            Self::Foreign => f.write_str("not a file of the repository"),
            Self::NotToBlame => f.write_str("matches none of only_blame_filepaths_matching"),
            Self::LibraryCode(id) => write!(f, "library code (rule {id}): its caller is blamed"),
            Self::KnownError(id) => write!(f, "known error (rule {id})"),
            Self::Raise => f.write_str("a raise statement: its caller is blamed"),
            Self::Candidate => f.write_str("the project's own code"),
        }
    }
}

/// Whether a source line is a `raise` statement.
pub fn is_raise_statement(text: &str) -> bool {
    text.trim_start()
        .strip_prefix("raise")
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || "_.=[".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::is_raise_statement;

    #[test]
    fn only_raise_statements_are_raise_statements() {
        for text in ["raise", "raise\n", "    raise ValueError(x)\n", "raise(E)", "raise E from e"]
        {
            assert!(is_raise_statement(text), "{text:?}");
        }
        for text in ["raise_error(x)", "raises = 1", "x.raise_()", "", "# raise", "raise_ = 2"] {
            assert!(!is_raise_statement(text), "{text:?}");
        }
    }
}
