//! Limits the time that the user's own patterns take for one report. A backtracking pattern can
//! take seconds for one value, which would hold up the program.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The limit for all patterns and all texts of a report, while no pattern is slow.
const LIMIT: Duration = Duration::from_millis(200);
/// How often the limit is halved when it is hit repeatedly. After that the pattern only searches
/// short texts, and reports continue.
const HALVED: u32 = 3;
/// Below this many bytes no pattern is slow.
const SHORT: usize = 512;
/// When only short texts are searched, one in this many reports is searched as a whole, because the
/// pattern may no longer be slow.
const TRIED_AGAIN: u32 = 64;

/// A pattern, identified by its list and its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Slow {
    Name(usize),
    Value(usize),
}

/// How often the limit was hit recently, and by which pattern.
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

    /// Records whether a report hit the limit.
    pub(super) fn note(&self, budget: &Budget) {
        if !budget.is_used.get() {
            return;
        }
        // Of two simultaneous reports one may be missed; that only affects the limit of the next.
        let hits = self.hits.load(Ordering::Relaxed);
        if budget.is_spent.get() {
            *self.slow.lock().unwrap_or_else(PoisonError::into_inner) = budget.slow.get();
            self.hits.store((hits + 1).min(HALVED + 1), Ordering::Relaxed);
        } else if hits > 0 && budget.only_short.is_none() {
            self.hits.store(hits - 1, Ordering::Relaxed);
        }
    }
}

/// The time left for a report, and the pattern that used it up or gave up by itself.
#[derive(Debug)]
pub(super) struct Budget {
    left: Cell<Duration>,
    /// The pattern that only searches short texts.
    only_short: Option<Slow>,
    is_used: Cell<bool>,
    is_spent: Cell<bool>,
    slow: Cell<Option<Slow>>,
}

/// The budget is used up.
#[derive(Debug)]
pub(super) struct Spent;

impl Budget {
    pub(super) fn slow(&self) -> Option<Slow> {
        self.slow.get()
    }

    /// Whether at least this much time is left.
    pub(super) fn affords(&self, time: Duration) -> bool {
        time <= self.left.get()
    }

    /// Whether the pattern may search a text of this many bytes.
    pub(super) fn may_ask(&self, pattern: Slow, length: usize) -> bool {
        length <= SHORT || self.only_short != Some(pattern)
    }

    /// Uses up the budget: the pattern took too long, or would.
    pub(super) fn spend(&self, pattern: Slow) -> Spent {
        self.is_spent.set(true);
        self.name(pattern);
        Spent
    }

    /// Notes that the pattern left a text unsearched; others still run.
    pub(super) fn name(&self, pattern: Slow) {
        if self.slow.get().is_none() {
            self.slow.set(Some(pattern));
        }
    }

    /// Does a part of a pattern's work and measures it.
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

/// CPU time of this thread, so that no pattern seems slow because the machine is busy.
#[cfg(unix)]
fn used() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Elapsed time, on platforms without such a clock.
#[cfg(not(unix))]
#[expect(clippy::disallowed_methods, reason = "a pattern takes real time")]
fn used() -> Duration {
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed()
}
