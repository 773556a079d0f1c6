//! Why a frame may be blamed or not.
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::rules::RuleId;

/// The classification of a frame for the choice of the blamed line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameKind {
    /// A third-party rule matches: the whole report is dropped.
    ThirdParty(RuleId),
    /// Not a file of the repository.
    Foreign,
    /// A file of a submodule whose repository is not mirrored.
    Submodule,
    /// A file of the repository that matches none of `only_blame_filepaths_matching`.
    NotToBlame,
    /// Library code: its caller is blamed.
    LibraryCode(RuleId),
    /// A known error: may be blamed, with alert thresholds of its own.
    KnownError(RuleId),
    /// A `raise` statement: another frame is likelier.
    Raise,
    /// A wrapper: forwards a call without knowing what it does.
    Wrapper,
    /// A hot function: many of the project's issues went through it.
    HotFunction,
    /// The project's own code.
    Candidate,
}

impl FrameKind {
    /// Whether the frame is blamed before those of the other kinds.
    pub fn is_candidate(self) -> bool {
        matches!(self, Self::KnownError(_) | Self::Candidate)
    }

    /// Whether the frame is blamed only when the project has no candidate in the traceback.
    pub fn is_unlikely(self) -> bool {
        matches!(self, Self::Raise | Self::Wrapper | Self::HotFunction)
    }

    /// Whether the frame can be blamed, if only when no other is likelier.
    pub fn may_be_blamed(self) -> bool {
        self.is_candidate() || self.is_unlikely()
    }

    /// Whether the frame is in a file of the project that may be blamed at all.
    pub fn is_own(self) -> bool {
        !matches!(self, Self::ThirdParty(_) | Self::Foreign | Self::Submodule | Self::NotToBlame)
    }
}

/// The reason in words, as pages, mails and `flawless blame` print it.
impl fmt::Display for FrameKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ThirdParty(id) => write!(f, "third-party rule {id} drops the report"),
            Self::Foreign => f.write_str("not a file of the repository"),
            Self::Submodule => f.write_str(
                "a file of a submodule: name the submodule's repository in the option submodules",
            ),
            Self::NotToBlame => f.write_str("matches none of only_blame_filepaths_matching"),
            Self::LibraryCode(id) => write!(f, "library code (rule {id}): its caller is blamed"),
            Self::KnownError(id) => write!(f, "known error (rule {id})"),
            Self::Raise => f.write_str("a raise statement: its caller is blamed"),
            Self::Wrapper => f.write_str("a wrapper: what it calls or its caller is likelier"),
            Self::HotFunction => {
                f.write_str("a function that many errors go through: another frame is likelier")
            }
            Self::Candidate => f.write_str("the project's own code"),
        }
    }
}

/// From how many of a project's `all` issues on a function is hot, so that its presence in a
/// traceback means little: two, and eight per cent.
pub fn hot_function_threshold(all: u64) -> u64 {
    all.saturating_mul(8).div_ceil(100).max(2)
}

#[cfg(test)]
mod tests {
    use super::hot_function_threshold;

    #[test]
    fn hot_function_has_two_issues_and_eight_in_a_hundred() {
        for (all, from) in [(0, 2), (1, 2), (25, 2), (26, 3), (100, 8), (101, 9)] {
            assert_eq!(hot_function_threshold(all), from, "{all}");
        }
    }
}
