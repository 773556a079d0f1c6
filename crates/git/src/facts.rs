//! Origins that were found once: they never change.
use std::fmt::Debug;
use std::pin::Pin;

use flawless_core::{CommitId, LineOrigin};

/// What an origin was asked for: the version of a file, by the commit that brought it, and a line
/// of it. All revisions that have this version share it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FactKey {
    /// The commit that brought this version of the file.
    pub commit: CommitId,
    /// The file's path there.
    pub path: String,
    /// Line number, from 1.
    pub line: u32,
    /// Everything else that the answer depends on: white space, the commits to pass over.
    pub options: String,
}

/// Where a line was born.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Commit, path and line.
    pub origin: LineOrigin,
    /// A commit was passed over, and the line before it is one that looked like it.
    pub is_guessed: bool,
}

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Keeps facts for ever. Losing one costs time, so nothing here can fail.
pub trait FactStore: Debug + Send + Sync {
    /// The fact, when it is known.
    fn get<'a>(&'a self, key: &'a FactKey) -> Later<'a, Option<Fact>>;

    /// Keeps a fact, instead of an older one.
    fn put<'a>(&'a self, key: &'a FactKey, fact: &'a Fact) -> Later<'a, ()>;
}
