//! The time that the user's own patterns may take for one report. A pattern that goes back over
//! its text again and again can take seconds for one value; nobody waits for that.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// For all patterns and all texts of a report, while no pattern is slow.
const LIMIT: Duration = Duration::from_millis(200);
/// A limit that is hit again and again is halved so often. From then on the pattern is only asked
/// about short texts: reports go on.
const HALVED: u32 = 3;
/// In a text of so many bytes no pattern is slow.
const SHORT: usize = 512;
/// Of reports that only have their short texts searched, one in so many is searched as a whole:
/// it may be that the pattern is not slow any more.
const TRIED_AGAIN: u32 = 64;

/// A pattern by its list and its place in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slow {
    Name(usize),
    Value(usize),
}

/// How often the limit was hit of late, and by which pattern.
#[derive(Debug, Default)]
pub(super) struct Pace {
    hits: AtomicU32,
    reports: AtomicU32,
    slow: Mutex<Option<Slow>>,
}

impl Pace {
    pub(super) fn budget(&self) -> Budget {
        let hits = self.hits.load(Ordering::Relaxed);
        let mut budget = Budget {
            left: Cell::new(LIMIT),
            only_short: None,
            is_used: Cell::new(false),
            is_spent: Cell::new(false),
            slow: Cell::new(None),
        };
        if hits <= HALVED {
            budget.left = Cell::new(LIMIT / 2u32.pow(hits));
        } else if !self.reports.fetch_add(1, Ordering::Relaxed).is_multiple_of(TRIED_AGAIN) {
            budget.left = Cell::new(LIMIT / 2u32.pow(HALVED));
            budget.only_short = *self.slow.lock().unwrap_or_else(PoisonError::into_inner);
        }
        budget
    }

    /// Notes how a report went.
    pub(super) fn note(&self, budget: &Budget) {
        if !budget.is_used.get() {
            return;
        }
        // Of two reports at once one may be forgotten: it is only about how long the next may take.
        let hits = self.hits.load(Ordering::Relaxed);
        if budget.is_spent.get() {
            *self.slow.lock().unwrap_or_else(PoisonError::into_inner) = budget.slow.get();
            self.hits.store((hits + 1).min(HALVED + 1), Ordering::Relaxed);
        } else if hits > 0 && budget.only_short.is_none() {
            self.hits.store(hits - 1, Ordering::Relaxed);
        }
    }
}

/// What is left for a report, and the pattern that took the last of it or gave up by itself.
#[derive(Debug)]
pub(super) struct Budget {
    left: Cell<Duration>,
    /// The pattern that is only asked about short texts.
    only_short: Option<Slow>,
    is_used: Cell<bool>,
    is_spent: Cell<bool>,
    slow: Cell<Option<Slow>>,
}

/// Nothing is left.
#[derive(Debug)]
pub(super) struct Spent;

impl Budget {
    pub(super) fn slow(&self) -> Option<Slow> {
        self.slow.get()
    }

    /// Whether so much more would be left.
    pub(super) fn affords(&self, time: Duration) -> bool {
        time <= self.left.get()
    }

    /// Whether the pattern may be asked about a text of so many bytes.
    pub(super) fn may_ask(&self, pattern: Slow, length: usize) -> bool {
        length <= SHORT || self.only_short != Some(pattern)
    }

    /// The pattern took too long, or would.
    pub(super) fn spend(&self, pattern: Slow) -> Spent {
        self.is_spent.set(true);
        self.name(pattern);
        Spent
    }

    /// The pattern left a text unsearched; others are still asked.
    pub(super) fn name(&self, pattern: Slow) {
        if self.slow.get().is_none() {
            self.slow.set(Some(pattern));
        }
    }

    /// Does a bit of a pattern's work; answers how long it took.
    pub(super) fn take<T>(
        &self,
        pattern: Slow,
        work: impl FnOnce() -> T,
    ) -> Result<(T, Duration), Spent> {
        if self.is_spent.get() {
            return Err(Spent);
        }
        self.is_used.set(true);
        let start = used();
        let done = work();
        let took = used().saturating_sub(start);
        match self.left.get().checked_sub(took) {
            Some(left) => self.left.set(left),
            None => return Err(self.spend(pattern)),
        }
        Ok((done, took))
    }
}

/// Time of a processor that this thread has used: no pattern is slow because the machine is busy.
#[cfg(unix)]
fn used() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Where no such clock is known, the time that has passed.
#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "what a pattern takes is real time")]
fn used() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}
