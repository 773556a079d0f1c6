//! How often the mirror of the repository is brought up to date.
use std::time::Duration;

/// Times between two attempts.
#[derive(Debug, Clone, Copy)]
pub struct MirrorIntervals {
    /// Between two fetches: `repo_fetch_interval`.
    pub fetch: Duration,
    /// At least between two fetches that reports ask for.
    pub asked: Duration,
    /// Between two looks at a folder that somebody else keeps up to date.
    pub folder: Duration,
    /// After a clone or an open that failed.
    pub after_failure: Duration,
}

impl Default for MirrorIntervals {
    fn default() -> Self {
        Self {
            fetch: Duration::from_secs(300),
            asked: Duration::from_secs(10),
            folder: Duration::from_secs(5),
            after_failure: Duration::from_secs(15),
        }
    }
}
