//! Reads git's objects from packs and loose files, and caches the bases of deltas: the versions of
//! a file are mostly deltas of each other.
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use gix_hash::{Kind as HashKind, ObjectId};
use gix_object::Kind;
use gix_pack::MMap;
use gix_pack::data::entry::Header;
use gix_zlib::Inflate;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::bounded::bounded;
use super::delta;
use super::error::TraceError;

/// Bytes of decoded trees and of other objects in the caches. Trees have a cache of their own: they
/// are small and needed again, and a few versions of a large file would evict them.
const TREE_BYTES: u64 = 2 * 1024 * 1024;
const OTHER_BYTES: u64 = 2 * 1024 * 1024;
/// Approximate number of objects in that.
const MANY: usize = 2_000;
/// Source files are small; a larger object is generated, or not source at all.
const MAX_OBJECT: usize = 32 * 1024 * 1024;
/// git makes chains of 50, and of up to 250 in a thorough repack.
const MAX_CHAIN: usize = 5_000;

/// An object's kind and content.
#[derive(Debug)]
pub(super) struct Object {
    pub kind: Kind,
    pub data: Vec<u8>,
}

/// The objects of a repository.
#[derive(Debug)]
pub(super) struct Objects {
    folders: Vec<PathBuf>,
    packs: RwLock<Arc<Vec<Arc<Pack>>>>,
    next_pack: AtomicU32,
    trees: Decoded,
    others: Decoded,
}

type Decoded = Cache<Place, Arc<Object>, ByBytes>;

struct Pack {
    number: u32,
    index_path: PathBuf,
    index: gix_pack::index::File<MMap>,
    data: gix_pack::data::File<MMap>,
}

/// Number of the pack and offset in it.
type Place = (u32, u64);

#[derive(Debug, Clone)]
struct ByBytes;

impl Weighter<Place, Arc<Object>> for ByBytes {
    fn weight(&self, _: &Place, object: &Arc<Object>) -> u64 {
        object.data.len() as u64 + 96
    }
}

impl Objects {
    /// The objects in `folder` (a repository's `objects`) and in its alternates.
    pub(super) fn open(folder: &Path) -> Result<Self, TraceError> {
        let objects = Self {
            folders: with_alternates(folder),
            packs: RwLock::default(),
            next_pack: AtomicU32::new(0),
            trees: bounded(TREE_BYTES, MANY, ByBytes)?,
            others: bounded(OTHER_BYTES, MANY, ByBytes)?,
        };
        objects.look_for_packs()?;
        Ok(objects)
    }

    fn decoded(&self, kind: Kind) -> &Decoded {
        if kind == Kind::Tree { &self.trees } else { &self.others }
    }

    /// Opens new packs and closes those that are gone.
    pub(super) fn look_for_packs(&self) -> Result<(), TraceError> {
        let mut packs = self.packs.write().unwrap_or_else(PoisonError::into_inner);
        let known = packs.clone();
        let mut now = Vec::new();
        for folder in &self.folders {
            let Ok(entries) = folder.join("pack").read_dir() else { continue };
            let mut indices: Vec<PathBuf> = entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| path.extension().is_some_and(|extension| extension == "idx"))
                .collect();
            indices.sort();
            for path in indices {
                if let Some(pack) = known.iter().find(|pack| pack.index_path == path) {
                    now.push(pack.clone());
                } else if path.with_extension("pack").exists() {
                    // A number is never reused: the cache identifies objects by it.
                    let number = self.next_pack.fetch_add(1, Ordering::Relaxed);
                    now.push(Arc::new(Pack::open(path, number)?));
                }
            }
        }
        *packs = Arc::new(now);
        Ok(())
    }

    fn packs(&self) -> Arc<Vec<Arc<Pack>>> {
        self.packs.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A reader with scratch memory of its own.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader { objects: self, packs: self.packs(), inflate: Inflate::default(), last_pack: 0 }
    }
}

impl std::fmt::Debug for Pack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pack").field("index_path", &self.index_path).finish_non_exhaustive()
    }
}

impl Pack {
    fn open(index_path: PathBuf, number: u32) -> Result<Self, TraceError> {
        let index =
            gix_pack::index::File::at(&index_path, HashKind::Sha1).map_err(TraceError::corrupt)?;
        let data = gix_pack::data::File::at(index_path.with_extension("pack"), HashKind::Sha1)
            .map_err(TraceError::corrupt)?
            .with_alloc_limit_bytes(Some(MAX_OBJECT));
        Ok(Self { number, index_path, index, data })
    }

    fn offset_of(&self, id: &ObjectId) -> Option<u64> {
        self.index.lookup(id).map(|at| self.index.pack_offset_at_index(at))
    }
}

/// Reads objects, one after the other.
pub(super) struct Reader<'a> {
    objects: &'a Objects,
    packs: Arc<Vec<Arc<Pack>>>,
    inflate: Inflate,
    /// The pack of the last object: the next one is usually there too.
    last_pack: usize,
}

impl Reader<'_> {
    /// Reads an object of a certain kind.
    ///
    /// # Errors
    /// It is missing, of another kind, broken, or larger than 32 MiB.
    pub(super) fn read(&mut self, id: &ObjectId, kind: Kind) -> Result<Arc<Object>, TraceError> {
        let object = match self.find(id) {
            Some((pack, offset)) => self.read_packed(&pack, offset, id, kind)?,
            None => match self.read_loose(id)? {
                Some(object) => object,
                None => {
                    // A fetch or a repack may have moved it.
                    self.objects.look_for_packs()?;
                    self.packs = self.objects.packs();
                    self.last_pack = 0;
                    let (pack, offset) = self.find(id).ok_or(TraceError::Missing(*id))?;
                    self.read_packed(&pack, offset, id, kind)?
                }
            },
        };
        if object.kind != kind {
            return Err(TraceError::corrupt(format!("object {id} is a {}", object.kind)));
        }
        Ok(object)
    }

    /// An object's size, if it can be found without decoding all of it.
    pub(super) fn size(&mut self, id: &ObjectId) -> Option<u64> {
        let (pack, offset) = self.find(id)?;
        let entry = pack.data.entry(offset).ok()?;
        if !entry.header.is_delta() {
            return Some(entry.decompressed_size);
        }
        if entry.decompressed_size > MAX_OBJECT as u64 {
            return None;
        }
        let mut delta = vec![0; entry.decompressed_size as usize];
        pack.data.decompress_entry(&entry, &mut self.inflate, &mut delta).ok()?;
        delta::result_size(&delta)
    }

    fn find(&mut self, id: &ObjectId) -> Option<(Arc<Pack>, u64)> {
        let count = self.packs.len();
        for nth in 0..count {
            let at = (self.last_pack + nth) % count;
            if let Some(offset) = self.packs[at].offset_of(id) {
                self.last_pack = at;
                return Some((self.packs[at].clone(), offset));
            }
        }
        None
    }

    /// Follows the chain of deltas to an object that is cached or complete, then applies the
    /// deltas. Intermediate objects are kept: they are most likely the versions needed next.
    fn read_packed(
        &mut self,
        pack: &Pack,
        offset: u64,
        id: &ObjectId,
        kind: Kind,
    ) -> Result<Arc<Object>, TraceError> {
        // An object has the same kind as the base of its delta.
        let decoded = self.objects.decoded(kind);
        let mut deltas = Vec::new();
        let mut at = offset;
        let mut object = loop {
            if let Some(known) = decoded.get(&(pack.number, at)) {
                break known;
            }
            let entry = pack.data.entry(at).map_err(TraceError::corrupt)?;
            if entry.decompressed_size > MAX_OBJECT as u64 {
                return Err(TraceError::TooLarge(*id));
            }
            let size = entry.decompressed_size as usize;
            let base = match entry.header {
                Header::OfsDelta { base_distance } => {
                    let base = entry.checked_base_pack_offset(base_distance);
                    base.ok_or_else(|| TraceError::corrupt(format!("the delta of {id}")))?
                }
                Header::RefDelta { base_id } => {
                    // A pack on disk is complete: the base is in the same one.
                    pack.offset_of(&base_id).ok_or(TraceError::Missing(base_id))?
                }
                whole => {
                    let kind =
                        whole.as_kind().ok_or_else(|| TraceError::corrupt("a pack entry"))?;
                    let mut data = vec![0; size];
                    self.inflate_entry(pack, &entry, &mut data)?;
                    let object = Arc::new(Object { kind, data });
                    decoded.insert((pack.number, at), object.clone());
                    break object;
                }
            };
            if deltas.len() >= MAX_CHAIN
                || base >= at && !matches!(entry.header, Header::RefDelta { .. })
            {
                return Err(TraceError::corrupt(format!("the delta chain of {id}")));
            }
            let mut delta = vec![0; size];
            self.inflate_entry(pack, &entry, &mut delta)?;
            deltas.push((at, delta));
            at = base;
        };
        for (at, delta) in deltas.into_iter().rev() {
            let data = delta::apply(&object.data, &delta, MAX_OBJECT)
                .ok_or_else(|| TraceError::corrupt(format!("the delta of {id}")))?;
            object = Arc::new(Object { kind: object.kind, data });
            decoded.insert((pack.number, at), object.clone());
        }
        Ok(object)
    }

    fn inflate_entry(
        &mut self,
        pack: &Pack,
        entry: &gix_pack::data::Entry,
        out: &mut [u8],
    ) -> Result<(), TraceError> {
        let done = pack.data.decompress_entry(entry, &mut self.inflate, out);
        done.map(|_| ()).map_err(TraceError::corrupt)
    }

    fn read_loose(&mut self, id: &ObjectId) -> Result<Option<Arc<Object>>, TraceError> {
        let hex = id.to_string();
        for folder in &self.objects.folders {
            let path = folder.join(&hex[..2]).join(&hex[2..]);
            let packed = match std::fs::read(&path) {
                Ok(packed) => packed,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(source) => return Err(TraceError::Read { path, source }),
            };
            return self.decode_loose(&packed, id).map(Some);
        }
        Ok(None)
    }

    /// `KIND SIZE NUL CONTENT`, deflated as a whole.
    fn decode_loose(&mut self, packed: &[u8], id: &ObjectId) -> Result<Arc<Object>, TraceError> {
        let corrupt = || TraceError::corrupt(format!("the loose object {id}"));
        let mut head = [0; 64];
        self.inflate.reset();
        let (_, _, written) = self.inflate.prefix(packed, &mut head).map_err(|_| corrupt())?;
        let end = memchr::memchr(0, &head[..written]).ok_or_else(corrupt)?;
        let header = std::str::from_utf8(&head[..end]).map_err(|_| corrupt())?;
        let (kind, size) = header.split_once(' ').ok_or_else(corrupt)?;
        let kind = Kind::from_bytes(kind.as_bytes()).map_err(|_| corrupt())?;
        let size: usize = size.parse().map_err(|_| corrupt())?;
        if size > MAX_OBJECT {
            return Err(TraceError::TooLarge(*id));
        }
        let mut data = vec![0; end + 1 + size];
        self.inflate.reset();
        let (_, _, written) = self.inflate.once(packed, &mut data).map_err(|_| corrupt())?;
        if written != data.len() {
            return Err(corrupt());
        }
        data.drain(..=end);
        Ok(Arc::new(Object { kind, data }))
    }
}

/// A folder of objects followed by its alternates, from `info/alternates`, and their own.
fn with_alternates(folder: &Path) -> Vec<PathBuf> {
    let mut folders = vec![folder.to_owned()];
    let mut next = 0;
    while next < folders.len() && folders.len() < 16 {
        let list = std::fs::read_to_string(folders[next].join("info/alternates"));
        for line in list.unwrap_or_default().lines().filter(|line| !line.starts_with('#')) {
            let other = folders[next].join(line);
            if !line.is_empty() && !folders.contains(&other) {
                folders.push(other);
            }
        }
        next += 1;
    }
    folders
}
