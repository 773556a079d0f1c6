//! The only place of the client that reads the clock.
use std::time::Instant;

/// Now, on a clock that never goes back.
#[expect(clippy::disallowed_methods, reason = "a client has no server's clock to be given")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
