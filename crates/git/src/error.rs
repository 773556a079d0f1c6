//! Errors of reading a repository.
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
        /// The reason.
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
    /// It printed more than the limit.
    #[error("{command} printed more than {limit} bytes")]
    TooLarge {
        /// The program, and the subcommand of git.
        command: String,
        /// The limit.
        limit: usize,
    },
    /// It failed; the message has its output, credentials hidden.
    #[error("{command} failed: {message}")]
    Failed {
        /// The program, and the subcommand of git.
        command: String,
        /// The last lines it wrote to standard error.
        message: String,
    },
    /// Its answer has an unknown format.
    #[error("{command} gave an unexpected answer: {message}")]
    Unexpected {
        /// The program, and the subcommand of git.
        command: String,
        /// What was unexpected.
        message: String,
    },
    /// The commit has no such file, or the file has no such line.
    #[error("{0}")]
    NoSuchLine(String),
    /// The folder is not a git repository.
    #[error("{} is not a git repository", .0.display())]
    NotARepository(PathBuf),
    /// The repository has no commit, or no branch that matches.
    #[error("{0}")]
    NoTip(String),
    /// A file named in the configuration cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// The path of the file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A file next to the repository cannot be written.
    #[error("{} cannot be written: {source}", path.display())]
    Write {
        /// The path of the file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}
