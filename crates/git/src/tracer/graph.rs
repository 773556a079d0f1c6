//! The commit-graph in memory, ordered so that a walk back along first parents reads neighbouring
//! memory.
use std::path::Path;

use gix_hash::ObjectId;

use super::changed_paths::{FilterSettings, PathKey};
use super::error::TraceError;

/// A commit's place in a [`Graph`]. The first parent of a commit usually has the next rank.
pub(super) type Rank = u32;

const NONE: u32 = u32::MAX;
/// git's value for "no parent".
const NO_PARENT: u32 = 0x7000_0000;
/// Marks a second parent that is a list in the `EDGE` chunk, and the last one of such a list.
const FLAG: u32 = 0x8000_0000;
const HASH: usize = 20;
const RECORD: usize = HASH + 16;
const MAX_FILE: u64 = 2 << 30;

/// Commits with their parents, trees and changed-path filters, by rank.
#[derive(Debug, Default)]
pub(super) struct Graph {
    ids: Vec<[u8; HASH]>,
    trees: Vec<[u8; HASH]>,
    first_parent: Vec<Rank>,
    /// Start indexes in `other_parents` of the parents from the second on; one more entry than
    /// commits.
    other_parents_from: Vec<u32>,
    other_parents: Vec<Rank>,
    /// Start indexes of the commits' filters in `filters`; one more entry than commits.
    filter_from: Vec<u32>,
    filters: Vec<u8>,
    settings: Option<FilterSettings>,
    /// Ranks ordered by id.
    by_id: Vec<Rank>,
}

impl Graph {
    /// Reads the commit-graph below `objects`, split or not; an empty one when there is none.
    pub(super) fn read(objects: &Path) -> Result<Self, TraceError> {
        let info = objects.join("info");
        let chain = info.join("commit-graphs").join("commit-graph-chain");
        let mut layers = Vec::new();
        if let Some(chain) = read_if_there(&chain)? {
            for name in String::from_utf8_lossy(&chain).lines() {
                if name.len() != 40 || !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    return Err(TraceError::corrupt("the commit-graph chain names no graph"));
                }
                let path = info.join("commit-graphs").join(format!("graph-{name}.graph"));
                // A fetch may have replaced the chain in the meantime: then there is no graph this
                // time.
                let Some(data) = read_if_there(&path)? else { return Ok(Self::default()) };
                layers.push(data);
            }
        } else if let Some(data) = read_if_there(&info.join("commit-graph"))? {
            layers.push(data);
        }
        let mut first = 0;
        let mut parsed = Vec::with_capacity(layers.len());
        for data in &layers {
            let layer = Layer::parse(data, first)?;
            first += layer.len();
            parsed.push(layer);
        }
        Self::build(&parsed)
    }

    fn build(layers: &[Layer<'_>]) -> Result<Self, TraceError> {
        let count: usize = layers.iter().map(|layer| layer.len() as usize).sum();
        let mut records = Vec::with_capacity(count);
        for layer in layers {
            for at in 0..layer.len() {
                records.push(layer.record(at)?);
            }
        }
        let order = first_parent_order(&records)?;
        let mut rank_of = vec![NONE; count];
        for (rank, &position) in (0u32..).zip(&order) {
            rank_of[position as usize] = rank;
        }
        let ranked = |position: u32| rank_of.get(position as usize).copied().unwrap_or(NONE);

        let settings = layers.iter().find_map(|layer| layer.settings);
        let mut graph = Self { settings, ..Self::default() };
        for &position in &order {
            let record = &records[position as usize];
            graph.ids.push(record.id);
            graph.trees.push(record.tree);
            graph.first_parent.push(record.first_parent.map_or(NONE, ranked));
            graph.other_parents_from.push(graph.other_parents.len() as u32);
            graph.other_parents.extend(record.other_parents.iter().map(|&p| ranked(p)));
            graph.filter_from.push(graph.filters.len() as u32);
            if record.settings == settings {
                graph.filters.extend_from_slice(record.filter);
            }
        }
        graph.other_parents_from.push(graph.other_parents.len() as u32);
        graph.filter_from.push(graph.filters.len() as u32);
        if graph.other_parents.contains(&NONE) {
            return Err(TraceError::corrupt("a commit-graph names a parent that it does not have"));
        }
        graph.by_id = (0..count as u32).collect();
        let Self { ids, by_id, .. } = &mut graph;
        by_id.sort_unstable_by_key(|&rank| ids[rank as usize]);
        Ok(graph)
    }

    /// The rank of a commit, if the graph has it.
    pub(super) fn rank(&self, id: &ObjectId) -> Option<Rank> {
        let found = self
            .by_id
            .binary_search_by(|&rank| self.ids[rank as usize].as_slice().cmp(id.as_slice()));
        found.ok().map(|at| self.by_id[at])
    }

    pub(super) fn id(&self, rank: Rank) -> ObjectId {
        ObjectId::Sha1(self.ids[rank as usize])
    }

    pub(super) fn tree(&self, rank: Rank) -> ObjectId {
        ObjectId::Sha1(self.trees[rank as usize])
    }

    /// Its parents, in their order.
    pub(super) fn parents(&self, rank: Rank) -> impl Iterator<Item = Rank> {
        let at = rank as usize;
        let others = self.other_parents_from[at] as usize..self.other_parents_from[at + 1] as usize;
        let first = Some(self.first_parent[at]).filter(|&parent| parent != NONE);
        first.into_iter().chain(self.other_parents[others].iter().copied())
    }

    /// A path as the filters know it; `None` when they cannot answer for it.
    pub(super) fn key(&self, path: &[u8]) -> Option<PathKey> {
        PathKey::new(path, self.settings?)
    }

    /// Walks back along first parents, at most `limit` commits, to the first commit that may have
    /// touched the path.
    pub(super) fn skip(&self, from: Rank, key: &PathKey, limit: usize) -> Rank {
        let mut rank = from;
        for _ in 0..limit {
            let at = rank as usize;
            let filter = self.filter_from[at] as usize..self.filter_from[at + 1] as usize;
            let parent = self.first_parent[at];
            if parent == NONE || key.may_be_in(&self.filters[filter]) {
                break;
            }
            rank = parent;
        }
        rank
    }

    /// Whether there are changed-path filters.
    pub(super) fn has_filters(&self) -> bool {
        !self.filters.is_empty()
    }
}

/// An order of positions in which a first parent follows its child wherever possible: the newest
/// commit first, then back along first parents; then the newest remaining one, and so on.
fn first_parent_order(records: &[Record<'_>]) -> Result<Vec<u32>, TraceError> {
    let mut newest_first: Vec<u32> = (0..records.len() as u32).collect();
    newest_first.sort_by_key(|&position| std::cmp::Reverse(records[position as usize].time));
    let mut order = Vec::with_capacity(records.len());
    let mut placed = vec![false; records.len()];
    for start in newest_first {
        let mut next = Some(start);
        while let Some(position) = next {
            let at = position as usize;
            let record = records.get(at).ok_or_else(|| {
                TraceError::corrupt("a commit-graph names a parent that it does not have")
            })?;
            if std::mem::replace(&mut placed[at], true) {
                break;
            }
            order.push(position);
            next = record.first_parent;
        }
    }
    Ok(order)
}

/// One commit of a layer; parents are positions across all layers.
struct Record<'a> {
    id: [u8; HASH],
    tree: [u8; HASH],
    time: u64,
    first_parent: Option<u32>,
    other_parents: Vec<u32>,
    filter: &'a [u8],
    settings: Option<FilterSettings>,
}

/// One file of a commit-graph chain.
struct Layer<'a> {
    ids: &'a [[u8; HASH]],
    records: &'a [[u8; RECORD]],
    edges: &'a [[u8; 4]],
    filter_ends: &'a [[u8; 4]],
    filters: &'a [u8],
    settings: Option<FilterSettings>,
}

impl<'a> Layer<'a> {
    /// `first` is the number of commits in the layers below.
    fn parse(data: &'a [u8], first: u32) -> Result<Self, TraceError> {
        let corrupt = |what: &str| TraceError::corrupt(format!("a commit-graph file {what}"));
        let Some([b'C', b'G', b'P', b'H', version, hash, chunks, _bases]) = data.first_chunk()
        else {
            return Err(corrupt("has no header"));
        };
        if *version != 1 || *hash != 1 {
            return Err(TraceError::Unsupported("commit-graphs of this version"));
        }
        let index = gix_chunk::file::Index::from_bytes(data, 8, u32::from(*chunks))
            .map_err(|error| TraceError::corrupt(format!("a commit-graph file: {error}")))?;
        let chunk = |id: &[u8; 4]| index.data_by_id(data, *id).ok();
        let ids = chunk(b"OIDL").ok_or_else(|| corrupt("lists no commits"))?.as_chunks().0;
        let records = chunk(b"CDAT").ok_or_else(|| corrupt("has no commits"))?.as_chunks().0;
        if ids.len() != records.len() || first as usize + ids.len() >= NO_PARENT as usize {
            return Err(corrupt("has lists of different lengths"));
        }
        let edges = chunk(b"EDGE").unwrap_or_default().as_chunks().0;
        let mut layer =
            Self { ids, records, edges, filter_ends: &[], filters: &[], settings: None };
        if let (Some(ends), Some(filters)) = (chunk(b"BIDX"), chunk(b"BDAT"))
            && let Some((header, filters)) = filters.split_at_checked(12)
        {
            let (ends, header) = (ends.as_chunks().0, header.as_chunks::<4>().0);
            if ends.len() == ids.len() {
                let number = |at: usize| u32::from_be_bytes(header[at]);
                let settings = FilterSettings { hash_version: number(0), hashes: number(1) };
                (layer.filter_ends, layer.filters) = (ends, filters);
                layer.settings = Some(settings);
            }
        }
        Ok(layer)
    }

    fn len(&self) -> u32 {
        self.ids.len() as u32
    }

    fn record(&self, at: u32) -> Result<Record<'a>, TraceError> {
        let at = at as usize;
        let record = &self.records[at];
        let number =
            |from: usize| record[from..from + 4].iter().fold(0, |n, &b| n << 8 | u32::from(b));
        let mut tree = [0; HASH];
        tree.copy_from_slice(&record[..HASH]);
        let mut other_parents = Vec::new();
        match number(HASH + 4) {
            NO_PARENT => {}
            list if list & FLAG != 0 => {
                let edges = self.edges.get((list & !FLAG) as usize..).unwrap_or_default();
                for edge in edges {
                    let parent = u32::from_be_bytes(*edge);
                    other_parents.push(parent & !FLAG);
                    if parent & FLAG != 0 {
                        break;
                    }
                }
                if other_parents.is_empty() {
                    return Err(TraceError::corrupt("a commit-graph lacks the parents of a merge"));
                }
            }
            parent => other_parents.push(parent),
        }
        let end = |at: usize| u32::from_be_bytes(self.filter_ends[at]) as usize;
        let filter = if self.filter_ends.is_empty() {
            &[]
        } else {
            let from = if at == 0 { 0 } else { end(at - 1) };
            self.filters.get(from..end(at)).unwrap_or_default()
        };
        Ok(Record {
            id: self.ids[at],
            tree,
            // The lowest 34 of these 64 bits; the others are the commit's generation.
            time: u64::from(number(HASH + 8) & 3) << 32 | u64::from(number(HASH + 12)),
            first_parent: Some(number(HASH)).filter(|&parent| parent != NO_PARENT),
            other_parents,
            filter,
            settings: self.settings,
        })
    }
}

fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, TraceError> {
    let read_error = |source| TraceError::Read { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Ok(meta) if meta.len() > MAX_FILE => {
            Err(TraceError::Unsupported("commit-graphs of this size"))
        }
        Ok(_) => std::fs::read(path).map(Some).map_err(read_error),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(read_error(error)),
    }
}
