//! Settings that a program chooses once.
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::authorities::Authorities;
use crate::endpoint::Endpoint;
use crate::queue::QueueBounds;
use flawless_redact::Redactor;

/// Everything a client needs to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// At least one; a report goes to one of them.
    pub servers: Vec<Endpoint>,
    /// Common to all reports.
    pub program: Program,
    /// Removes secrets, which never leave the process.
    pub redactor: Arc<Redactor>,
    /// Bounds of the queue while no server takes reports.
    pub queue: QueueBounds,
    /// Timeout for each of three steps: connecting to a server, sending a report, and the answer.
    pub timeout: Duration,
    /// Calls its argument, which starts the sending thread. A thread inherits its signal mask, so a
    /// binding whose program must see its own signals blocks them during the call.
    pub start: fn(&mut dyn FnMut()),
    /// Authorities that are trusted instead of those of the machine.
    pub authorities: Option<Authorities>,
    /// The modules of the program, read by the sending thread.
    pub modules: Option<Modules>,
}

/// Where the modules of a program are, and how they are found there.
#[derive(Debug, Clone)]
pub struct Modules {
    /// Folders to search.
    pub folders: Vec<PathBuf>,
    /// Returns versions by module name.
    pub find: fn(&[PathBuf]) -> BTreeMap<String, String>,
}

/// The running program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// The host it runs on.
    pub hostname: String,
    /// The revision it was built from.
    pub revision: Option<String>,
    /// E.g. `production`.
    pub environment: Option<String>,
    /// Its interpreter and platform, e.g. `CPython 3.13.0 on linux x86_64`.
    pub runtime: String,
    /// The command line.
    pub arguments: Vec<String>,
}
