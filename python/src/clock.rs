//! The only place of the binding that reads the clock.
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use crate::raw::known;

/// Now, on a clock that never goes back.
#[expect(clippy::disallowed_methods, reason = "a client has no server's clock to be given")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The time of day, for what is compared with the times of files.
#[expect(clippy::disallowed_methods, reason = "a client has no server's clock to be given")]
pub(crate) fn wall() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// Time of a processor that this thread may use from now on: what is judged by it does not look slow
/// because the machine is busy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowance {
    /// So long has passed at least when it is used up: asked first, because that is quick.
    until: Instant,
    used_until: f64,
}

impl Allowance {
    pub(crate) fn new(py: Python<'_>, time: Duration) -> Self {
        Self { until: now() + time, used_until: used(py) + time.as_secs_f64() }
    }

    /// Does work that is not judged by it; the same is left afterwards.
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

/// Seconds that this thread has used.
fn used(py: Python<'_>) -> f64 {
    let used = known!("time", "thread_time").get(py).and_then(|time| time.call0()?.extract());
    used.unwrap_or(0.0)
}
