//! Caches origins, which never change.
use std::fmt::Debug;
use std::pin::Pin;

use flawless_core::{CommitId, LineOrigin};

/// The question for an origin: a version of a file, by the commit that introduced it, and a line in
/// it. All revisions with this version share the answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FactKey {
    /// The commit that introduced this version of the file.
    pub commit: CommitId,
    /// The file's path in that commit.
    pub path: String,
    /// Line number, from 1.
    pub line: u32,
    /// Everything else that the answer depends on: white space, the ignored commits.
    pub options: String,
}

/// Where a line was born.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Commit, path and line.
    pub origin: LineOrigin,
    /// Whether a commit was ignored, so that the previous line is only a similar one.
    pub is_guessed: bool,
}

/// A future with an answer.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Stores facts forever. Losing one only costs time, so nothing here can fail.
pub trait FactStore: Debug + Send + Sync {
    /// The fact, if it is known.
    fn get<'a>(&'a self, key: &'a FactKey) -> Later<'a, Option<Fact>>;

    /// Stores a fact, replacing an older one.
    fn put<'a>(&'a self, key: &'a FactKey, fact: &'a Fact) -> Later<'a, ()>;
}
