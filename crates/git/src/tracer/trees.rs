//! Finds a path in a commit's tree, and files that one tree has and another one lacks.
use gix_hash::ObjectId;
use gix_object::Kind;

use super::error::TraceError;
use super::objects::Reader;

const HASH: usize = 20;
/// Nobody nests folders this deep; hostile trees may.
const MAX_DEPTH: usize = 500;

/// The kind of a tree's entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A regular file, executable or not.
    File,
    /// A symbolic link; its blob is its target.
    Link,
    /// A folder.
    Folder,
    /// A commit of another repository.
    Submodule,
}

/// One entry of a tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub name: &'a [u8],
    pub kind: EntryKind,
    pub id: ObjectId,
}

/// The entries of a tree, in its order.
pub(super) struct Entries<'a>(&'a [u8]);

impl<'a> Entries<'a> {
    pub(super) fn of(tree: &'a [u8]) -> Self {
        Self(tree)
    }

    pub(super) fn find_name(mut self, name: &[u8]) -> Result<Option<Entry<'a>>, TraceError> {
        self.find(|entry| entry.as_ref().map_or(true, |entry| entry.name == name)).transpose()
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = Result<Entry<'a>, TraceError>;

    /// `MODE SP NAME NUL ID`, the mode in octal.
    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let tree = std::mem::take(&mut self.0);
        let entry = || {
            let space = memchr::memchr(b' ', &tree[..tree.len().min(8)])?;
            let end = memchr::memchr(0, tree)?;
            let (id, rest) = tree[end + 1..].split_first_chunk::<HASH>()?;
            let mode = tree[..space]
                .iter()
                .fold(0u32, |mode, digit| mode << 3 | u32::from(digit.wrapping_sub(b'0') & 7));
            let kind = match mode & 0o170_000 {
                0o100_000 => EntryKind::File,
                0o120_000 => EntryKind::Link,
                0o040_000 => EntryKind::Folder,
                0o160_000 => EntryKind::Submodule,
                _ => return None,
            };
            let name = tree.get(space + 1..end)?;
            Some((Entry { name, kind, id: ObjectId::Sha1(*id) }, rest))
        };
        match entry() {
            Some((entry, rest)) => {
                self.0 = rest;
                Some(Ok(entry))
            }
            None => Some(Err(TraceError::corrupt("a tree has an entry that cannot be read"))),
        }
    }
}

/// A file, link or submodule in the tree of a commit: its id, and the trees on the way, the root
/// first.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub blob: ObjectId,
    pub kind: EntryKind,
    pub trees: Vec<ObjectId>,
}

/// Looks up a path. `known` is the result for another commit: where the ids agree, the rest of the
/// way is the same, and is not read again.
pub(super) fn find(
    root: ObjectId,
    path: &[u8],
    known: Option<&Found>,
    reader: &mut Reader<'_>,
) -> Result<Option<Found>, TraceError> {
    let mut trees = Vec::with_capacity(8);
    let mut tree = root;
    let mut parts = path.split(|byte| *byte == b'/').peekable();
    while let Some(part) = parts.next() {
        if let Some(known) = known
            && known.trees.get(trees.len()) == Some(&tree)
        {
            trees.extend_from_slice(&known.trees[trees.len()..]);
            return Ok(Some(Found { blob: known.blob, kind: known.kind, trees }));
        }
        if trees.len() > MAX_DEPTH {
            return Ok(None);
        }
        trees.push(tree);
        let object = reader.read(&tree, Kind::Tree)?;
        let Some(entry) = Entries::of(&object.data).find_name(part)? else { return Ok(None) };
        match (entry.kind, parts.peek()) {
            (EntryKind::Folder, Some(_)) => tree = entry.id,
            (EntryKind::File | EntryKind::Link | EntryKind::Submodule, None) => {
                return Ok(Some(Found { blob: entry.id, kind: entry.kind, trees }));
            }
            _ => return Ok(None),
        }
    }
    Ok(None)
}

/// A regular file with its path.
#[derive(Debug, Clone)]
pub(super) struct FileAt {
    pub path: Vec<u8>,
    pub blob: ObjectId,
}

/// A regular file that differs between two trees.
#[derive(Debug, Clone)]
pub(super) struct Changed {
    pub file: FileAt,
    /// Its blob in the newer tree; `None` when it is gone.
    pub new: Option<ObjectId>,
}

/// The regular files of `old` whose paths `new` lacks, in the order of the tree; `new` is `None`
/// for an empty one.
pub(super) fn deleted_files(
    old: ObjectId,
    new: Option<ObjectId>,
    reader: &mut Reader<'_>,
) -> Result<Vec<FileAt>, TraceError> {
    let changed = changed_files(old, new, reader)?;
    Ok(changed.into_iter().filter(|file| file.new.is_none()).map(|gone| gone.file).collect())
}

/// The regular files of `old` that `new` lacks or has with another content, in the order of the
/// tree; `new` is `None` for an empty one.
pub(super) fn changed_files(
    old: ObjectId,
    new: Option<ObjectId>,
    reader: &mut Reader<'_>,
) -> Result<Vec<Changed>, TraceError> {
    let mut changed = Vec::new();
    collect_changed(old, new, &mut Vec::new(), 0, reader, &mut changed)?;
    Ok(changed)
}

fn collect_changed(
    old: ObjectId,
    new: Option<ObjectId>,
    folder: &mut Vec<u8>,
    depth: usize,
    reader: &mut Reader<'_>,
    changed: &mut Vec<Changed>,
) -> Result<(), TraceError> {
    if new == Some(old) {
        return Ok(());
    }
    if depth > MAX_DEPTH {
        return Err(TraceError::corrupt("folders nest too deep"));
    }
    let old = reader.read(&old, Kind::Tree)?;
    let new = new.map(|new| reader.read(&new, Kind::Tree)).transpose()?;
    let mut others = std::collections::HashMap::new();
    if let Some(new) = &new {
        for entry in Entries::of(&new.data) {
            let entry = entry?;
            others.insert(entry.name, entry);
        }
    }
    for entry in Entries::of(&old.data) {
        let entry = entry?;
        let other = others.get(entry.name);
        let length = folder.len();
        folder.extend_from_slice(entry.name);
        match entry.kind {
            EntryKind::Folder => {
                let other = other.filter(|other| other.kind == EntryKind::Folder);
                folder.push(b'/');
                let other = other.map(|other| other.id);
                collect_changed(entry.id, other, folder, depth + 1, reader, changed)?;
            }
            EntryKind::File => {
                let new = match other {
                    // A path that became a link or a submodule changed its kind and is not gone.
                    Some(other) => match other.kind {
                        EntryKind::File if other.id != entry.id => Some(Some(other.id)),
                        EntryKind::Folder => Some(None),
                        _ => None,
                    },
                    None => Some(None),
                };
                if let Some(new) = new {
                    let file = FileAt { path: folder.clone(), blob: entry.id };
                    changed.push(Changed { file, new });
                }
            }
            _ => {}
        }
        folder.truncate(length);
    }
    Ok(())
}
