//! The rules of a project: known errors, library code, who is notified.
//!
//! The serde names are those of 0.4.5's lists, so that its exports can be imported.
use serde::{Deserialize, Serialize};

use crate::code_pattern::CodePattern;

/// Identifies a rule in its project, to remove it and to say which rule decided.
pub type RuleId = i64;

/// All rules of one project, each with its id.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Patterns that are expected to fail.
    pub known_errors: Vec<(RuleId, KnownError)>,
    /// Code that is never blamed itself.
    pub library_code: Vec<(RuleId, LibraryCode)>,
    /// Code whose reports are dropped.
    pub third_party: Vec<(RuleId, ThirdPartyRule)>,
    /// Full exception type paths whose reports are dropped.
    pub ignored_exceptions: Vec<(RuleId, String)>,
    /// People who want alerts for a path.
    pub watchers: Vec<(RuleId, Watcher)>,
    /// For a path, one developer's issues go to another.
    pub reassignments: Vec<(RuleId, Reassignment)>,
    /// Commit address → address that is read.
    pub email_aliases: Vec<(RuleId, EmailAlias)>,
}

impl Rules {
    /// The known error with this id.
    pub fn known_error(&self, id: RuleId) -> Option<&KnownError> {
        self.known_errors.iter().find(|(known, _)| *known == id).map(|(_, rule)| rule)
    }
}

/// A pattern that is expected to fail, with alert thresholds of its own.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownError {
    /// The code that it applies to.
    #[serde(flatten)]
    pub pattern: CodePattern,
    /// Notified once when this many occurrences are reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_alert_threshold: Option<u64>,
    /// Never notified above this many occurrences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_alert_threshold: Option<u64>,
    /// Notified at each multiple of this many occurrences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_every_n_occurrences: Option<u64>,
    /// Notified besides the owner.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub email_recipients: Vec<String>,
    /// Text at the top of the mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email_header: Option<String>,
}

/// Code that is never blamed itself: its caller is.
pub type LibraryCode = CodePattern;

/// Code whose presence in a traceback drops the report.
pub type ThirdPartyRule = CodePattern;

/// Someone who wants alerts for a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watcher {
    /// Who is notified.
    pub email: String,
    /// A file of the repository or a folder above it.
    pub filepath: String,
    /// Notified for any frame in the path; otherwise only when it is blamed.
    #[serde(default)]
    pub watch_all_errors: bool,
}

/// For a path, this developer's issues go to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reassignment {
    /// The developer whose issues go elsewhere.
    pub email: String,
    /// A file of the repository or a folder above it.
    pub filepath: String,
    /// The developer who gets them.
    pub designated_email: String,
}

/// Commit address → address that is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmailAlias {
    /// The address as commits have it, or only its part before the `@`.
    pub old_email: String,
    /// The address that is read.
    pub new_email: String,
}

/// Whether `path` is `scope` or inside it. An empty scope or `/` is the whole repository.
pub(crate) fn path_is_within(path: &str, scope: &str) -> bool {
    let scope = scope.trim_matches('/');
    scope.is_empty()
        || path.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::path_is_within;

    #[test]
    fn path_is_within_itself_and_every_folder_above() {
        for scope in ["a/b/c.py", "a/b", "a/", "/a", "", "/"] {
            assert!(path_is_within("a/b/c.py", scope), "{scope:?}");
        }
        for scope in ["a/b/c", "b", "a/b/c.py/d", "a/b/c.pyx"] {
            assert!(!path_is_within("a/b/c.py", scope), "{scope:?}");
        }
    }
}
