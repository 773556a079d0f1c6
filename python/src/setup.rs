//! The functions that Python calls to set the client up and to wait for it.
use std::path::PathBuf;
use std::time::Duration;

use flawless_client::{Authorities, Endpoint, QueueBounds, running_revision};
use flawless_redact::Redactor;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::wishes::{self, Wishes};
use crate::{ending, raw, state, unchanged};

fn value_error(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Sets everything; arguments that are not given reset to their defaults.
#[pyfunction]
#[pyo3(signature = (*, is_off, dsn, hostports, hostname, revision, environment, folders, module_folders,
    runtime, arguments, redact_names, redact_values, redact_off, ignore_classes, ignore_names,
    before_send, send_client_address, ca_file, queue_reports, queue_bytes, timeout))]
#[expect(clippy::too_many_arguments, reason = "keyword-only; checked in Python")]
pub(crate) fn init(
    is_off: bool,
    dsn: Option<&str>,
    hostports: Vec<String>,
    hostname: String,
    revision: Option<String>,
    environment: Option<String>,
    folders: Vec<PathBuf>,
    module_folders: Vec<PathBuf>,
    runtime: String,
    arguments: Vec<String>,
    redact_names: Vec<String>,
    redact_values: Vec<String>,
    redact_off: Vec<String>,
    ignore_classes: Vec<Py<PyType>>,
    ignore_names: Vec<String>,
    before_send: Option<Py<PyAny>>,
    send_client_address: bool,
    ca_file: Option<PathBuf>,
    queue_reports: usize,
    queue_bytes: usize,
    timeout: f64,
) -> PyResult<()> {
    let mut servers = Vec::new();
    if let Some(dsn) = dsn {
        servers.push(Endpoint::from_dsn(dsn).map_err(value_error)?);
    }
    for hostport in &hostports {
        servers.push(Endpoint::from_hostport(hostport).map_err(value_error)?);
    }
    let timeout = Duration::try_from_secs_f64(timeout).map_err(value_error)?;
    let authorities = ca_file
        .map(|file| Authorities::read(&file))
        .transpose()
        .map_err(|error| PyValueError::new_err(format!("flawless.init: ca_file: {error}")))?;
    let revision = match is_off {
        true => None,
        false => revision.or_else(|| revision_of(&folders)),
    };
    if is_off {
        servers.clear();
    }
    wishes::set(Wishes { ignore_classes, ignore_names, before_send, send_client_address });
    state::change(|setup| {
        setup.is_off = is_off;
        setup.servers = servers;
        setup.program.runtime = runtime;
        setup.program.arguments = arguments;
        setup.module_folders = module_folders;
        setup.authorities = authorities;
        setup.program.hostname = hostname;
        setup.program.revision = revision;
        setup.program.environment = environment;
        setup.rules.extra_names = redact_names;
        setup.rules.extra_values = redact_values;
        setup.rules.off = redact_off;
        setup.queue = QueueBounds { reports: queue_reports, bytes: queue_bytes };
        setup.timeout = Some(timeout);
    })
}

fn revision_of(folders: &[PathBuf]) -> Option<String> {
    running_revision(|name| std::env::var(name).ok(), folders)
}

/// Sets the servers, as in 0.4.5.
#[pyfunction]
pub(crate) fn set_hostports(
    hostports: Vec<String>,
    hostname: String,
    environment: Option<String>,
    folders: Vec<PathBuf>,
) -> PyResult<()> {
    let servers = hostports.iter().map(|hostport| Endpoint::from_hostport(hostport));
    let servers = servers.collect::<Result<Vec<_>, _>>().map_err(value_error)?;
    state::change(|setup| {
        setup.is_off = false;
        setup.servers = servers;
        let program = &mut setup.program;
        if program.hostname.is_empty() {
            program.hostname = hostname;
            program.revision = revision_of(&folders);
            program.environment = environment;
        }
    })
}

/// Adds names of variables that are never sent.
#[pyfunction]
pub(crate) fn install_scrubbers(variables_regex: String) -> PyResult<()> {
    state::change(|setup| {
        if !setup.scrubbers.contains(&variables_regex) {
            setup.scrubbers.push(variables_regex);
        }
    })
}

/// Sends waiting reports and counts; returns `True` when a server took all of them. Raises an
/// exception from a signal handler of the program, such as that of Ctrl-C.
#[pyfunction]
pub(crate) fn flush(py: Python<'_>, timeout: f64) -> PyResult<bool> {
    let Some(client) = state::existing_client() else { return Ok(true) };
    let limit = Duration::try_from_secs_f64(timeout.max(0.0)).unwrap_or(Duration::MAX);
    // Handlers run only in the main thread. Another thread that checked for them while the
    // interpreter shuts down would be ended within our frames.
    let may_ask = raw::is_main_thread(py);
    let mut raised = None;
    let sent = py.detach(|| {
        client.flush_while(limit, || {
            if may_ask {
                raised = Python::try_attach(|py| py.check_signals().err()).flatten();
            }
            raised.is_none()
        })
    });
    if let Some(error) = raised {
        return Err(error);
    }
    state::warn_of_client(py, &client);
    Ok(sent)
}

/// The interpreter shuts down: from now on other threads report nothing.
#[pyfunction]
pub(crate) fn end(py: Python<'_>) {
    ending::begin(py);
}

/// The process is about to fork.
#[pyfunction]
pub(crate) fn before_fork() {
    if let Some(client) = state::existing_client() {
        client.pause();
    }
}

/// Forgets the stacks that were seen, as if the program had just started.
#[pyfunction]
pub(crate) fn forget_thinning() {
    state::forget_stacks();
}

/// Whether a server is known.
#[pyfunction]
pub(crate) fn is_set_up() -> bool {
    state::is_set_up()
}

/// The names of the redaction rules that can be switched off.
#[pyfunction]
pub(crate) fn redaction_rules() -> Vec<&'static str> {
    Redactor::rule_names().collect()
}

/// Sets the folder of this package, whose frames are not the program's. Called once, at import.
#[pyfunction]
pub(crate) fn set_package_folder(py: Python<'_>, folder: String) {
    unchanged::begin(py);
    state::set_package_folder(folder);
    // PyO3 creates the names for its argument errors on first use, under a lock that a child forked
    // at that moment would wait for.
    let _ = wrap_pyfunction!(install_scrubbers, py).and_then(|function| function.call1((0,)));
}
