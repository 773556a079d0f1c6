//! Where in a traceback an exception was raised, and by what: the code itself, code that hands on
//! the outcome of something else, or code that handled it.
use std::sync::{Arc, OnceLock};

use flawless_client::SourceFile;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString, PyTuple};

use crate::source::source_of;
use crate::stack::{self, Place};
use crate::statics::{known, name};
use crate::{code, handling};

/// Number of frames above a raise that are searched for the one that handles the exception.
const HANDLERS: usize = 20;

/// Where futures and the like raise an exception from elsewhere, for a caller that waits for the
/// outcome.
const HANDS_ON: [&str; 11] = [
    "/asyncio/futures.py",
    "/asyncio/tasks.py",
    "/billiard/pool.py",
    "/concurrent/futures/_base.py",
    "/eventlet/event.py",
    "/gevent/_compat.py",
    "/gevent/event.py",
    "/joblib/parallel.py",
    "/multiprocessing/pool.py",
    "/outcome/_impl.py",
    "/starlette/middleware/base.py",
];

/// Raises the exception that a coroutine handles again in a thread, only so that `sys.exc_info`
/// knows it there.
const LENDS: &str = "/asgiref/sync.py";

/// Raises a template's exception with a traceback of its own, from code made to match.
const REWRITES: &str = "/jinja2/environment.py";

/// Whether the exception was raised here, rather than in a function called here.
pub(crate) fn begins_here<'py>(place: &Place<'py>, inner: Option<&Place<'py>>) -> bool {
    let Some(inner) = inner else { return true };
    if rewrites(place) {
        return false;
    }
    if is_raise(place) || inner.frame.is(&place.frame) {
        return true;
    }
    // A wrapper removes its own entry.
    let mut caller = called_by(&inner.frame);
    while let Some(wrapper) =
        caller.take_if(|caller| !caller.is(&place.frame) && is_frame_of_ours(caller))
    {
        caller = called_by(&wrapper);
    }
    match caller {
        Some(caller) => !caller.is(&place.frame),
        // The caller of an ended coroutine or generator is unknown.
        None => !is_resumed(&inner.code),
    }
}

/// Whether this place raises an exception from elsewhere with another traceback.
pub(crate) fn rewrites(place: &Place<'_>) -> bool {
    if !is_raise(place) {
        return false;
    }
    let names = place.code.getattr(name!(place.code.py(), "co_names"));
    names.is_ok_and(|names| names.contains("__jinja_exception__").unwrap_or(false))
        || code::has_file(&place.code, |file| ends_with(file, REWRITES))
}

/// The frame that called another.
pub(crate) fn called_by<'py>(frame: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    frame.getattr(name!(frame.py(), "f_back")).ok().filter(|caller| !caller.is_none())
}

/// Whether the frame of a place is that of a wrapper.
pub(crate) fn is_wrapper(place: &Place<'_>) -> bool {
    code::has_file(&place.code, |file| file == code::WRAPPER_FILE)
}

fn is_frame_of_ours(frame: &Bound<'_, PyAny>) -> bool {
    frame.getattr(name!(frame.py(), "f_code")).is_ok_and(|code| code::is_ours(&code))
}

/// `CO_GENERATOR`, `CO_COROUTINE` and `CO_ASYNC_GENERATOR` of `inspect`.
const RESUMED: u32 = 0x20 | 0x80 | 0x200;

fn is_resumed(code: &Bound<'_, PyAny>) -> bool {
    let flags = code.getattr(name!(code.py(), "co_flags")).and_then(|flags| flags.extract::<u32>());
    flags.is_ok_and(|flags| flags & RESUMED != 0)
}

/// Whether the instruction at a place is a `raise` with an exception.
pub(crate) fn is_raise(place: &Place<'_>) -> bool {
    instruction_at(place).is_some_and(|(found, _)| found == instructions(place.code.py())[0])
}

/// Whether a place awaits a future or a coroutine, in the instructions before or since 3.11.
fn is_await(place: &Place<'_>) -> bool {
    let [_, send, yield_from, resume, back, _] = instructions(place.code.py());
    let Some((found, argument)) = instruction_at(place) else { return false };
    let goes_on = found == resume && matches!(argument & 3, 2 | 3);
    goes_on || [send, yield_from, back].contains(&found)
}

fn instruction_at(place: &Place<'_>) -> Option<(u8, u8)> {
    let bytes = place.code.getattr(name!(place.code.py(), "co_code")).ok()?;
    let at = usize::try_from(place.instruction()).ok()?;
    let bytes = bytes.cast_into::<PyBytes>().ok()?;
    Some((*bytes.as_bytes().get(at)?, *bytes.as_bytes().get(at + 1)?))
}

/// The opcodes in this version of Python, 0 for missing ones.
fn instructions(py: Python<'_>) -> [u8; 6] {
    static NUMBERS: OnceLock<[u8; 6]> = OnceLock::new();
    if let Some(numbers) = NUMBERS.get() {
        return *numbers;
    }
    let all = known!("opcode", "opmap").get(py);
    let number = |name: &Bound<'_, PyString>| {
        let number = all.as_ref().ok().and_then(|all| all.get_item(name).ok());
        number.and_then(|number| number.extract().ok()).unwrap_or(0)
    };
    let names = [
        name!(py, "RAISE_VARARGS"),
        name!(py, "SEND"),
        name!(py, "YIELD_FROM"),
        name!(py, "RESUME"),
        name!(py, "JUMP_BACKWARD_NO_INTERRUPT"),
        name!(py, "STORE_ATTR"),
    ];
    *NUMBERS.get_or_init(|| names.map(number))
}

/// The place itself, unless it only lends the exception; then the one after it.
pub(crate) fn unless_lent(place: Place<'_>) -> Option<Place<'_>> {
    let mut place = place;
    while let Some(inner) = place.inner()
        && code::has_file(&place.code, |file| ends_with(file, LENDS))
        && is_raise(&place)
    {
        place = inner;
    }
    Some(place)
}

/// Whether the exception raised at a place, possibly in an inner one, is the outcome of something
/// else that it waited for.
pub(crate) fn hands_on(place: &Place<'_>, inner: Option<&Place<'_>>) -> bool {
    if !is_raise(place) {
        return inner.is_some() || is_await(place);
    }
    code::has_file(&place.code, |file| HANDS_ON.iter().any(|end| ends_with(file, end)))
}

/// Whether a path ends with another, which is written with slashes.
fn ends_with(path: &str, end: &str) -> bool {
    let same = |(here, there): (u8, u8)| here == there || (here == b'\\' && there == b'/');
    path.len() >= end.len() && path.bytes().rev().zip(end.bytes().rev()).all(same)
}

/// Whether the exception raised at the last of these places was being handled there, so that its
/// way continues. The frame that handles an exception is the one it has reached: the outermost of
/// the older entries.
pub(crate) fn is_handling(places: &[Place<'_>], older: Option<&Place<'_>>) -> bool {
    let Some(raiser) = places.last() else { return false };
    // The traceback then does not show how far the exception came.
    let is_rid_of_it = is_raise(raiser) && removes_traceback(&raiser.code);
    if is_rid_of_it && is_in_handler(raiser, raiser.line()).unwrap_or(false) {
        return true;
    }
    let Some(reached) = older else { return false };
    if raiser.frame.is(&reached.frame) {
        // In a loop the same instruction would raise it again.
        let is_after_a_call = is_raise(raiser) && !is_raise(reached);
        return raiser.instruction() != reached.instruction()
            && (is_after_a_call || is_in_handler(raiser, raiser.line()).unwrap_or(true));
    }
    let callers = places.first().and_then(|place| called_by(&place.frame));
    let callers = stack::callers(callers, HANDLERS);
    let mut leaves = is_exit(raiser);
    for place in places.iter().rev().skip(1).chain(&callers).take(HANDLERS) {
        if place.frame.is(&reached.frame) {
            return place.instruction() != reached.instruction()
                && (leaves || is_in_handler(place, place.line()).unwrap_or(false));
        }
        leaves |= is_exit(place);
    }
    false
}

/// Whether a function removes, or may remove, the traceback of an exception.
pub(crate) fn removes_traceback(code: &Bound<'_, PyAny>) -> bool {
    let py = code.py();
    let names = code.getattr(name!(py, "co_names")).ok();
    let Some(names) = names.and_then(|names| names.cast_into::<PyTuple>().ok()) else {
        return false;
    };
    let number_of = |name: &Bound<'_, PyString>| names.index(name).ok();
    if number_of(name!(py, "with_traceback")).is_some() {
        return true;
    }
    let Some(set) = number_of(name!(py, "__traceback__")) else { return false };
    let [.., store] = instructions(py);
    let bytes =
        code.getattr(name!(py, "co_code")).and_then(|code| Ok(code.cast_into::<PyBytes>()?));
    bytes.is_ok_and(|bytes| {
        let mut all = bytes.as_bytes().chunks_exact(2);
        all.any(|pair| pair[0] == store && usize::from(pair[1]) == set & 0xff)
    })
}

/// `None` when the source is unknown.
fn is_in_handler(of: &Place<'_>, line: u32) -> Option<bool> {
    let source = text_of(&of.frame, &of.code)?;
    source.line(line)?;
    Some(handling::is_in_handler(&source, line))
}

/// Whether a place is an exit method, called at the end of a `with`.
fn is_exit(place: &Place<'_>) -> bool {
    let name = place.code.getattr(name!(place.code.py(), "co_name")).ok();
    let name = name.and_then(|name| name.cast_into::<PyString>().ok());
    name.is_some_and(|name| name == "__exit__" || name == "__aexit__")
}

pub(crate) fn text_of(
    frame: &Bound<'_, PyAny>,
    code: &Bound<'_, PyAny>,
) -> Option<Arc<SourceFile>> {
    source_of(code, &frame.getattr(name!(frame.py(), "f_globals")).ok()?)
}
