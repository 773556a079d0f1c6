//! What can go wrong when a repository is read.
use std::path::PathBuf;
use std::time::Duration;

/// Why git gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program cannot be started.
    #[error("{program} cannot be started: {source}")]
    Start {
        /// The program as configured.
        program: String,
        /// Why not.
        source: std::io::Error,
    },
    /// It ran longer than allowed and was stopped.
    #[error("{command} took longer than {limit:?} and was stopped")]
    TimedOut {
        /// The program, and the subcommand of git.
        command: String,
        /// The limit.
        limit: Duration,
    },
    /// It printed more than we are ready to hold.
    #[error("{command} printed more than {limit} bytes")]
    TooLarge {
        /// The program, and the subcommand of git.
        command: String,
        /// The limit.
        limit: usize,
    },
    /// It failed; these are its words, credentials hidden.
    #[error("{command} failed: {message}")]
    Failed {
        /// The program, and the subcommand of git.
        command: String,
        /// The last lines it wrote to standard error.
        message: String,
    },
    /// It answered something we do not understand.
    #[error("{command} answered something unexpected: {message}")]
    Unexpected {
        /// The program, and the subcommand of git.
        command: String,
        /// What was odd.
        message: String,
    },
    /// The commit has no such file, or the file has no such line.
    #[error("{0}")]
    NoSuchLine(String),
    /// The folder is not a git repository.
    #[error("{} is not a git repository", .0.display())]
    NotARepository(PathBuf),
    /// There is nothing to blame in: no commit, or no branch that matches.
    #[error("{0}")]
    NoTip(String),
    /// A file that the configuration names cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file beside the repository cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}
