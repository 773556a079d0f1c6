//! The time, handed to whoever needs it: only here the system's clock is read.
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

/// Tells the time in milliseconds since 1970 UTC.
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
                #[expect(clippy::disallowed_methods, reason = "the one place that may")]
                let now = SystemTime::now();
                let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
            Source::Fixed(at) => at.load(Ordering::Relaxed),
        }
    }

    /// Moves a fixed clock on; does nothing to the system's.
    pub fn advance(&self, milliseconds: i64) {
        if let Source::Fixed(at) = &self.0 {
            at.fetch_add(milliseconds, Ordering::Relaxed);
        }
    }
}

/// From when on it is measured how long something takes, which a clock that is set must not change;
/// tests can stop and advance it.
#[expect(clippy::disallowed_methods, reason = "nobody has to agree with it on the time")]
pub fn since_now() -> Instant {
    Instant::now()
}
