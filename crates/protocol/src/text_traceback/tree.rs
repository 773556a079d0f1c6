//! The exceptions of a block and their relations.
use super::{Gap, TextChained, TextException, TextRelation, TextTraceback};

/// Exceptions of one block that are kept.
const MAX_EXCEPTIONS: usize = 5_000;

/// All exceptions of a block.
#[derive(Debug, Default)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

/// An exception in the tree.
pub(super) type NodeId = usize;

#[derive(Debug, Default)]
struct Node {
    exception: TextException,
    gaps: Vec<Gap>,
    line: u32,
    parent: Option<(NodeId, TextRelation)>,
    children: Vec<NodeId>,
}

impl Tree {
    pub(super) fn add(&mut self, exception: TextException, gaps: Vec<Gap>, line: u32) -> NodeId {
        if self.nodes.len() == MAX_EXCEPTIONS
            && let Some(last) = self.nodes.last_mut()
        {
            // Exceptions beyond the limit are noted as a gap, and not kept.
            if !last.gaps.contains(&Gap::TooLong) {
                last.gaps.push(Gap::TooLong);
            }
            return MAX_EXCEPTIONS - 1;
        }
        self.nodes.push(Node { exception, gaps, line, ..Node::default() });
        self.nodes.len() - 1
    }

    pub(super) fn exception(&self, id: NodeId) -> &TextException {
        &self.nodes[id].exception
    }

    /// Sets the message from elsewhere, for a traceback that does not name its exception.
    pub(super) fn name(&mut self, id: NodeId, exception_message: &str) {
        let node = &mut self.nodes[id];
        if node.exception.exception_type.is_empty() {
            exception_message.clone_into(&mut node.exception.exception_message);
            node.gaps.retain(|gap| *gap != Gap::CutOff);
        }
    }

    /// Notes a gap of the exception.
    pub(super) fn note(&mut self, id: NodeId, gap: Gap) {
        let gaps = &mut self.nodes[id].gaps;
        if !gaps.contains(&gap) {
            gaps.push(gap);
        }
    }

    /// Makes `child` a part of `parent`, unless it has a parent already.
    pub(super) fn attach(&mut self, child: NodeId, parent: NodeId, relation: TextRelation) {
        if self.nodes[child].parent.is_some() || self.root(parent) == child {
            return;
        }
        self.nodes[child].parent = Some((parent, relation));
        self.nodes[parent].children.push(child);
    }

    /// The exception that brought `id` along, or `id` itself.
    pub(super) fn outermost(&self, mut id: NodeId) -> NodeId {
        while let Some((parent, TextRelation::Remote)) = self.nodes[id].parent {
            id = parent;
        }
        id
    }

    /// The root exception that `id` belongs to.
    fn root(&self, mut id: NodeId) -> NodeId {
        while let Some((parent, _)) = self.nodes[id].parent {
            id = parent;
        }
        id
    }

    /// The root exceptions, each with those that belong to it.
    pub(super) fn into_tracebacks(mut self) -> Vec<TextTraceback> {
        for id in 0..self.nodes.len() {
            if self.lacks_members(id) {
                self.note(id, Gap::CutOff);
            }
        }
        let roots: Vec<NodeId> =
            (0..self.nodes.len()).filter(|id| self.nodes[*id].parent.is_none()).collect();
        let mut tracebacks: Vec<TextTraceback> =
            roots.into_iter().map(|root| self.take_traceback(root)).collect();
        tracebacks.retain(|traceback| traceback.has_frames());
        tracebacks.sort_by_key(|traceback| traceback.line);
        tracebacks
    }

    /// Whether it is a group none of whose members were printed.
    fn lacks_members(&self, id: NodeId) -> bool {
        let node = &self.nodes[id];
        let message = node.exception.exception_message.trim_end_matches(['s', ')']);
        let is_member = |child: &NodeId| {
            let parent = self.nodes[*child].parent;
            parent.is_some_and(|(_, relation)| relation == TextRelation::Member)
        };
        message.ends_with(" sub-exception") && !node.children.iter().any(is_member)
    }

    fn take_traceback(&mut self, root: NodeId) -> TextTraceback {
        let mut traceback = TextTraceback {
            exception: std::mem::take(&mut self.nodes[root].exception),
            gaps: std::mem::take(&mut self.nodes[root].gaps),
            line: self.nodes[root].line,
            chain: Vec::new(),
        };
        let mut waiting: Vec<(NodeId, Option<usize>)> =
            self.nodes[root].children.iter().rev().map(|child| (*child, None)).collect();
        while let Some((id, parent)) = waiting.pop() {
            let node = &mut self.nodes[id];
            let relation = node.parent.map_or(TextRelation::Context, |(_, relation)| relation);
            traceback.line = traceback.line.min(node.line);
            for gap in std::mem::take(&mut node.gaps) {
                if !traceback.gaps.contains(&gap) {
                    traceback.gaps.push(gap);
                }
            }
            let at = traceback.chain.len();
            let exception = std::mem::take(&mut node.exception);
            traceback.chain.push(TextChained { exception, relation, parent });
            waiting.extend(node.children.iter().rev().map(|child| (*child, Some(at))));
        }
        traceback
    }
}

impl TextTraceback {
    fn has_frames(&self) -> bool {
        let chained = self.chain.iter().map(|chained| &chained.exception);
        std::iter::once(&self.exception)
            .chain(chained)
            .any(|exception| !exception.frames.is_empty())
    }
}
