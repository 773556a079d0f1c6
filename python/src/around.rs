//! The context of an exception from `flawless._scope`, printed like other values.
use flawless_client::{Around, Breadcrumb, Request, VALUE, Values};
use flawless_redact::SCRUBBED;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::clock::Allowance;
use crate::names;
use crate::print::{as_it_is, of_secret, print};
use crate::raw;
use crate::statics::{known, name};

/// Most values of a user, of tags, of a context and of a breadcrumb.
const VALUES: usize = 50;
const CONTEXTS: usize = 20;
/// Most characters of a short text.
const WORD: usize = 200;
const MESSAGE: usize = 1_000;

/// Method, path with query, protocol, headers, body, address of the client.
pub(crate) type WebRequest =
    (String, String, String, Vec<(String, String)>, String, Option<String>);

pub(crate) fn request_from(
    (method, path, protocol, headers, body, client_address): WebRequest,
) -> Request {
    Request { method, path, protocol, headers, body, client_address }
}

/// Prints the context.
pub(crate) struct Printing<'a> {
    pub(crate) allowance: Allowance,
    pub(crate) redactor: &'a flawless_redact::Redactor,
}

impl Printing<'_> {
    /// The context of an exception that occurs here, and the web request being served.
    pub(crate) fn around(&self, py: Python<'_>) -> (Around, Option<Request>) {
        let Some(parts) = plain_snapshot(py).or_else(|| snapshot(py)) else {
            return (Around::default(), None);
        };
        let part = |at| parts.get_item(at).ok();
        let values = |at| part(at).map(|of| self.values(&of)).unwrap_or_default();
        let some = |of: &Bound<'_, PyAny>| (!of.is_none()).then(|| self.value(of, WORD));
        let word = |at| part(at).and_then(|of| some(&of)).unwrap_or_default();
        let around = Around {
            user: values(0),
            tags: values(1),
            contexts: part(2).map(|of| self.contexts(&of)).unwrap_or_default(),
            breadcrumbs: part(3).map(|of| self.breadcrumbs(&of)).unwrap_or_default(),
            transaction: word(4),
            thread: word(6),
            task: word(7),
            trace_id: word(8),
            ..Around::default()
        };
        let request = part(5).and_then(|of| of.extract::<WebRequest>().ok()).map(request_from);
        (around, request)
    }

    fn contexts(&self, of: &Bound<'_, PyAny>) -> Vec<(String, Values)> {
        let Ok(of) = of.cast::<PyDict>() else { return Vec::new() };
        let named = of.iter().take(CONTEXTS);
        let one = |(name, of): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            let name = self.value(&name, WORD);
            let mut values = self.values_or_one(&of);
            if self.redactor.is_secret_name(&name) {
                values.iter_mut().for_each(|(_, value)| *value = SCRUBBED.to_owned());
            }
            (name, values)
        };
        named.map(one).collect()
    }

    fn breadcrumbs(&self, of: &Bound<'_, PyAny>) -> Vec<Breadcrumb> {
        let Ok(of) = of.cast::<PyList>() else { return Vec::new() };
        let one = |of: Bound<'_, PyAny>| {
            type Parts<'py> = (f64, Bound<'py, PyAny>, Bound<'py, PyAny>, Bound<'py, PyAny>);
            let of = of.cast_into::<PyTuple>().ok()?;
            let (at, category, level, message): Parts<'_> = of.get_slice(0, 4).extract().ok()?;
            #[expect(clippy::cast_possible_truncation, reason = "it saturates")]
            let at = (at * 1_000.0) as i64;
            Some(Breadcrumb {
                at,
                category: text(&category, WORD).unwrap_or_default(),
                level: text(&level, WORD).unwrap_or_default().to_lowercase(),
                message: self.value(&message, MESSAGE),
                data: of.get_item(4).map(|data| self.values(&data)).unwrap_or_default(),
            })
        };
        of.iter().filter_map(one).collect()
    }

    /// Anything other than a dictionary is one value without a name of its own.
    fn values_or_one(&self, of: &Bound<'_, PyAny>) -> Values {
        match of.is_instance_of::<PyDict>() {
            true => self.values(of),
            false => vec![("value".to_owned(), self.value(of, VALUE))],
        }
    }

    /// The values of a built-in dictionary, read without running code of the program.
    fn values(&self, of: &Bound<'_, PyAny>) -> Values {
        let Ok(of) = of.cast::<PyDict>() else { return Vec::new() };
        let mut printed = Vec::with_capacity(of.len().min(VALUES));
        for (key, value) in of.iter().take(VALUES) {
            let key = match key.cast_into::<PyString>() {
                Ok(key) => key,
                Err(other) => {
                    let name = self.value(&other.into_inner(), WORD);
                    printed.push((name, self.value(&value, VALUE)));
                    continue;
                }
            };
            let name = names::name(&key, self.redactor);
            let shown = match name.is_secret {
                true => of_secret(&value).into_owned(),
                false => self.value(&value, VALUE),
            };
            printed.push((name.text.to_string(), shown));
        }
        printed
    }

    /// A text unchanged, anything else printed.
    pub(crate) fn value(&self, value: &Bound<'_, PyAny>, characters: usize) -> String {
        if let Some(text) = text(value, characters) {
            return text;
        }
        let mut printed = String::new();
        print(&mut printed, value, characters, self.allowance, self.redactor);
        printed
    }
}

/// The answer of `flawless._scope.snapshot` in the simple case, built without running a line of
/// Python, at which another thread could continue.
fn plain_snapshot(py: Python<'_>) -> Option<Bound<'_, PyTuple>> {
    let scope = raw::module(name!(py, "flawless._scope")).ok()?;
    let of_process = scope.getattr(name!(py, "_of_process")).ok()?;
    let current = scope.getattr(name!(py, "CURRENT")).ok()?.call_method0(name!(py, "get")).ok()?;
    let at = if current.is_none() { of_process.clone() } else { current };
    let transaction = at.getattr(name!(py, "transaction")).ok()?;
    let is_plain = transaction.is_none() || transaction.is_exact_instance_of::<PyString>();
    let has_task = raw::module(name!(py, "_asyncio"))
        .and_then(|asyncio| asyncio.call_method0(name!(py, "_get_running_loop")))
        .is_ok_and(|running| !running.is_none());
    let has_trace = raw::module(name!(py, "opentelemetry.trace")).is_ok();
    let request = at.getattr(name!(py, "request")).ok()?;
    if !is_plain || has_task || has_trace || !request.is_none() {
        return None;
    }
    let both = |name| -> Option<Bound<'_, PyAny>> {
        let merged =
            of_process.getattr(name).ok()?.cast_into_exact::<PyDict>().ok()?.copy().ok()?;
        let own = at.getattr(name).ok()?.cast_into_exact::<PyDict>().ok()?;
        merged.update(own.as_mapping()).ok()?;
        Some(merged.into_any())
    };
    let user = at.getattr(name!(py, "user")).ok()?;
    let user = match user.is_none() {
        true => of_process.getattr(name!(py, "user")).ok()?,
        false => user,
    };
    let breadcrumbs = at.getattr(name!(py, "breadcrumbs")).ok()?;
    let breadcrumbs = match breadcrumbs.is_none() {
        true => PyList::empty(py).into_any(),
        false => py.get_type::<PyList>().call1((breadcrumbs,)).ok()?,
    };
    let none = || py.None().into_bound(py);
    let parts = [
        user,
        both(name!(py, "tags"))?,
        both(name!(py, "contexts"))?,
        breadcrumbs,
        transaction,
        none(),
        thread_name(py).unwrap_or_else(none),
        none(),
        none(),
    ];
    PyTuple::new(py, parts).ok()
}

/// The name that `threading` knows; asking for the current thread would make an object for one that
/// is not Python's.
fn thread_name(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    let ident = known!("_thread", "get_ident").get(py).ok()?.call0().ok()?;
    let active = known!("threading", "_active").get(py).ok()?;
    let thread = active.cast_exact::<PyDict>().ok()?.get_item(ident).ok()??;
    raw::own_attribute(&thread, name!(py, "_name"))
}

fn snapshot(py: Python<'_>) -> Option<Bound<'_, PyTuple>> {
    let parts = ask_scope(py, name!(py, "snapshot"), &PyTuple::empty(py))?;
    parts.cast_into::<PyTuple>().ok()
}

/// The function that makes a web request, and its arguments.
pub(crate) type MakeRequest<'py> = (Bound<'py, PyAny>, Bound<'py, PyTuple>);

/// Makes the web request; `None` when that fails.
pub(crate) fn made(py: Python<'_>, (make, of): &MakeRequest<'_>) -> Option<Request> {
    let arguments: Vec<_> = std::iter::once(make.clone()).chain(of.iter()).collect();
    let arguments = PyTuple::new(py, arguments);
    let told = ask_scope(py, name!(py, "quietly"), &arguments.ok()?)?;
    told.extract().ok().map(request_from)
}

/// Calls a function of `flawless._scope`. An exception from a signal handler of the program is
/// raised again when this is done.
fn ask_scope<'py>(
    py: Python<'py>,
    function: &Bound<'py, PyString>,
    arguments: &Bound<'py, PyTuple>,
) -> Option<Bound<'py, PyAny>> {
    let function = raw::module(name!(py, "flawless._scope")).ok()?.getattr(function).ok()?;
    match raw::call(&function, arguments) {
        Ok(answer) => Some(answer),
        Err(error) => {
            // Ctrl-C is raised again by itself.
            if !error.is_instance_of::<PyKeyboardInterrupt>(py) {
                raw::raise_later(py, error);
            }
            None
        }
    }
}

fn text(of: &Bound<'_, PyAny>, characters: usize) -> Option<String> {
    as_it_is(of.cast_exact::<PyString>().ok()?, characters)
}
