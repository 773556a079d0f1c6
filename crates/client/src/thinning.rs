//! Decides which occurrences of a stack are reported, and how many each report stands for: the
//! first ten, then each power of two, otherwise one in ten minutes, as in 0.4.5.
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::event::Event;

/// Identifies a stack: a good hash of its places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StackKey(pub u64);

const ALWAYS: u64 = 10;
const AT_LEAST_EVERY: Duration = Duration::from_secs(600);
/// Size limit of kept reports; beyond it they are kept without the values of variables.
const KEPT_BYTES: usize = 4 * 1024 * 1024;
const MAX_STACKS: usize = 200;

/// A report that is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    /// Number of occurrences it stands for.
    pub(crate) count: u64,
    pub(crate) is_first: bool,
}

/// Occurrences that were counted and not yet reported.
#[derive(Debug)]
pub(crate) struct Unreported {
    pub(crate) stack: StackKey,
    /// `None` when this stack was never captured.
    pub(crate) event: Option<Arc<Event>>,
    pub(crate) count: u64,
}

#[derive(Debug)]
struct Seen {
    count: u64,
    reported: u64,
    reported_at: Instant,
    seen_at: u64,
    stack: StackKey,
    /// The newest report, kept once later occurrences may go unreported.
    event: Option<Arc<Event>>,
}

/// The stacks that were seen most recently.
#[derive(Debug, Default)]
pub(crate) struct Thinning {
    stacks: HashMap<StackKey, Seen, BuildHasherDefault<AlreadyHashed>>,
    clock: u64,
    /// Size of all kept reports.
    kept_bytes: usize,
}

impl Thinning {
    /// Counts an occurrence. Returns `Some` when it is to be reported, with the number it stands
    /// for and whether it is the first; and the unreported occurrences of a stack that had to be
    /// forgotten.
    pub(crate) fn count(
        &mut self,
        stack: StackKey,
        now: Instant,
    ) -> (Option<Due>, Option<Unreported>) {
        self.clock += 1;
        let mut forgotten = None;
        if self.stacks.len() >= MAX_STACKS && !self.stacks.contains_key(&stack) {
            let oldest = self.stacks.iter().min_by_key(|(_, seen)| seen.seen_at);
            let oldest = oldest.map(|(&key, _)| key);
            let oldest = oldest.and_then(|key| self.stacks.remove(&key));
            let kept = oldest.as_ref().and_then(|seen| seen.event.as_ref());
            self.kept_bytes -= kept.map_or(0, |event| event.size());
            forgotten = oldest.and_then(|mut seen| seen.take_unreported());
        }
        let new = Seen { count: 0, reported: 0, reported_at: now, seen_at: 0, stack, event: None };
        let seen = self.stacks.entry(stack).or_insert(new);
        seen.seen_at = self.clock;
        seen.count += 1;
        let due = seen.count <= ALWAYS
            || seen.count.is_power_of_two()
            || now.duration_since(seen.reported_at) >= AT_LEAST_EVERY;
        let due = due.then(|| {
            seen.reported_at = now;
            let count = seen.count - std::mem::replace(&mut seen.reported, seen.count);
            Due { count, is_first: seen.count == 1 }
        });
        (due, forgotten)
    }

    /// Keeps the report of a stack whose next occurrences may not be reported immediately.
    pub(crate) fn keep(&mut self, stack: StackKey, event: &Arc<Event>) {
        if let Some(seen) = self.stacks.get_mut(&stack)
            && seen.count >= ALWAYS
        {
            let before = seen.event.as_ref().map_or(0, |event| event.size());
            let room = KEPT_BYTES.saturating_sub(self.kept_bytes - before);
            let event = match event.size() <= room {
                true => event.clone(),
                false => Arc::new(event.without_locals()),
            };
            self.kept_bytes = self.kept_bytes - before + event.size();
            seen.event = Some(event);
        }
    }

    /// Takes the unreported occurrences that have an event. They count as reported from now on.
    pub(crate) fn take_unreported(&mut self) -> Vec<Unreported> {
        // Without an event the next report of the stack stands for them.
        let seen = self.stacks.values_mut().filter(|seen| seen.event.is_some());
        seen.filter_map(Seen::take_unreported).collect()
    }

    /// Starts from scratch; returns the unreported occurrences.
    pub(crate) fn forget(&mut self) -> Vec<Unreported> {
        self.kept_bytes = 0;
        self.stacks.drain().filter_map(|(_, mut seen)| seen.take_unreported()).collect()
    }
}

impl Seen {
    fn take_unreported(&mut self) -> Option<Unreported> {
        let count = self.count - std::mem::replace(&mut self.reported, self.count);
        (count > 0).then(|| Unreported { stack: self.stack, event: self.event.clone(), count })
    }
}

/// Stack keys are hashes already.
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    /// Which of `occurrences` of one stack are reported, each with the number it stands for.
    fn reported(thinning: &mut Thinning, occurrences: u64, now: Instant) -> Vec<(u64, u64)> {
        let mut reported = Vec::new();
        for number in 1..=occurrences {
            let (due, _) = thinning.count(StackKey(7), now);
            reported.extend(due.map(|due| (number, due.count)));
            thinning.keep(StackKey(7), &Arc::default());
        }
        reported
    }

    #[test]
    fn first_ten_occurrences_are_reported_then_each_power_of_two() {
        let mut thinning = Thinning::default();
        let mut expected: Vec<(u64, u64)> = (1..=10).map(|number| (number, 1)).collect();
        expected.extend([(16, 6), (32, 16), (64, 32)]);
        assert_eq!(reported(&mut thinning, 100, clock::now()), expected);
        let unreported: u64 =
            thinning.take_unreported().iter().map(|unreported| unreported.count).sum();
        assert_eq!(unreported, 36, "reports and rest are exactly all occurrences");
        assert!(thinning.take_unreported().is_empty(), "nothing is reported twice");
    }

    #[test]
    fn stack_that_keeps_failing_is_reported_every_ten_minutes() {
        let mut thinning = Thinning::default();
        let start = clock::now();
        reported(&mut thinning, 17, start);
        let later = start + AT_LEAST_EVERY;
        assert_eq!(thinning.count(StackKey(7), later).0.map(|due| due.count), Some(2));
        assert_eq!(thinning.count(StackKey(7), later).0, None);
    }

    #[test]
    fn oldest_stack_is_evicted_and_its_remaining_count_reported() {
        let mut thinning = Thinning::default();
        let now = clock::now();
        for stack in 0..MAX_STACKS as u64 {
            for _ in 0..12 {
                thinning.count(StackKey(stack), now);
                thinning.keep(StackKey(stack), &Arc::default());
            }
        }
        thinning.count(StackKey(0), now);
        let (_, forgotten) = thinning.count(StackKey(1_000_000), now);
        assert_eq!(
            forgotten.map(|unreported| unreported.count),
            Some(2),
            "stack 1 had two unreported"
        );
        assert_eq!(thinning.stacks.len(), MAX_STACKS);
        assert!(thinning.stacks.contains_key(&StackKey(0)), "it was seen again");
    }

    #[test]
    fn count_without_an_event_waits_for_one_or_for_eviction() {
        let mut thinning = Thinning::default();
        for _ in 0..12 {
            thinning.count(StackKey(7), clock::now());
        }
        assert!(thinning.take_unreported().is_empty(), "there is no event to report it with");
        let unreported = thinning.forget();
        assert!(
            matches!(unreported[..], [Unreported { event: None, count: 2, .. }]),
            "{unreported:?}"
        );
    }
}
