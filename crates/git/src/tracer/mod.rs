//! Where a line of code was born: the same answer as `git blame -L N,+1`, without a process and
//! many times faster, because it follows one line and not a file.
//!
//! Read from the outside in: `walk` is the walk back; `line_map` follows a line through one
//! change, `diff` is the whole diff, `ignored` passes over a commit; `renames` finds a file's
//! other name; `graph` and `changed_paths` skip what did not touch it; `objects` and `trees` read.

mod changed_paths;
mod commits;
mod delta;
mod diff;
mod ends;
mod error;
mod graph;
mod ignored;
mod line_map;
mod lines;
mod memo;
mod objects;
mod renames;
mod similarity;
mod trees;
mod walk;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock};

use gix_hash::ObjectId;

pub use error::TraceError;
pub use lines::WhiteSpace;

use graph::Graph;
use memo::Memo;
use objects::Objects;
use walk::Walk;

/// What to look for.
#[derive(Debug, Clone)]
pub struct TraceOptions {
    /// Whether white space makes another line.
    pub white_space: WhiteSpace,
    /// Commits to pass over.
    pub ignored: Arc<HashSet<ObjectId>>,
}

/// Where a line was born, in git's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The commit that brought it.
    pub commit: ObjectId,
    /// The path of its file there.
    pub path: Vec<u8>,
    /// Its number there, from 1.
    pub line: u32,
    /// The line as it reads where it was asked for, without its end.
    pub text: Vec<u8>,
    /// A commit was passed over, and the line is one that looked like it.
    pub is_guessed: bool,
    /// The commit was to be passed over, but there was no line before it.
    pub is_ignored: bool,
}

/// Traces lines in one repository. Any number of threads may ask at once.
#[derive(Debug)]
pub struct Tracer {
    folder: PathBuf,
    objects: Objects,
    history: RwLock<Arc<History>>,
}

/// What is known about the commits as of the last look.
#[derive(Debug)]
struct History {
    graph: Graph,
    memo: Memo,
}

impl Tracer {
    /// Opens the repository whose objects are in the folder `objects`. It has to name its objects
    /// by SHA-1 and to have its whole history: no shallow clone, no grafts.
    ///
    /// # Errors
    /// A pack or the commit-graph cannot be read.
    pub fn open(objects: &Path) -> Result<Self, TraceError> {
        Ok(Self {
            folder: objects.to_owned(),
            objects: Objects::open(objects)?,
            history: RwLock::new(Arc::new(History::read(objects)?)),
        })
    }

    /// Reads the commit-graph again, after a fetch.
    ///
    /// # Errors
    /// It cannot be read; the older one stays in use.
    pub fn refresh(&self) -> Result<(), TraceError> {
        let history = Arc::new(History::read(&self.folder)?);
        *self.history.write().unwrap_or_else(PoisonError::into_inner) = history;
        Ok(())
    }

    /// Where line `line` (from 1) of `path` at `commit` was born. Takes processor time and
    /// blocks; ends soon after `stop` is set.
    ///
    /// # Errors
    /// There is no such line, or the repository is of a kind or in a state that it does not read.
    pub fn trace(
        &self,
        commit: ObjectId,
        path: &[u8],
        line: u32,
        options: &TraceOptions,
        stop: &AtomicBool,
    ) -> Result<Origin, TraceError> {
        let history = self.history.read().unwrap_or_else(PoisonError::into_inner).clone();
        Walk::new(&self.objects, &history.graph, &history.memo, options, stop)
            .origin(commit, path, line)
    }

    /// Whether there is a commit-graph with changed-path filters; without one, walks are slower.
    pub fn has_filters(&self) -> bool {
        self.history.read().unwrap_or_else(PoisonError::into_inner).graph.has_filters()
    }
}

impl History {
    fn read(objects: &Path) -> Result<Self, TraceError> {
        Ok(Self { graph: Graph::read(objects)?, memo: Memo::new()? })
    }
}
