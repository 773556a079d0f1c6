//! The owner of an issue in a list.
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Who answers for an issue, as lists name it; many issues share the text.
#[derive(Debug, Clone, Default, Eq)]
pub struct ListedOwner(Option<Arc<str>>);

/// How 0.4.5 named the owner of issues that nobody answers for. Older links have it.
const NOBODY: &str = "unknown";

impl ListedOwner {
    pub(crate) fn new(address: Option<String>) -> Self {
        Self(address.map(Into::into))
    }

    /// The address; `None` when nobody answers for the issue.
    pub fn address(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The address, or the word for nobody.
    pub fn as_str(&self) -> &str {
        self.address().unwrap_or(NOBODY)
    }
}

// Equal and ordered by what is shown.
impl PartialEq for ListedOwner {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Hash for ListedOwner {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Ord for ListedOwner {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl PartialOrd for ListedOwner {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for ListedOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
