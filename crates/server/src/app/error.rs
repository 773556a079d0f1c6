//! Why the server, or another command, cannot start.
use flawless_store::StoreError;

use crate::config::ConfigError;
use crate::project::keys::KeyError;

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A value of the configuration turns out to be wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rules of redaction cannot be used.
    #[error(transparent)]
    Redaction(#[from] flawless_redact::RedactError),
    /// The project's keys cannot be read.
    #[error(transparent)]
    Keys(#[from] KeyError),
}
