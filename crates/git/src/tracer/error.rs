//! Why the tracer gives no answer; the git program is asked instead.

/// Why the tracer gives no answer.
#[derive(Debug, thiserror::Error)]
pub enum TraceError {
    /// A kind of repository that it cannot read.
    #[error("the tracer cannot read {0}")]
    Unsupported(&'static str),
    /// The commit has no such file.
    #[error("there is no file {path} in {commit}")]
    NoSuchFile {
        /// The commit.
        commit: String,
        /// The path in printable form.
        path: String,
    },
    /// The file has fewer lines.
    #[error("the file has only {lines} lines")]
    NoSuchLine {
        /// The number of its lines.
        lines: u32,
    },
    /// An object is missing.
    #[error("object {0} is missing")]
    Missing(gix_hash::ObjectId),
    /// An object or a file of git's is malformed.
    #[error("{0}")]
    Corrupt(String),
    /// An object is larger than the limit.
    #[error("object {0} is too large")]
    TooLarge(gix_hash::ObjectId),
    /// The caller no longer waits.
    #[error("stopped")]
    Stopped,
    /// A file of git's cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The path of the file.
        path: std::path::PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}

impl TraceError {
    pub(super) fn corrupt(what: impl std::fmt::Display) -> Self {
        Self::Corrupt(what.to_string())
    }
}
