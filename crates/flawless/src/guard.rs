//! The client of the process: made once, and ended with the program.
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use flawless_client::{
    Client, Endpoint, EndpointError, Program, QueueBounds, Settings, running_revision,
};
use flawless_redact::{RedactError, Redactor, Rules};

use crate::options::Options;
use crate::panics;

static CLIENT: RwLock<Option<Arc<Client>>> = RwLock::new(None);

/// Time for connecting, for sending, and for the answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Why nothing can be reported.
#[derive(Debug)]
#[non_exhaustive]
pub enum InitError {
    /// The address is wrong.
    Dsn(EndpointError),
    /// A name of secrets is not a regular expression.
    Redaction(RedactError),
}

impl std::fmt::Display for InitError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Dsn(error) => write!(f, "{error}"),
            Self::Redaction(error) => write!(f, "redact_names: {error}"),
        }
    }
}

impl std::error::Error for InitError {}

/// Reports as long as it lives. Dropping it waits until everything is sent, for
/// [`Options::shutdown_timeout`] at most.
#[derive(Debug)]
#[must_use = "reports are sent for as long as it lives: bind it to a name in main"]
pub struct Guard {
    client: Option<Arc<Client>>,
    shutdown_timeout: Duration,
}

/// Begins to report. A later call takes over what the first one has not sent yet.
///
/// # Errors
/// The address is wrong, or a name of secrets is not a regular expression.
pub fn init(options: Options) -> Result<Guard, InitError> {
    let dsn = options.dsn.clone().or_else(|| variable("FLAWLESS_DSN")).filter(|it| !it.is_empty());
    let shutdown_timeout = options.shutdown_timeout;
    let Some(dsn) = dsn else { return Ok(Guard { client: None, shutdown_timeout }) };
    // A server without HTTP is named by its host and port alone.
    let endpoint = match dsn.contains("://") {
        true => Endpoint::from_dsn(&dsn),
        false => Endpoint::from_hostport(&dsn),
    };
    let endpoint = endpoint.map_err(InitError::Dsn)?;
    let rules = Rules { extra_names: options.redact_names.clone(), ..Rules::default() };
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let redactor = Redactor::new(&rules, environment).map_err(InitError::Redaction)?;
    let is_reporting_panics = options.panics;
    let client = Arc::new(Client::new(Settings {
        servers: vec![endpoint],
        program: program(options),
        redactor: Arc::new(redactor),
        queue: QueueBounds::default(),
        timeout: TIMEOUT,
        start: |start| start(),
        authorities: None,
        modules: None,
    }));
    let before = CLIENT.write().unwrap_or_else(PoisonError::into_inner).replace(client.clone());
    if let Some(before) = before {
        client.take_over(&before);
    }
    if is_reporting_panics {
        panics::install();
    }
    Ok(Guard { client: Some(client), shutdown_timeout })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn program(options: Options) -> Program {
    let (name, commit) = match options.release {
        Some(release) => (Some(release.name), release.commit),
        None => (None, None),
    };
    // A program that was built elsewhere says itself what it is; one in a checkout is of that.
    let folders = || -> Vec<PathBuf> {
        let program = std::env::current_exe().ok();
        program
            .as_deref()
            .and_then(std::path::Path::parent)
            .map(PathBuf::from)
            .into_iter()
            .collect()
    };
    let revision = commit.or_else(|| running_revision(variable, &folders())).or(name);
    let hostname = options.hostname.or_else(|| hostname::get().ok()?.into_string().ok());
    Program {
        hostname: hostname.unwrap_or_default(),
        revision,
        environment: options.environment.or_else(|| variable("FLAWLESS_ENVIRONMENT")),
        runtime: format!("Rust on {} {}", std::env::consts::OS, std::env::consts::ARCH),
        arguments: std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect(),
    }
}

/// The client, while there is one.
pub(crate) fn client() -> Option<Arc<Client>> {
    CLIENT.read().unwrap_or_else(PoisonError::into_inner).clone()
}

impl Guard {
    /// Sends everything that waits. Returns whether all of it arrived within the limit.
    pub fn flush(&self, limit: Duration) -> bool {
        self.client.as_ref().is_none_or(|client| client.flush(limit))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        client.flush(self.shutdown_timeout);
        let mut current = CLIENT.write().unwrap_or_else(PoisonError::into_inner);
        // A later `init` may have made another one.
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, &client)) {
            *current = None;
        }
    }
}
