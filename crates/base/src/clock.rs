//! The time, passed to the code that needs it: only here the system's clock is read.
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Returns the time in milliseconds since 1970 UTC.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Fixed(Arc<AtomicI64>),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until [`Clock::advance`].
    pub fn fixed(at: i64) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(at))))
    }

    /// Milliseconds since 1970 UTC.
    pub fn now(&self) -> i64 {
        match &self.0 {
            Source::System => {
                #[expect(clippy::disallowed_methods, reason = "only this reads the clock")]
                let now = SystemTime::now();
                let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
            Source::Fixed(at) => at.load(Ordering::Relaxed),
        }
    }

    /// Advances a fixed clock; has no effect on the system's.
    pub fn advance(&self, milliseconds: i64) {
        if let Source::Fixed(at) = &self.0 {
            at.fetch_add(milliseconds, Ordering::Relaxed);
        }
    }
}

/// Start of a measured duration, which must not change when the clock is set; tests can stop and
/// advance it.
#[expect(clippy::disallowed_methods, reason = "it measures durations only")]
pub fn since_now() -> Instant {
    Instant::now()
}
