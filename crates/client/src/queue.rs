//! The queue of unsent reports, bounded in number and bytes. Once it is half full, first sightings
//! of a stack are sent before repeats. Once it is full, repeats of one stack are merged, then
//! values of variables are dropped, then the oldest repeat, then the oldest report. Dropped
//! occurrences are counted.
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use crate::event::Event;
use crate::thinning::StackKey;

/// The bounds of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueBounds {
    /// Number of reports.
    pub reports: usize,
    /// Bytes of all of them.
    pub bytes: usize,
}

impl Default for QueueBounds {
    fn default() -> Self {
        Self { reports: 100, bytes: 8 * 1024 * 1024 }
    }
}

/// A waiting report.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) event: Arc<Event>,
    /// Occurrences it stands for.
    pub(crate) count: u64,
    /// Identifies the report, however often it is sent.
    pub(crate) id: String,
    /// Set when a server may already have the report, to the losses that were sent with it. Both
    /// numbers must then stay as they are.
    pub(crate) reported_lost: Option<u64>,
    stack: StackKey,
    /// Its stack was not reported before.
    is_first: bool,
    size: usize,
}

impl Waiting {
    pub(crate) fn new(stack: StackKey, event: Arc<Event>, count: u64, is_first: bool) -> Self {
        let size = event.size();
        Self { event, count, id: random_id(), reported_lost: None, stack, is_first, size }
    }

    fn may_change(&self) -> bool {
        self.reported_lost.is_none()
    }
}

/// Made from the system's random numbers, because a forked process would repeat its parent's.
fn random_id() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => format!("{:032x}", u128::from_ne_bytes(bytes)),
        // Without an id the report may count twice.
        Err(_) => String::new(),
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    bounds: QueueBounds,
    /// Lost occurrences that no server has been told about yet.
    pub(crate) lost: u64,
}

impl Queue {
    pub(crate) fn new(bounds: QueueBounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// Adds a report; returns how many occurrences were lost by that.
    pub(crate) fn push(&mut self, mut waiting: Waiting) -> u64 {
        self.bytes += waiting.size;
        // The program may have forgotten the stacks it has seen.
        waiting.is_first &= self.waiting.iter().all(|other| other.stack != waiting.stack);
        self.waiting.push_back(waiting);
        self.keep_bounds()
    }

    /// Puts back a report that could not be sent, as the oldest.
    pub(crate) fn put_back(&mut self, waiting: Waiting) -> u64 {
        self.bytes += waiting.size;
        self.waiting.push_front(waiting);
        self.keep_bounds()
    }

    /// The oldest report; once the queue is half full, the oldest first sighting.
    pub(crate) fn pop(&mut self) -> Option<Waiting> {
        let is_pressed =
            2 * self.waiting.len() > self.bounds.reports || self.bytes > self.bounds.bytes / 2;
        let first = || self.waiting.iter().position(|waiting| waiting.is_first);
        let at = if is_pressed { first().unwrap_or(0) } else { 0 };
        let waiting = self.waiting.remove(at)?;
        self.bytes -= waiting.size;
        Some(waiting)
    }

    /// Takes all waiting reports, and the number of lost occurrences.
    pub(crate) fn take(&mut self) -> (VecDeque<Waiting>, u64) {
        self.bytes = 0;
        (std::mem::take(&mut self.waiting), std::mem::take(&mut self.lost))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn keep_bounds(&mut self) -> u64 {
        let mut lost = 0;
        loop {
            let is_too_many = self.waiting.len() > self.bounds.reports;
            let is_too_large = self.bytes > self.bounds.bytes;
            if !is_too_many && !is_too_large {
                break;
            }
            if self.merge() || (!is_too_many && self.lighten()) {
                continue;
            }
            let repeat = self.waiting.iter().position(|waiting| !waiting.is_first);
            let Some(gone) = self.waiting.remove(repeat.unwrap_or(0)) else { break };
            self.bytes -= gone.size;
            lost += gone.count;
        }
        self.lost += lost;
        lost
    }

    /// Merges the oldest repeat of a stack into a newer one, or else into the first sighting.
    fn merge(&mut self) -> bool {
        let may_take = |of: &Waiting| of.may_change();
        let mut others: HashSet<StackKey> = HashSet::new();
        let firsts = self.waiting.iter().filter(|of| of.is_first && may_take(of));
        others.extend(firsts.map(|first| first.stack));
        let mut found = None;
        for (at, of) in self.waiting.iter().enumerate().rev() {
            if !of.is_first && may_take(of) && !others.insert(of.stack) {
                found = Some(at);
            }
        }
        let Some(at) = found else { return false };
        let Some(given) = self.waiting.remove(at) else { return false };
        self.bytes -= given.size;
        let is_of_it = |of: &Waiting| of.stack == given.stack && may_take(of);
        let newer = (at..self.waiting.len()).find(|&at| is_of_it(&self.waiting[at]));
        let taker = newer.or_else(|| self.waiting.iter().position(is_of_it));
        if let Some(taker) = taker.and_then(|at| self.waiting.get_mut(at)) {
            taker.count += given.count;
        }
        true
    }

    /// Drops the values of variables from the largest report.
    fn lighten(&mut self) -> bool {
        let heavy = self.waiting.iter_mut();
        let heavy = heavy.filter(|waiting| waiting.may_change() && waiting.event.has_locals());
        let Some(largest) = heavy.max_by_key(|waiting| waiting.size) else { return false };
        largest.event = Arc::new(largest.event.without_locals());
        self.bytes -= largest.size;
        largest.size = largest.event.size();
        self.bytes += largest.size;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Exception, Frame, Locals, Source};

    fn waiting(stack: u64, info: &str, is_first: bool) -> Waiting {
        let event = Event { additional_info: info.to_owned(), ..Event::default() };
        Waiting::new(StackKey(stack), Arc::new(event), 3, is_first)
    }

    fn infos(queue: &mut Queue) -> Vec<(String, u64)> {
        let popped = std::iter::from_fn(|| queue.pop());
        popped.map(|waiting| (waiting.event.additional_info.clone(), waiting.count)).collect()
    }

    fn few(reports: usize) -> Queue {
        Queue::new(QueueBounds { reports, bytes: usize::MAX })
    }

    #[test]
    fn new_stacks_go_before_repeats_in_a_long_queue() {
        let mut queue = few(3);
        queue.push(waiting(1, "repeat", false));
        queue.push(waiting(2, "first", true));
        queue.push(waiting(3, "second", true));
        let expected = ["first", "second", "repeat"].map(|info| (info.to_owned(), 3));
        assert_eq!(infos(&mut queue), expected);
        let mut queue = few(6);
        queue.push(waiting(1, "repeat", false));
        queue.push(waiting(2, "first", true));
        let expected = ["repeat", "first"].map(|info| (info.to_owned(), 3));
        assert_eq!(infos(&mut queue), expected, "else in their order");
    }

    #[test]
    fn repeats_of_a_stack_merge_in_a_full_queue_without_loss() {
        let mut queue = few(2);
        queue.push(waiting(1, "first of 1", true));
        for info in ["a", "b", "c"] {
            queue.push(waiting(1, info, false));
        }
        queue.push(waiting(2, "first of 2", true));
        let expected = [("first of 1".to_owned(), 12), ("first of 2".to_owned(), 3)];
        assert_eq!((infos(&mut queue), queue.lost), (expected.to_vec(), 0));
    }

    #[test]
    fn burst_of_many_failing_lines_loses_no_line() {
        let mut queue = few(100);
        for number in 0..600 {
            queue.push(waiting(number % 60, "x", number < 60));
        }
        let counted = infos(&mut queue);
        assert_eq!((counted.len() <= 100, queue.lost), (true, 0));
        assert_eq!(counted.iter().map(|(_, count)| count).sum::<u64>(), 1_800);
    }

    #[test]
    fn oldest_repeat_is_dropped_and_counted_if_none_can_merge() {
        let mut queue = few(2);
        queue.push(waiting(1, "first", true));
        assert_eq!(queue.push(waiting(2, "older", false)), 0);
        assert_eq!(queue.push(waiting(3, "newer", false)), 3);
        assert_eq!(queue.lost, 3);
        assert_eq!(queue.push(waiting(4, "another first", true)), 3);
        assert_eq!(queue.push(waiting(5, "the last first", true)), 3);
        let expected = ["another first", "the last first"].map(|info| (info.to_owned(), 3));
        assert_eq!(infos(&mut queue), expected);
    }

    #[test]
    fn variable_values_are_dropped_first_over_the_byte_limit() {
        let large = |stack| {
            let mut locals = Locals::default();
            locals.push_with("x".into(), |text| text.push_str(&"x".repeat(10_000)));
            let frame = Frame {
                path: "a.py".into(),
                line: 1,
                function: "f".into(),
                source: Source::Line(String::new()),
                locals: Some(locals),
            };
            let exception = Exception { frames: vec![frame], ..Exception::default() };
            let event = Event { exception, ..Event::default() };
            Waiting::new(StackKey(stack), Arc::new(event), 3, true)
        };
        let mut queue = Queue::new(QueueBounds { reports: 100, bytes: 25_000 });
        for stack in 0..4 {
            queue.push(large(stack));
        }
        assert_eq!(queue.lost, 0);
        let with_values = std::iter::from_fn(|| queue.pop()).filter(|w| w.event.has_locals());
        assert_eq!(with_values.count(), 2);
    }

    #[test]
    fn report_larger_than_the_queue_is_lost() {
        let mut queue = Queue::new(QueueBounds { reports: 100, bytes: 20_000 });
        queue.push(waiting(1, &"z".repeat(30_000), true));
        assert!(queue.is_empty());
        assert_eq!((queue.lost, queue.bytes), (3, 0));
    }

    #[test]
    fn report_a_server_may_have_stays_as_it_was_sent() {
        let mut queue = few(1);
        let mut sent = waiting(1, "sent", false);
        sent.reported_lost = Some(0);
        queue.put_back(sent);
        assert_eq!(queue.push(waiting(1, "newer", false)), 3, "not added to what was sent");
        assert_eq!(infos(&mut queue), [("newer".to_owned(), 3)]);
    }
}
