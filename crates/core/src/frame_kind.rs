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
    /// A wrapper: hands on a call that it knows nothing of.
    Wrapper,
    /// A function that many of the project's errors go through.
    MuchSeen,
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
        matches!(self, Self::Raise | Self::Wrapper | Self::MuchSeen)
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
            Self::MuchSeen => {
                f.write_str("a function that many errors go through: another frame is likelier")
            }
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

/// Whether a frame only hands a call on: by the name of its function, or because its line passes
/// `*args` or `**kwargs`.
pub fn is_wrapper(function: &str, text: &str) -> bool {
    // Python writes `Class.name` and `outer.<locals>.name` where it knows them.
    let name = function.rsplit('.').next().unwrap_or(function);
    let plain = name.trim_start_matches('_').to_ascii_lowercase();
    matches!(name, "__call__" | "__getattr__")
        || plain == "inner"
        || plain.starts_with("wrap")
        || plain.starts_with("decorat")
        || ["wrap", "wrapper", "wrapped"].iter().any(|end| plain.ends_with(end))
        || hands_arguments_on(text)
}

/// `*args` or `**kwargs`, by their usual names, after a bracket or a comma; of a call over
/// several lines the frame has only one, which may begin with them.
fn hands_arguments_on(text: &str) -> bool {
    text.match_indices('*').any(|(at, _)| {
        let before = text[..at].trim_end();
        let rest = text[at..].trim_start_matches('*');
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = rest[..end].trim_start_matches('_');
        (before.is_empty() || before.ends_with(['(', ',']))
            && matches!(
                name,
                "a" | "arg" | "args" | "k" | "kw" | "kws" | "kwds" | "kwarg" | "kwargs"
            )
    })
}

/// From how many of `all` issues of a project on a function is one that many errors go through,
/// so that having been in a traceback says little about it: two, and eight in a hundred.
pub fn much_seen_from(all: u64) -> u64 {
    all.saturating_mul(8).div_ceil(100).max(2)
}

#[cfg(test)]
mod tests {
    use super::{is_raise_statement, is_wrapper, much_seen_from};

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

    #[test]
    fn wrappers_are_known_by_their_name_or_by_handing_arguments_on() {
        for (function, text) in [
            ("wrapper", "x"),
            ("wrapped", "x"),
            ("_wrap_all", "x"),
            ("login_wrapper", "x"),
            ("cached.<locals>.inner", "x"),
            ("decorated_function", "x"),
            ("__call__", "x"),
            ("Proxy.__getattr__", "x"),
            ("f", "return func(*args, **kwargs)"),
            ("f", "return self.run(1, **kw)"),
            ("f", "func( *args)"),
            ("f", "    *args, **kwargs)"),
        ] {
            assert!(is_wrapper(function, text), "{function}: {text}");
        }
        for (function, text) in [
            ("total", "return sum(prices)"),
            ("inner_product", "return a * args"),
            ("unwrap_box", "x"),
            ("call", "area(width *args)"),
            ("f", "print(*names)"),
            ("f", "login(name, **scrubbed**)"),
            ("f", "a = b ** kwargs"),
            ("f", ""),
        ] {
            assert!(!is_wrapper(function, text), "{function}: {text}");
        }
    }

    #[test]
    fn much_seen_is_two_issues_and_eight_in_a_hundred() {
        for (all, from) in [(0, 2), (1, 2), (25, 2), (26, 3), (100, 8), (101, 9)] {
            assert_eq!(much_seen_from(all), from, "{all}");
        }
    }
}
