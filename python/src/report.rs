//! The functions that Python calls to report an exception. None of them raises.
use std::time::Duration;

use flawless_client::{Around, Event, Frame, Source};
use pyo3::exceptions::{
    PyException, PyGeneratorExit, PyKeyboardInterrupt, PyStopAsyncIteration, PyStopIteration,
    PySystemExit,
};
use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::around::{MakeRequest, Printing, made};
use crate::clock::Allowance;
use crate::exception::Capture;
use crate::raw;
use crate::sighting::{Sighting, observer, remember, sighting};
use crate::stack::{self, Key, Place};
use crate::statics::name;
use crate::{before_send, ending, related, state, wishes};

/// A row of `traceback.extract_stack`: path, line, function, text.
type Row = (String, i64, String, Option<String>);

/// Time for printing the context.
const PRINTING: Duration = Duration::from_millis(10);

/// The details reported with the exception.
#[derive(Debug, Default)]
struct Beside<'py> {
    hostname: Option<String>,
    error_threshold: Option<i64>,
    additional_info: String,
    request: Option<MakeRequest<'py>>,
    preceding_stack: Option<Vec<Row>>,
    without_callers: bool,
    mechanism: String,
    handled: Option<bool>,
}

/// Reports an exception caught by a wrapper, unless it was reported before or is not an error.
/// Returns whether the wrapper must raise it again regardless of its options.
#[pyfunction]
#[pyo3(signature = (error, error_threshold, save_current_stack_trace))]
pub(crate) fn caught(
    error: &Bound<'_, PyAny>,
    error_threshold: &Bound<'_, PyAny>,
    save_current_stack_trace: bool,
) -> bool {
    ending::call(false, || is_to_be_raised(error, error_threshold, save_current_stack_trace))
}

fn is_to_be_raised(
    error: &Bound<'_, PyAny>,
    error_threshold: &Bound<'_, PyAny>,
    save_current_stack_trace: bool,
) -> bool {
    if is_flow_control(error) {
        return true;
    }
    let error_threshold = error_threshold.extract().ok();
    let traceback = raw::traceback_of(error);
    let without_callers = !save_current_stack_trace;
    let mechanism = "wrapper".to_owned();
    let beside = Beside { error_threshold, without_callers, mechanism, ..Beside::default() };
    report_unless_seen(error, traceback.clone(), beside);
    take_ours_off(error, traceback);
    false
}

/// Reports an exception, unless it was reported before. The function that makes the request is
/// called only if the exception is sent.
#[pyfunction]
#[pyo3(signature = (error, additional_info, request, error_threshold, mechanism, handled))]
pub(crate) fn capture(
    error: &Bound<'_, PyAny>,
    additional_info: Option<String>,
    request: Option<MakeRequest<'_>>,
    error_threshold: Option<i64>,
    mechanism: String,
    handled: bool,
) {
    let beside = Beside {
        additional_info: additional_info.unwrap_or_default(),
        request,
        error_threshold,
        mechanism,
        handled: Some(handled),
        ..Beside::default()
    };
    ending::call((), || {
        let traceback = raw::traceback_of(error);
        report_unless_seen(error, traceback.clone(), beside);
        take_ours_off(error, traceback);
    });
}

/// `record_error` of 0.4.5: reports anything it is given.
#[pyfunction]
#[pyo3(signature = (kind, error, traceback, hostname, preceding_stack, error_threshold, additional_info))]
pub(crate) fn record<'py>(
    kind: Bound<'py, PyType>,
    error: &Bound<'py, PyAny>,
    traceback: Option<Bound<'py, PyAny>>,
    hostname: Option<String>,
    preceding_stack: Option<Vec<Row>>,
    error_threshold: Option<i64>,
    additional_info: Option<String>,
) {
    let additional_info = additional_info.unwrap_or_default();
    let beside =
        Beside { hostname, error_threshold, additional_info, preceding_stack, ..Beside::default() };
    ending::call((), || {
        let places = stack::traceback(traceback.clone());
        report_one(error, kind, places, beside);
        remember(error, traceback.as_ref(), observer(error.py()), None);
    });
}

/// Reports an exception, unless this raise of it was reported before.
fn report_unless_seen<'py>(
    error: &Bound<'py, PyAny>,
    traceback: Option<Bound<'py, PyAny>>,
    beside: Beside<'py>,
) {
    let by = observer(error.py());
    let (known, places) = match sighting(error, traceback.as_ref(), by) {
        Sighting::Seen(_) if traceback.is_none() => return,
        Sighting::Seen(before) => (before, None),
        Sighting::HandedOn => (None, None),
        Sighting::First => (None, Some(stack::traceback(traceback.clone()))),
        Sighting::Again(places) => (None, Some(places)),
    };
    // Done before reporting, because other threads may see the same exception meanwhile.
    remember(error, traceback.as_ref(), by, known);
    if let Some(places) = places {
        report_one(error, error.get_type(), places, beside);
    }
}

fn report_one<'py>(
    error: &Bound<'py, PyAny>,
    kind: Bound<'py, PyType>,
    mut places: Vec<Place<'py>>,
    beside: Beside<'py>,
) {
    let py = error.py();
    let Some(client) = state::client(py) else {
        state::warn_not_set_up(py);
        return;
    };
    if wishes::ignores(&kind) {
        return;
    }
    let mut callers = match (places.is_empty(), beside.without_callers) {
        (true, _) => stack::callers(current_frame(py), stack::INNERMOST),
        (false, true) => Vec::new(),
        (false, false) if beside.preceding_stack.is_some() => Vec::new(),
        (false, false) => stack::callers(stack::caller_of(&places), stack::INNERMOST),
    };
    let mut key = Key::default();
    key.callers(&callers);
    key.places(&places);
    key.object(kind.as_any());
    related::add_to(&mut key, error);
    let Some(owed) = client.occurred(key.finish()) else { return };
    let before = beside.preceding_stack.into_iter().flatten().map(row_frame).collect();
    callers.reverse();
    callers.append(&mut places);
    let type_name = crate::passive::full_type_name(&kind);
    let redactor = &client.settings().redactor;
    let (exception, chain) = Capture::new(py, redactor).all(error, type_name, (before, callers));
    let printing = Printing { allowance: Allowance::new(py, PRINTING), redactor };
    let (around, request) = printing.around(py);
    let event = Event {
        exception,
        chain,
        error_threshold: beside.error_threshold,
        additional_info: beside.additional_info,
        request: beside.request.and_then(|make| made(py, &make)).or(request),
        hostname: beside.hostname,
        around: Around { handled: beside.handled, mechanism: beside.mechanism, ..around },
    };
    match before_send::ask(error, event, &printing) {
        Some(event) => owed.report(event),
        None => owed.withdraw(),
    }
    state::warn_of_client(py, &client);
}

fn row_frame((path, line, function, text): Row) -> Frame {
    let text = text.unwrap_or_default();
    Frame {
        path: path.into(),
        line: u32::try_from(line).unwrap_or(0),
        function: function.into(),
        source: Source::Line(text),
        locals: None,
    }
}

fn current_frame(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let sys = raw::module(name!(py, "sys")).ok()?;
    sys.call_method0(name!(py, "_getframe")).ok()
}

/// Whether an exception is the orderly end of a program, a generator or a task.
fn is_flow_control(error: &Bound<'_, PyAny>) -> bool {
    if error.is_instance_of::<PyException>() {
        return error.is_instance_of::<PyStopIteration>()
            || error.is_instance_of::<PyStopAsyncIteration>();
    }
    if error.is_instance_of::<PyKeyboardInterrupt>()
        || error.is_instance_of::<PySystemExit>()
        || error.is_instance_of::<PyGeneratorExit>()
    {
        return true;
    }
    // Those of asyncio, trio and gevent.
    let name = crate::passive::type_name(&error.get_type());
    let name = name.rsplit('.').next().unwrap_or_default();
    matches!(name, "CancelledError" | "Cancelled" | "GreenletExit")
}

/// Removes our own outermost entries from the traceback. Before 3.11 the interpreter puts them
/// back.
fn take_ours_off(error: &Bound<'_, PyAny>, traceback: Option<Bound<'_, PyAny>>) {
    let py = error.py();
    let outermost = traceback.as_ref().and_then(stack::place_of);
    if let Some(inner) = outermost.as_ref().and_then(stack::within_ours) {
        raw::set_plainly(error, name!(py, "__traceback__"), &inner.at);
    }
}
