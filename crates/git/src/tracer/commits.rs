//! A commit's tree and parents, from the commit-graph if possible, else from the commit object.
use gix_hash::ObjectId;
use gix_object::{CommitRefIter, Kind};

use super::error::TraceError;
use super::graph::{Graph, Rank};
use super::objects::Reader;

/// A commit, and its place in the commit-graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Commit {
    pub id: ObjectId,
    pub rank: Option<Rank>,
}

impl Commit {
    pub(super) fn new(id: ObjectId, graph: &Graph) -> Self {
        Self { id, rank: graph.rank(&id) }
    }

    pub(super) fn at(rank: Rank, graph: &Graph) -> Self {
        Self { id: graph.id(rank), rank: Some(rank) }
    }
}

/// A commit's tree and its parents in their order.
pub(super) fn tree_and_parents(
    commit: Commit,
    graph: &Graph,
    reader: &mut Reader<'_>,
) -> Result<(ObjectId, Vec<Commit>), TraceError> {
    if let Some(rank) = commit.rank {
        let parents = graph.parents(rank).map(|parent| Commit::at(parent, graph)).collect();
        return Ok((graph.tree(rank), parents));
    }
    let object = reader.read(&commit.id, Kind::Commit)?;
    let mut fields = CommitRefIter::from_bytes(&object.data, gix_hash::Kind::Sha1);
    let tree = fields.tree_id().map_err(TraceError::corrupt)?;
    let parents = fields.parent_ids().map(|id| Commit::new(id, graph)).collect();
    Ok((tree, parents))
}

/// A commit's tree.
pub(super) fn tree_of(
    commit: Commit,
    graph: &Graph,
    reader: &mut Reader<'_>,
) -> Result<ObjectId, TraceError> {
    match commit.rank {
        Some(rank) => Ok(graph.tree(rank)),
        None => tree_and_parents(commit, graph, reader).map(|(tree, _)| tree),
    }
}
