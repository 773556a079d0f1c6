//! Reports that wait to be sent: bounded in number and bytes. When it is full the oldest goes,
//! and is counted.
use std::collections::VecDeque;
use std::sync::Arc;

use crate::event::Event;

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueBounds {
    /// Reports.
    pub reports: usize,
    /// Bytes of all of them.
    pub bytes: usize,
}

impl Default for QueueBounds {
    fn default() -> Self {
        Self { reports: 100, bytes: 8 * 1024 * 1024 }
    }
}

/// A report that waits.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) event: Arc<Event>,
    /// Occurrences it stands for.
    pub(crate) count: u64,
    size: usize,
}

impl Waiting {
    pub(crate) fn new(event: Arc<Event>, count: u64) -> Self {
        let size = event.size();
        Self { event, count, size }
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    bounds: QueueBounds,
    /// Occurrences whose report went, not yet told to a server.
    pub(crate) lost: u64,
}

impl Queue {
    pub(crate) fn new(bounds: QueueBounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    pub(crate) fn push(&mut self, waiting: Waiting) {
        self.bytes += waiting.size;
        self.waiting.push_back(waiting);
        self.keep_bounds();
    }

    /// Puts back what could not be sent: it is the oldest.
    pub(crate) fn put_back(&mut self, waiting: Waiting) {
        self.bytes += waiting.size;
        self.waiting.push_front(waiting);
        self.keep_bounds();
    }

    pub(crate) fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        self.bytes -= waiting.size;
        Some(waiting)
    }

    /// All that waits, and what was lost.
    pub(crate) fn take(&mut self) -> (VecDeque<Waiting>, u64) {
        self.bytes = 0;
        (std::mem::take(&mut self.waiting), std::mem::take(&mut self.lost))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn keep_bounds(&mut self) {
        while self.waiting.len() > self.bounds.reports || self.bytes > self.bounds.bytes {
            let Some(oldest) = self.pop() else { return };
            self.lost += oldest.count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(info: &str) -> Waiting {
        let event = Event { additional_info: info.to_owned(), ..Event::default() };
        Waiting::new(Arc::new(event), 3)
    }

    #[test]
    fn when_too_many_wait_the_oldest_goes_and_its_occurrences_are_counted() {
        let mut queue = Queue::new(QueueBounds { reports: 2, bytes: usize::MAX });
        ["a", "b", "c"].iter().for_each(|info| queue.push(waiting(info)));
        assert_eq!(queue.lost, 3);
        assert_eq!(queue.pop().expect("one waits").event.additional_info, "b");
    }

    #[test]
    fn when_too_many_bytes_wait_the_oldest_goes() {
        let mut queue = Queue::new(QueueBounds { reports: 100, bytes: 20_000 });
        queue.push(waiting(&"x".repeat(10_000)));
        queue.push(waiting(&"y".repeat(12_000)));
        assert_eq!(queue.lost, 3);
        queue.push(waiting(&"z".repeat(30_000)));
        assert!(queue.is_empty(), "a report larger than all that may wait is lost too");
        assert_eq!((queue.lost, queue.bytes), (9, 0));
    }

    #[test]
    fn what_could_not_be_sent_is_the_first_to_go() {
        let mut queue = Queue::new(QueueBounds { reports: 1, bytes: usize::MAX });
        queue.push(waiting("new"));
        queue.put_back(waiting("old"));
        assert_eq!(queue.lost, 3);
        assert_eq!(queue.pop().expect("one waits").event.additional_info, "new");
    }
}
