//! The only place of the crate that reads the clock: it measures how long something was, which a
//! clock that is set must not change.
use tokio::time::Instant;

/// Now; tests can stop and advance it.
#[expect(clippy::disallowed_methods, reason = "nobody has to agree with it on the time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
