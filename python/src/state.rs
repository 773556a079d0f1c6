//! The client of this process and its setup.
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use flawless_client::{Authorities, Client, Endpoint, Modules, Program, QueueBounds, Settings};
use flawless_redact::{Redactor, Rules};
use pyo3::exceptions::{PyRuntimeWarning, PyValueError};
use pyo3::prelude::*;

use crate::modules;
use crate::names;
use crate::raw;
use crate::statics::name;

/// The accumulated setup from `init`, `set_hostports` and `install_scrubbers`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    pub(crate) servers: Vec<Endpoint>,
    /// `init` was deliberately given no server: nothing is reported, and no warning is given.
    pub(crate) is_off: bool,
    pub(crate) module_folders: Vec<PathBuf>,
    pub(crate) authorities: Option<Authorities>,
    pub(crate) program: Program,
    /// The rules of the last `init`.
    pub(crate) rules: Rules,
    /// Names from `install_scrubbers`; a later `init` does not remove them.
    pub(crate) scrubbers: Vec<String>,
    pub(crate) queue: QueueBounds,
    pub(crate) timeout: Option<Duration>,
}

#[derive(Debug, Default)]
struct State {
    setup: Setup,
    client: Option<Arc<Client>>,
    process: u32,
    has_warned: bool,
}

/// Locked only while the interpreter is held, and never while it runs code, so that no thread can
/// hold the lock when the program forks.
static STATE: Mutex<Option<State>> = Mutex::new(None);
static PACKAGE: OnceLock<String> = OnceLock::new();

/// As in 0.4.5.
const TIMEOUT: Duration = Duration::from_secs(2);

fn with<T>(work: impl FnOnce(&mut State) -> T) -> T {
    work(STATE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// The folder of this package, whose frames are not the program's.
pub(crate) fn package_folder() -> &'static str {
    PACKAGE.get().map_or("\0", String::as_str)
}

pub(crate) fn set_package_folder(folder: String) {
    let _ = PACKAGE.set(folder);
}

/// Changes the setup and creates a new client.
pub(crate) fn change(work: impl FnOnce(&mut Setup)) -> PyResult<()> {
    let mut setup = with(|state| state.setup.clone());
    work(&mut setup);
    let client = make(&setup)?;
    names::forget();
    let process = std::process::id();
    let (old, is_parents) = with(|state| {
        state.setup = setup;
        let is_parents = std::mem::replace(&mut state.process, process) != process;
        (std::mem::replace(&mut state.client, client), is_parents)
    });
    match is_parents {
        true => std::mem::forget(old),
        // The old client's counts and waiting reports are not lost.
        false => {
            if let (Some(old), Some(new)) = (&old, existing_client()) {
                new.take_over(old);
            }
        }
    }
    Ok(())
}

fn make(setup: &Setup) -> PyResult<Option<Arc<Client>>> {
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let mut rules = setup.rules.clone();
    rules.extra_names.extend_from_slice(&setup.scrubbers);
    let redactor = Redactor::new(&rules, environment);
    let redactor = redactor.map_err(|error| PyValueError::new_err(error.to_string()))?;
    if setup.servers.is_empty() {
        return Ok(None);
    }
    Ok(Some(Arc::new(Client::new(Settings {
        servers: setup.servers.clone(),
        program: setup.program.clone(),
        redactor: Arc::new(redactor),
        queue: setup.queue,
        timeout: setup.timeout.unwrap_or(TIMEOUT),
        authorities: setup.authorities.clone(),
        modules: Some(Modules { folders: setup.module_folders.clone(), find: modules::find }),
        start: raw::without_signals,
    }))))
}

/// The client, once a server is known. After a fork the child gets its own: the parent's thread
/// does not exist there, and its locks may be held forever.
pub(crate) fn client(py: Python<'_>) -> Option<Arc<Client>> {
    let process = std::process::id();
    let (client, owner) = with(|state| (state.client.clone(), state.process));
    if client.is_none() || owner == process {
        return client;
    }
    std::mem::forget(client);
    change(|_| ()).ok()?;
    // A multiprocessing child ends without running exit handlers.
    let _ = raw::module(name!(py, "flawless._exit"))
        .and_then(|exit| exit.call_method0(name!(py, "in_new_process")));
    existing_client()
}

/// The client, if there is one; does not create it.
pub(crate) fn existing_client() -> Option<Arc<Client>> {
    let process = std::process::id();
    with(|state| state.client.clone().filter(|_| state.process == process))
}

pub(crate) fn is_set_up() -> bool {
    with(|state| state.client.is_some())
}

/// Warns of a problem, once per process.
pub(crate) fn warn_of_client(py: Python<'_>, client: &Client) {
    if let Some(warning) = client.take_warning() {
        warn(py, &warning);
    }
}

/// Warns once that no server is known.
pub(crate) fn warn_not_set_up(py: Python<'_>) {
    let is_said =
        |state: &mut State| state.setup.is_off || std::mem::replace(&mut state.has_warned, true);
    if !with(is_said) {
        warn(py, "no server is known, so errors are not reported. Call flawless.init(dsn) first");
    }
}

fn warn(py: Python<'_>, text: &str) {
    let category = py.get_type::<PyRuntimeWarning>();
    let told = (format!("flawless: {text}"), category).into_pyobject(py);
    let warn =
        raw::module(name!(py, "warnings")).and_then(|warnings| warnings.getattr(name!(py, "warn")));
    // The program may have replaced the function.
    let _ = warn.and_then(|warn| raw::call(&warn, &told?));
}

/// Forgets the stacks that were seen.
pub(crate) fn forget_stacks() {
    if let Some(client) = existing_client() {
        client.forget_stacks();
    }
}
