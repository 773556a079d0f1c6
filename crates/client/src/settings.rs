//! What a program decides once.
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::authorities::Authorities;
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
    /// Calls what it is given, which starts the thread that sends. A thread inherits which signals
    /// it takes: what has to see those of the program itself holds them back meanwhile.
    pub start: fn(&mut dyn FnMut()),
    /// Certificates (PEM) of authorities that are trusted instead of those of the machine.
    pub authorities: Option<Authorities>,
    /// The modules of the program, read by the thread that sends.
    pub modules: Option<Modules>,
}

/// Where the modules of a program are, and how they are found there.
#[derive(Debug, Clone)]
pub struct Modules {
    /// Folders that are looked through.
    pub folders: Vec<PathBuf>,
    /// Versions by name.
    pub find: fn(&[PathBuf]) -> BTreeMap<String, String>,
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
    /// What runs it, e.g. `CPython 3.13.0 on linux x86_64`.
    pub runtime: String,
    /// The command line.
    pub arguments: Vec<String>,
}
