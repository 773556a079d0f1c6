//! Lets the program look at an event before it is sent, and change or withhold it.
use flawless_client::{Around, Breadcrumb, Event, VALUE, Values};
use pyo3::exceptions::{PyKeyboardInterrupt, PySystemExit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::around::{Printing, WebRequest, request_from};
use crate::raw;
use crate::statics::name;
use crate::{stack, wishes};

/// The event to send, or `None` if the program withholds it. If `before_send` fails, or returns
/// something that cannot be sent, the event says so instead of carrying what the function should
/// have checked.
pub(crate) fn ask(
    error: &Bound<'_, PyAny>,
    mut event: Event,
    printing: &Printing<'_>,
) -> Option<Event> {
    let py = error.py();
    let Some(before_send) = wishes::before_send(py) else { return Some(event) };
    let asked = described(py, &event)
        .and_then(|report| PyTuple::new(py, [report.as_any(), error]))
        .and_then(|arguments| raw::call(before_send.bind(py), &arguments));
    let taken = match asked {
        Ok(answer) if answer.is_none() => return None,
        Ok(answer) => answer.cast_into::<PyDict>().map_err(PyErr::from).and_then(|answer| {
            take(&answer, &mut event, printing)?;
            Ok(())
        }),
        Err(error) => Err(error),
    };
    if let Err(why) = taken {
        let line = line_of(py, &why).map(|line| format!(" in line {line}")).unwrap_or_default();
        event.additional_info = format!(
            "before_send failed ({}{}), so only the exception itself is reported.",
            crate::passive::type_name(&why.get_type(py)),
            line
        );
        event.request = None;
        event.around = Around {
            handled: event.around.handled,
            mechanism: std::mem::take(&mut event.around.mechanism),
            ..Around::default()
        };
        if is_for_the_program(py, &why) {
            raw::raise_later(py, why);
        }
    }
    Some(event)
}

/// Whether the exception ends the program, or comes from a signal handler, which may run at any
/// line.
fn is_for_the_program(py: Python<'_>, why: &PyErr) -> bool {
    let is_of_handler = || {
        let scope = raw::module(name!(py, "flawless._scope"))?;
        scope.call_method1(name!(py, "is_of_signal_handler"), (why.value(py),))?.is_truthy()
    };
    // Ctrl-C is raised again by itself.
    !why.is_instance_of::<PyKeyboardInterrupt>(py)
        && (why.is_instance_of::<PySystemExit>(py) || is_of_handler().unwrap_or(false))
}

fn described<'py>(py: Python<'py>, event: &Event) -> PyResult<Bound<'py, PyDict>> {
    let around = &event.around;
    let report = PyDict::new(py);
    report.set_item("exception_type", &event.exception.type_name)?;
    report.set_item("exception_message", &event.exception.message)?;
    report.set_item("additional_info", &event.additional_info)?;
    report.set_item("handled", around.handled)?;
    report.set_item("mechanism", &around.mechanism)?;
    report.set_item("transaction", &around.transaction)?;
    report.set_item("user", values(py, &around.user)?)?;
    report.set_item("tags", values(py, &around.tags)?)?;
    let contexts = PyDict::new(py);
    for (name, of) in &around.contexts {
        contexts.set_item(name, values(py, of)?)?;
    }
    report.set_item("contexts", contexts)?;
    let breadcrumbs: PyResult<Vec<_>> =
        around.breadcrumbs.iter().map(|breadcrumb| described_breadcrumb(py, breadcrumb)).collect();
    report.set_item("breadcrumbs", breadcrumbs?)?;
    let request = event.request.clone().map(|of| {
        let kind = raw::module(name!(py, "flawless.client.request"))?;
        let parts = (of.method, of.path, of.protocol, of.headers, of.body, of.client_address);
        kind.getattr(name!(py, "Request"))?.call1(parts)
    });
    report.set_item("request", request.transpose()?)?;
    Ok(report)
}

fn described_breadcrumb<'py>(
    py: Python<'py>,
    breadcrumb: &Breadcrumb,
) -> PyResult<Bound<'py, PyDict>> {
    let Breadcrumb { at, category, level, message, data } = breadcrumb;
    let described = PyDict::new(py);
    described.set_item("at", at)?;
    described.set_item("category", category)?;
    described.set_item("level", level)?;
    described.set_item("message", message)?;
    described.set_item("data", values(py, data)?)?;
    Ok(described)
}

fn values<'py>(py: Python<'py>, of: &Values) -> PyResult<Bound<'py, PyDict>> {
    let values = PyDict::new(py);
    of.iter().try_for_each(|(name, value)| values.set_item(name, value))?;
    Ok(values)
}

/// Takes the program's changes; anything it removed is not sent.
fn take(answer: &Bound<'_, PyDict>, event: &mut Event, printing: &Printing<'_>) -> PyResult<()> {
    let py = answer.py();
    let around = &mut event.around;
    let text = |name| -> PyResult<String> {
        answer.get_item(name)?.map_or(Ok(String::new()), |text| text.extract())
    };
    event.exception.message = text("exception_message")?;
    event.additional_info = text("additional_info")?;
    around.transaction = text("transaction")?;
    let taken_values = |of| taken_values(of, printing);
    around.handled = answer.get_item("handled")?.and_then(|handled| handled.extract().ok());
    around.user = taken_values(answer.get_item("user")?)?;
    around.tags = taken_values(answer.get_item("tags")?)?;
    around.contexts = Vec::new();
    if let Some(contexts) = some_dict(answer.get_item("contexts")?)? {
        for (name, of) in contexts.iter() {
            around.contexts.push((name.extract()?, taken_values(Some(of))?));
        }
    }
    let breadcrumbs: Vec<Bound<'_, PyDict>> =
        answer.get_item("breadcrumbs")?.map_or(Ok(Vec::new()), |of| of.extract())?;
    around.breadcrumbs = Vec::new();
    for of in breadcrumbs {
        let text = |name: &Bound<'_, pyo3::types::PyString>| -> PyResult<String> {
            of.get_item(name)?.map_or(Ok(String::new()), |text| text.extract())
        };
        around.breadcrumbs.push(Breadcrumb {
            at: of.get_item("at")?.map_or(Ok(0), |at| at.extract())?,
            category: text(name!(py, "category"))?,
            level: text(name!(py, "level"))?,
            message: text(name!(py, "message"))?,
            data: taken_values(of.get_item("data")?)?,
        });
    }
    let request = answer.get_item("request")?.filter(|request| !request.is_none());
    let request = request.map(|request| request.extract::<WebRequest>()).transpose()?;
    event.request = request.map(request_from);
    Ok(())
}

fn some_dict(of: Option<Bound<'_, PyAny>>) -> PyResult<Option<Bound<'_, PyDict>>> {
    let of = of.filter(|of| !of.is_none());
    Ok(of.map(|of| of.cast_into::<PyDict>()).transpose()?)
}

/// Texts unchanged, anything else printed.
fn taken_values(of: Option<Bound<'_, PyAny>>, printing: &Printing<'_>) -> PyResult<Values> {
    let Some(of) = some_dict(of)? else { return Ok(Values::new()) };
    let one = |(name, value): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        (printing.value(&name, VALUE), printing.value(&value, VALUE))
    };
    Ok(of.iter().map(one).collect())
}

/// The line of the function that raised the error.
fn line_of(py: Python<'_>, error: &PyErr) -> Option<u32> {
    let places = stack::traceback(error.traceback(py).map(Bound::into_any));
    Some(places.last()?.line())
}
