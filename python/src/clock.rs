//! The only place of the binding that reads the clock.
use std::time::Instant;

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

/// Seconds of a processor that this thread has used: what is judged by them does not look slow
/// because the machine is busy.
pub(crate) fn cpu(py: Python<'_>) -> f64 {
    let used = known!("time", "thread_time").get(py).and_then(|time| time.call0()?.extract());
    used.unwrap_or(0.0)
}
