//! Remembers what the walk of one line found out about a file's history, for its other lines.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gix_hash::ObjectId;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::bounded::bounded;
use super::commits::Commit;
use super::error::TraceError;
use super::line_map::LineMap;
use super::lines::WhiteSpace;
use super::trees::Found;
use super::walk::Version;

/// Bytes of remembered steps.
const MEMO_BYTES: u64 = 2 * 1024 * 1024;

/// What a commit did to a file.
#[derive(Debug)]
pub(super) enum Step {
    /// Nothing since this commit, where it may have another path.
    Same { commit: Commit, path: Arc<[u8]> },
    /// It wrote this content; the parents that had the file, in their order.
    Changed { blob: ObjectId, parents: Vec<ParentVersion> },
}

/// A file in a parent of the commit that changed it.
#[derive(Debug)]
pub(super) struct ParentVersion {
    pub commit: Commit,
    pub path: Arc<[u8]>,
    pub found: Found,
    maps: Mutex<LineMaps>,
}

/// Which lines correspond, as far as it was needed: with white space counted, and ignored.
#[derive(Debug, Default)]
pub(super) struct LineMaps([Option<LineMap>; 2]);

impl LineMaps {
    pub(super) fn of(&mut self, white_space: WhiteSpace) -> &mut Option<LineMap> {
        &mut self.0[usize::from(white_space == WhiteSpace::Ignored)]
    }
}

impl ParentVersion {
    pub(super) fn new(commit: Commit, path: Arc<[u8]>, found: Found) -> Self {
        Self { commit, path, found, maps: Mutex::default() }
    }

    pub(super) fn maps(&self) -> MutexGuard<'_, LineMaps> {
        self.maps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version from which the walk continues.
    pub(super) fn version(&self) -> Version {
        // For a renamed file, the trees on the way are unknown.
        let found = Some(self.found.clone()).filter(|found| !found.trees.is_empty());
        Version { commit: self.commit, path: self.path.clone(), found }
    }
}

type Key = (ObjectId, Arc<[u8]>);

/// Steps by commit and path.
#[derive(Debug)]
pub(super) struct Memo(Cache<Key, Remembered, BySize>);

/// A step, and its size when it was inserted: it grows as more is found out about it, but the cache
/// relies on the size it was given.
#[derive(Debug, Clone)]
struct Remembered {
    step: Arc<Step>,
    bytes: u64,
}

#[derive(Debug, Clone)]
struct BySize;

impl Weighter<Key, Remembered> for BySize {
    fn weight(&self, (_, path): &Key, remembered: &Remembered) -> u64 {
        200 + path.len() as u64 + remembered.bytes
    }
}

impl Step {
    fn bytes(&self) -> u64 {
        let Self::Changed { parents, .. } = self else { return 0 };
        let bytes = |parent: &ParentVersion| {
            let maps: usize = parent.maps().0.iter().flatten().map(LineMap::bytes).sum();
            160 + parent.found.trees.len() * size_of::<ObjectId>() + maps
        };
        parents.iter().map(|parent| bytes(parent) as u64).sum()
    }
}

impl Memo {
    pub(super) fn new() -> Result<Self, TraceError> {
        bounded(MEMO_BYTES, 10_000, BySize).map(Self)
    }

    pub(super) fn get(&self, commit: ObjectId, path: &Arc<[u8]>) -> Option<Arc<Step>> {
        self.0.get(&(commit, path.clone())).map(|remembered| remembered.step)
    }

    pub(super) fn insert(&self, commit: ObjectId, path: &Arc<[u8]>, step: Arc<Step>) {
        let bytes = step.bytes();
        self.0.insert((commit, path.clone()), Remembered { step, bytes });
    }
}
