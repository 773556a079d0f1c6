//! Finds where a line of code was born: the same answer as `git blame -L N,+1`, without a process
//! and many times faster, because it follows one line and not a file.
//!
//! Read from the outside in: `walk` is the walk back; `line_map` follows a line through one change,
//! `diff` is the complete diff, `ignored` skips a commit; `renames` finds a file's other name;
//! `graph` and `changed_paths` skip commits that did not touch it; `objects` and `trees` read.

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

/// The options of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceOptions {
    /// Whether a change of white space changes a line.
    pub white_space: WhiteSpace,
    /// Commits to ignore.
    pub ignored: Arc<HashSet<ObjectId>>,
}

/// Where a line was born, in git's terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The commit that introduced it, its path and its number there.
    pub place: Place,
    /// The text of the line in the requested revision, without its end.
    pub text: Vec<u8>,
    /// Whether a commit was ignored, so that the line is only a similar one.
    pub is_guessed: bool,
}

/// A file as a commit changed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileVersion {
    /// The commit.
    pub commit: ObjectId,
    /// Its path in that commit.
    pub path: Vec<u8>,
}

/// A line of a file in a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The commit.
    pub commit: ObjectId,
    /// The path of the file in that commit.
    pub path: Vec<u8>,
    /// The line's number, from 1.
    pub line: u32,
}

/// Traces lines in one repository. Any number of threads may use it at the same time.
#[derive(Debug)]
pub struct Tracer {
    folder: PathBuf,
    objects: Objects,
    history: RwLock<Arc<History>>,
}

/// What was known about the commits at the last refresh.
#[derive(Debug)]
struct History {
    graph: Graph,
    memo: Memo,
}

impl Tracer {
    /// Opens the repository whose objects are in the folder `objects`. It must name its objects by
    /// SHA-1 and have its whole history: no shallow clone, no grafts.
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

    /// Reads packs and commit-graph again, after a fetch.
    ///
    /// # Errors
    /// They cannot be read; the previous state remains in use.
    pub fn refresh(&self) -> Result<(), TraceError> {
        self.objects.look_for_packs()?;
        let history = Arc::new(History::read(&self.folder)?);
        *self.history.write().unwrap_or_else(PoisonError::into_inner) = history;
        Ok(())
    }

    /// The commit that introduced the version of a file at `commit`: walking back, the first one
    /// whose version no parent has. It is the same for all revisions that did not touch the file.
    ///
    /// # Errors
    /// The file does not exist, or the repository cannot be read.
    pub fn stop(
        &self,
        commit: ObjectId,
        path: &[u8],
        options: &TraceOptions,
        stop: &AtomicBool,
    ) -> Result<FileVersion, TraceError> {
        self.walking(options, stop, |walk| walk.version_at(commit, path))
    }

    /// The versions of a file from the one at `commit` back, newest first, at most `limit`; renames
    /// are followed.
    ///
    /// # Errors
    /// The file does not exist, or the repository cannot be read.
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

    /// The place that a line born at `origin` was moved from: the parent, path and line where the
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

    /// The place of a line in another version of the same path, by one direct diff; `None` when the
    /// line or the path is gone.
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

    /// The content of a regular file, or `None` when the commit has none at that path.
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

    /// Finds where line `line` (from 1) of `path` at `commit` was born. Uses the processor and
    /// blocks; ends soon after `stop` is set.
    ///
    /// # Errors
    /// The line does not exist, or the repository is of a kind or in a state that it cannot read.
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
