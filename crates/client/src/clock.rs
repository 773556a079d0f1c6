//! The only place in the client that reads the clock.
use std::time::Instant;

/// The current time of a monotonic clock.
#[expect(clippy::disallowed_methods, reason = "a client has no server clock to be passed in")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
