//! A queue in which peers take turns: however much one of them adds, the next item of another one
//! comes after at most one item of each.
use std::collections::{HashMap, VecDeque};

use super::peer::Peer;

/// Waiting items, by peer.
#[derive(Debug)]
pub(crate) struct RoundRobin<T> {
    waiting: HashMap<Peer, VecDeque<T>>,
    /// Peers with waiting items, the next one first.
    order: VecDeque<Peer>,
}

impl<T> Default for RoundRobin<T> {
    fn default() -> Self {
        Self { waiting: HashMap::new(), order: VecDeque::new() }
    }
}

impl<T> RoundRobin<T> {
    pub(crate) fn push(&mut self, peer: Peer, item: T) {
        let of_peer = self.waiting.entry(peer).or_default();
        of_peer.push_back(item);
        if of_peer.len() == 1 {
            self.order.push_back(peer);
        }
    }

    /// The next item.
    pub(crate) fn peek(&self) -> Option<&T> {
        self.waiting.get(self.order.front()?)?.front()
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let peer = self.order.pop_front()?;
        let of_peer = self.waiting.get_mut(&peer)?;
        let item = of_peer.pop_front();
        match of_peer.is_empty() {
            true => drop(self.waiting.remove(&peer)),
            false => self.order.push_back(peer),
        }
        item
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn peers_take_turns_whoever_came_first() {
        let mut queue = RoundRobin::default();
        for (number, last) in [1, 1, 1, 2, 3, 3].into_iter().enumerate() {
            queue.push(Peer::from(IpAddr::from([10, 0, 0, last])), (last, number));
        }
        assert_eq!(queue.peek(), Some(&(1, 0)));
        let taken: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(taken, [(1, 0), (2, 3), (3, 4), (1, 1), (3, 5), (1, 2)]);
        assert!(queue.is_empty() && queue.waiting.is_empty(), "nothing is left behind");
    }
}
