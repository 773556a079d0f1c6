//! The walk of one line back to the commit that introduced it.
//!
//! A single line never splits, so there is always exactly one commit, path and line number. At each
//! commit that may have touched the file: a parent with exactly the same file takes the line;
//! otherwise the first parent that contains the line takes it, where a parent in which the file had
//! another name counts as well. A commit to be ignored passes it to the most similar line. If no
//! parent takes it, this commit introduced it.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gix_hash::ObjectId;
use gix_object::Kind;

use super::commits::{Commit, tree_and_parents, tree_of};
use super::diff::old_line;
use super::ends::Ends;
use super::error::TraceError;
use super::graph::Graph;
use super::line_map::LineMap;
use super::line_names::LineNames;
use super::memo::{Memo, ParentVersion, Step};
use super::objects::{Object, Objects, Reader};
use super::renames::source_of;
use super::trees::{EntryKind, Found, find};
use super::{FileVersion, Origin, Place, TraceOptions, ignored, lines};

/// How many commits are skipped before the walk checks whether it must stop.
const SKIP_AT_ONCE: usize = 10_000;

pub(super) struct Walk<'a> {
    pub graph: &'a Graph,
    pub memo: &'a Memo,
    pub options: &'a TraceOptions,
    pub stop: &'a AtomicBool,
    pub reader: Reader<'a>,
    names: LineNames,
}

/// A version of the file on the way back.
pub(super) struct Version {
    pub commit: Commit,
    pub path: Arc<[u8]>,
    /// The entry at the path in this commit, once it was looked up.
    pub found: Option<Found>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        objects: &'a Objects,
        graph: &'a Graph,
        memo: &'a Memo,
        options: &'a TraceOptions,
        stop: &'a AtomicBool,
    ) -> Self {
        let names = LineNames::new(options.white_space);
        Self { graph, memo, options, stop, reader: objects.reader(), names }
    }

    /// Finds where line `line` (from 1) of `path` at `commit` was born.
    pub(super) fn origin(
        &mut self,
        commit: ObjectId,
        path: &[u8],
        line: u32,
    ) -> Result<Origin, TraceError> {
        let (version, found) = self.start(commit, path)?;
        let content = self.reader.read(&found, Kind::Blob)?;
        let line = line.wrapping_sub(1);
        let Some(text) = lines::nth(&content.data, line) else {
            return Err(TraceError::NoSuchLine { lines: lines::count(&content.data) });
        };
        let text = text.strip_suffix(b"\n").unwrap_or(text).to_owned();
        self.walk(version, line, text)
    }

    /// The version of the file at `commit`, with the commit that introduced it.
    pub(super) fn version_at(
        &mut self,
        commit: ObjectId,
        path: &[u8],
    ) -> Result<FileVersion, TraceError> {
        let (mut version, _) = self.start(commit, path)?;
        while let Step::Same { .. } = &*self.step_from(&mut version)? {}
        Ok(FileVersion { commit: version.commit.id, path: version.path.to_vec() })
    }

    /// The file's versions along first parents, newest first.
    pub(super) fn versions(
        &mut self,
        commit: ObjectId,
        path: &[u8],
        limit: usize,
    ) -> Result<Vec<FileVersion>, TraceError> {
        let (mut version, _) = self.start(commit, path)?;
        let mut versions = Vec::new();
        while versions.len() < limit {
            let step = self.step_from(&mut version)?;
            let Step::Changed { parents, .. } = &*step else { continue };
            let path = version.path.to_vec();
            versions.push(FileVersion { commit: version.commit.id, path });
            let Some(parent) = parents.first() else { break };
            version = parent.version();
        }
        Ok(versions)
    }

    /// The file at `path` where the walk begins, and its blob.
    fn start(&mut self, commit: ObjectId, path: &[u8]) -> Result<(Version, ObjectId), TraceError> {
        let commit = Commit::new(commit, self.graph);
        let tree = tree_of(commit, self.graph, &mut self.reader)?;
        let found = find(tree, path, None, &mut self.reader)?
            .filter(|found| found.kind == EntryKind::File)
            .ok_or_else(|| TraceError::NoSuchFile {
                commit: commit.id.to_string(),
                path: String::from_utf8_lossy(path).into_owned(),
            })?;
        let blob = found.blob;
        Ok((Version { commit, path: path.into(), found: Some(found) }, blob))
    }

    fn walk(
        &mut self,
        mut version: Version,
        mut line: u32,
        text: Vec<u8>,
    ) -> Result<Origin, TraceError> {
        let mut guessed = false;
        loop {
            self.check()?;
            let step = self.step_from(&mut version)?;
            let Step::Changed { blob, parents } = &*step else { continue };
            let mut next = None;
            for parent in parents {
                if let Some(found) = self.in_parent(*blob, parent, line, &version, &step)? {
                    next = Some((parent, found));
                    break;
                }
            }
            let is_ignored = self.options.ignored.contains(&version.commit.id);
            if next.is_none() && is_ignored {
                for parent in parents {
                    if let Some(found) = self.guess(*blob, parent, line)? {
                        next = Some((parent, found));
                        guessed = true;
                        break;
                    }
                }
            }
            let Some((parent, found)) = next else {
                return Ok(Origin {
                    place: Place {
                        commit: version.commit.id,
                        path: version.path.to_vec(),
                        line: line + 1,
                    },
                    text,
                    is_guessed: guessed,
                });
            };
            line = found;
            version = parent.version();
        }
    }

    pub(super) fn check(&self) -> Result<(), TraceError> {
        stopped(self.stop)
    }

    /// Goes back from `version` while the file is exactly the same, and returns how it changed
    /// then. The result is remembered for other lines of the file.
    fn step_from(&mut self, version: &mut Version) -> Result<Arc<Step>, TraceError> {
        if let Some(step) = self.memo.get(version.commit.id, &version.path) {
            if let Step::Same { commit, path } = &*step {
                *version = Version { commit: *commit, path: path.clone(), found: None };
            }
            return Ok(step);
        }
        let start = (version.commit, version.path.clone());
        let mut key = self.graph.key(&version.path);
        let changed = loop {
            self.check()?;
            if let (Some(rank), Some(key)) = (version.commit.rank, &key) {
                let at = self.graph.skip(rank, key, SKIP_AT_ONCE);
                if at != rank {
                    version.commit = Commit::at(at, self.graph);
                    continue;
                }
            }
            match self.look_at_parents(version)? {
                Step::Same { commit, path } => {
                    if path != version.path {
                        key = self.graph.key(&path);
                        version.path = path;
                    }
                    version.commit = commit;
                }
                changed => break Arc::new(changed),
            }
        };
        if (version.commit, &version.path) != (start.0, &start.1) {
            let same = Step::Same { commit: version.commit, path: version.path.clone() };
            self.memo.insert(start.0.id, &start.1, Arc::new(same));
        }
        self.memo.insert(version.commit.id, &version.path, changed.clone());
        Ok(changed)
    }

    /// What the commit of `version` did to the file, compared with its parents.
    fn look_at_parents(&mut self, version: &mut Version) -> Result<Step, TraceError> {
        let Self { graph, reader, .. } = self;
        let (tree, parents) = tree_and_parents(version.commit, graph, reader)?;
        let path = &version.path;
        let known = version.found.as_ref();
        let found = find(tree, path, known, reader)?
            .ok_or_else(|| TraceError::corrupt("a file was lost on the way back"))?;
        let mut versions: Vec<Option<ParentVersion>> = Vec::with_capacity(parents.len());
        let mut lacking = Vec::new();
        for &commit in &parents {
            let parent_tree = tree_of(commit, graph, reader)?;
            let Some(before) = find(parent_tree, path, Some(&found), reader)? else {
                lacking.push(versions.len());
                versions.push(None);
                continue;
            };
            if before.kind != found.kind {
                // It was a link or a submodule before: the path existed, and no other file became
                // it.
                versions.push(None);
                continue;
            }
            if before.blob == found.blob {
                let path = path.clone();
                version.found = Some(found);
                return Ok(Step::Same { commit, path });
            }
            versions.push(Some(ParentVersion::new(commit, path.clone(), before)));
        }
        for at in lacking {
            let (slot, commit) = (&mut versions[at], parents[at]);
            let parent_tree = tree_of(commit, graph, reader)?;
            let check = || stopped(self.stop);
            if let Some(source) = source_of(path, found.blob, parent_tree, tree, reader, &check)? {
                if source.blob == found.blob {
                    version.found = None;
                    return Ok(Step::Same { commit, path: source.path.into() });
                }
                let found = Found { blob: source.blob, kind: found.kind, trees: Vec::new() };
                *slot = Some(ParentVersion::new(commit, source.path.into(), found));
            }
        }
        let mut distinct: Vec<ParentVersion> = Vec::with_capacity(versions.len());
        for parent in versions.into_iter().flatten() {
            // Parents with the same content count once.
            if !distinct.iter().any(|other| other.found.blob == parent.found.blob) {
                distinct.push(parent);
            }
        }
        let blob = found.blob;
        version.found = Some(found);
        Ok(Step::Changed { blob, parents: distinct })
    }

    /// The line of a parent's version that corresponds to this one, if it is not new.
    fn in_parent(
        &mut self,
        blob: ObjectId,
        parent: &ParentVersion,
        line: u32,
        version: &Version,
        step: &Arc<Step>,
    ) -> Result<Option<u32>, TraceError> {
        let white_space = self.options.white_space;
        let mut maps = parent.maps();
        let map = maps.of(white_space);
        if let Some(found) = map.as_ref().and_then(|map| map.look_up(line)) {
            return Ok(found);
        }
        let (old, new) = self.contents(parent.found.blob, blob)?;
        let ends = Ends::of(&old.data, &new.data);
        let map = map.get_or_insert_with(|| LineMap::new(&ends));
        let found = match map.look_at(line, &ends, white_space) {
            Some(found) => found,
            None => {
                let blobs = (blob, parent.found.blob);
                old_line(self.names.hunks_in(map, &ends, blobs, &new), line)
            }
        };
        if found.is_some() {
            self.names.follow(blob, parent.found.blob, &ends);
        }
        drop(maps);
        // Inserted again, because it has grown.
        self.memo.insert(version.commit.id, &version.path, step.clone());
        Ok(found)
    }

    /// The line of a parent's version that is most similar to this one.
    fn guess(
        &mut self,
        blob: ObjectId,
        parent: &ParentVersion,
        line: u32,
    ) -> Result<Option<u32>, TraceError> {
        let (old, new) = self.contents(parent.found.blob, blob)?;
        let ends = Ends::of(&old.data, &new.data);
        let mut maps = parent.maps();
        let map = maps.of(self.options.white_space).get_or_insert_with(|| LineMap::new(&ends));
        let hunks = self.names.hunks_in(map, &ends, (blob, parent.found.blob), &new);
        let stop = self.stop;
        let found = ignored::old_line(&old.data, &new.data, hunks, line, &|| stopped(stop))?;
        if found.is_some() {
            self.names.follow(blob, parent.found.blob, &ends);
        }
        Ok(found)
    }

    fn contents(
        &mut self,
        old: ObjectId,
        new: ObjectId,
    ) -> Result<(Arc<Object>, Arc<Object>), TraceError> {
        Ok((self.reader.read(&old, Kind::Blob)?, self.reader.read(&new, Kind::Blob)?))
    }
}

fn stopped(stop: &AtomicBool) -> Result<(), TraceError> {
    if stop.load(Ordering::Relaxed) { Err(TraceError::Stopped) } else { Ok(()) }
}
