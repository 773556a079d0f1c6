//! The only place in the binding that reads the clock.
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::statics::known;

/// The current time of a monotonic clock.
#[expect(clippy::disallowed_methods, reason = "a client has no server clock to be passed in")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time of day, for comparison with file times.
#[expect(clippy::disallowed_methods, reason = "a client has no server clock to be passed in")]
pub(crate) fn wall() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// CPU time that this thread may use from now on, so that nothing seems slow because the machine is
/// busy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    /// The earliest time at which it can be used up: checked first, because that is fast.
    until: Instant,
    used_until: f64,
}

impl Allowance {
    pub(crate) fn new(py: Python<'_>, time: Duration) -> Self {
        Self { until: now() + time, used_until: used(py) + time.as_secs_f64() }
    }

    /// Does work that does not count against the allowance.
    pub(crate) fn spare<T>(&mut self, py: Python<'_>, work: impl FnOnce() -> T) -> T {
        let (at, used_before) = (now(), used(py));
        let done = work();
        self.until += now() - at;
        self.used_until += used(py) - used_before;
        done
    }

    pub(crate) fn is_left(&self, py: Python<'_>) -> bool {
        now() <= self.until || used(py) <= self.used_until
    }
}

/// CPU seconds that this thread has used.
fn used(py: Python<'_>) -> f64 {
    let used = known!("time", "thread_time").get(py).and_then(|time| time.call0()?.extract());
    used.unwrap_or(0.0)
}
