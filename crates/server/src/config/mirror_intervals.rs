//! How often the mirror of the repository is brought up to date.
use std::time::Duration;

use flawless_git::FETCH_ASKED_EVERY;

/// Times between two attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MirrorIntervals {
    /// Between two fetches: `repo_fetch_interval`.
    pub fetch: Duration,
    /// The shortest time between two fetches that reports request.
    pub asked: Duration,
    /// Between two looks at a folder that somebody else keeps up to date.
    pub folder: Duration,
    /// After a clone or an open that failed.
    pub after_failure: Duration,
}

impl MirrorIntervals {
    /// The usual ones, with this time between two fetches.
    pub fn every(fetch: Duration) -> Self {
        Self {
            fetch,
            asked: FETCH_ASKED_EVERY,
            folder: Duration::from_secs(5),
            after_failure: Duration::from_secs(15),
        }
    }
}
