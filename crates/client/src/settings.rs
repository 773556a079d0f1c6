//! What a program decides once.
use std::sync::Arc;
use std::time::Duration;

use crate::endpoint::Endpoint;
use crate::queue::QueueBounds;
use flawless_redact::Redactor;

/// All a client needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At least one; a report goes to one of them.
    pub servers: Vec<Endpoint>,
    /// What all reports have in common.
    pub program: Program,
    /// What never leaves the process.
    pub redactor: Arc<Redactor>,
    /// What may wait while no server takes reports.
    pub queue: QueueBounds,
    /// For a server to take a connection, a report, and to answer: each.
    pub timeout: Duration,
}

/// The program that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// The host it runs on.
    pub hostname: String,
    /// The revision it was built from.
    pub revision: Option<String>,
    /// E.g. `production`.
    pub environment: Option<String>,
}
