//! Where a line of code was born: the same answer as `git blame -L N,+1`, without a process and
//! many times faster, because it follows one line and not a file.
//!
//! Read from the outside in: `walk` is the walk back; `line_map` follows a line through one
//! change, `diff` is the whole diff, `ignored` passes over a commit; `renames` finds a file's
//! other name; `graph` and `changed_paths` skip what did not touch it; `objects` and `trees` read.

mod bounded;
mod changed_paths;
mod commits;
mod delta;
mod diff;
mod ends;
mod error;
mod graph;
mod ignored;
mod line_map;
mod line_names;
mod lines;
mod memo;
mod moves;
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
use gix_object::Kind;

pub use error::TraceError;
pub use lines::WhiteSpace;
pub(crate) use lines::count as count_lines;

use graph::Graph;
use memo::Memo;
use objects::Objects;
use walk::Walk;

/// What to look for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceOptions {
    /// Whether white space makes another line.
    pub white_space: WhiteSpace,
    /// Commits to pass over.
    pub ignored: Arc<HashSet<ObjectId>>,
}

/// Where a line was born, in git's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The commit that brought it, its path and its number there.
    pub place: Place,
    /// The line as it reads where it was asked for, without its end.
    pub text: Vec<u8>,
    /// A commit was passed over, and the line is one that looked like it.
    pub is_guessed: bool,
}

/// A file as a commit brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    /// The commit.
    pub commit: ObjectId,
    /// Its path there.
    pub path: Vec<u8>,
}

/// A line of a file in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The commit.
    pub commit: ObjectId,
    /// The path of the file there.
    pub path: Vec<u8>,
    /// The line's number, from 1.
    pub line: u32,
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

    /// Looks at packs and commit-graph again, after a fetch.
    ///
    /// # Errors
    /// They cannot be read; what is known stays in use.
    pub fn refresh(&self) -> Result<(), TraceError> {
        self.objects.look_for_packs()?;
        let history = Arc::new(History::read(&self.folder)?);
        *self.history.write().unwrap_or_else(PoisonError::into_inner) = history;
        Ok(())
    }

    /// The commit that brought the version of a file that stands at `commit`: walking back, the
    /// first one whose version no parent has. It is the same for all revisions that did not touch
    /// the file.
    ///
    /// # Errors
    /// There is no such file, or the repository cannot be read.
    pub fn stop(
        &self,
        commit: ObjectId,
        path: &[u8],
        options: &TraceOptions,
        stop: &AtomicBool,
    ) -> Result<FileVersion, TraceError> {
        self.walking(options, stop, |walk| walk.version_at(commit, path))
    }

    /// The versions of a file from the one at `commit` back, newest first, at most `limit`;
    /// renames are followed.
    ///
    /// # Errors
    /// There is no such file, or the repository cannot be read.
    pub fn versions(
        &self,
        commit: ObjectId,
        path: &[u8],
        limit: usize,
        options: &TraceOptions,
        stop: &AtomicBool,
    ) -> Result<Vec<FileVersion>, TraceError> {
        self.walking(options, stop, |walk| walk.versions(commit, path, limit))
    }

    /// From where a line was moved that was born at `origin`: the parent, path and line where the
    /// commit removed the same line.
    ///
    /// # Errors
    /// The repository cannot be read.
    pub fn moved_from(
        &self,
        origin: &Place,
        options: &TraceOptions,
        stop: &AtomicBool,
    ) -> Result<Option<Place>, TraceError> {
        self.walking(options, stop, |walk| moves::moved_from(walk, origin))
    }

    /// Where a line of a file stands in another version of the same path, by one direct diff;
    /// `None` when it does not, or the path is gone.
    ///
    /// # Errors
    /// A commit is missing, or the repository cannot be read.
    pub fn stands_in(
        &self,
        place: &Place,
        revision: ObjectId,
        white_space: WhiteSpace,
    ) -> Result<Option<u32>, TraceError> {
        let (old, new) =
            (self.content(place.commit, &place.path)?, self.content(revision, &place.path)?);
        let (Some(old), Some(new), Some(line)) = (old, new, place.line.checked_sub(1)) else {
            return Ok(None);
        };
        let ends = ends::Ends::of(&old, &new);
        let mut names = line_names::LineNames::new(white_space);
        let newer = names.of_text(&new);
        let hunks = diff::hunks(&ends, &names.of_older(&ends, &newer), &newer);
        Ok(diff::new_line(&hunks, line).map(|line| line + 1))
    }

    /// The content of a regular file, or `None` when the commit has none there.
    ///
    /// # Errors
    /// The commit is missing, or the repository cannot be read.
    pub fn content(&self, commit: ObjectId, path: &[u8]) -> Result<Option<Vec<u8>>, TraceError> {
        let history = self.history();
        let mut reader = self.objects.reader();
        let commit = commits::Commit::new(commit, &history.graph);
        let tree = commits::tree_of(commit, &history.graph, &mut reader)?;
        let found = trees::find(tree, path, None, &mut reader)?;
        let Some(file) = found.filter(|found| found.kind == trees::EntryKind::File) else {
            return Ok(None);
        };
        reader.read(&file.blob, Kind::Blob).map(|blob| Some(blob.data.clone()))
    }

    /// A commit as git stores it.
    ///
    /// # Errors
    /// It is missing or cannot be read.
    pub fn commit(&self, commit: ObjectId) -> Result<Vec<u8>, TraceError> {
        self.objects.reader().read(&commit, Kind::Commit).map(|commit| commit.data.clone())
    }

    fn history(&self) -> Arc<History> {
        self.history.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn walking<T>(
        &self,
        options: &TraceOptions,
        stop: &AtomicBool,
        work: impl FnOnce(&mut Walk<'_>) -> Result<T, TraceError>,
    ) -> Result<T, TraceError> {
        let history = self.history();
        let mut walk = Walk::new(&self.objects, &history.graph, &history.memo, options, stop);
        work(&mut walk)
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
        self.walking(options, stop, |walk| walk.origin(commit, path, line))
    }

    /// Whether there is a commit-graph with changed-path filters; without one, walks are slower.
    pub fn has_filters(&self) -> bool {
        self.history().graph.has_filters()
    }
}

impl History {
    fn read(objects: &Path) -> Result<Self, TraceError> {
        Ok(Self { graph: Graph::read(objects)?, memo: Memo::new()? })
    }
}
