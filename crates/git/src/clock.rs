//! The only place in the crate that reads the clock: it measures durations, which must not change
//! when the clock is set.
use tokio::time::Instant;

/// The current time; tests can stop and advance it.
#[expect(clippy::disallowed_methods, reason = "it measures durations only")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
