//! Where in a traceback an exception was raised, and by whom: by the code itself, by what hands on
//! the outcome of something else, or by what handled it.
use std::sync::{Arc, OnceLock};

use flawless_client::SourceFile;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

use crate::fields::file_of_code;
use crate::raw::{known, name};
use crate::source::source_of;
use crate::stack::Place;
use crate::{code, handling};

/// Frames above a raise that are asked whether they handle an exception.
const HANDLERS: usize = 20;

/// Where futures and the like raise what has failed elsewhere, for the one who waits for it.
const HANDS_ON: [&str; 10] = [
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
];

/// It raises the exception that a coroutine handles, for a function that it calls in a thread: only
/// so that `sys.exc_info` knows it there.
const LENDS: &str = "/asgiref/sync.py";

/// Whether the exception was raised here, and did not come from what this place has called.
pub(crate) fn begins_here<'py>(place: &Place<'py>, inner: Option<&Place<'py>>) -> bool {
    let Some(inner) = inner else { return true };
    if is_raise(place) || inner.frame.is(&place.frame) {
        return true;
    }
    // A wrapper takes its own entry off.
    let mut caller = called_by(&inner.frame);
    while let Some(wrapper) = caller.take_if(|caller| !caller.is(&place.frame) && is_ours(caller)) {
        caller = called_by(&wrapper);
    }
    match caller {
        Some(caller) => !caller.is(&place.frame),
        // What a coroutine or a generator that has ended was called by, nobody knows.
        None => !is_resumed(&inner.code),
    }
}

/// The frame that called another.
pub(crate) fn called_by<'py>(frame: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    frame.getattr(name!(frame.py(), "f_back")).ok().filter(|caller| !caller.is_none())
}

pub(crate) fn is_wrapper(place: &Place<'_>) -> bool {
    file_of_code(&place.code).is_some_and(|file| file == code::WRAPPER_FILE)
}

fn is_ours(frame: &Bound<'_, PyAny>) -> bool {
    let code = frame.getattr(name!(frame.py(), "f_code")).ok();
    code.and_then(|code| file_of_code(&code)).is_some_and(|file| file == code::WRAPPER_FILE)
}

/// `CO_GENERATOR`, `CO_COROUTINE` and `CO_ASYNC_GENERATOR` of `inspect`.
const RESUMED: u32 = 0x20 | 0x80 | 0x200;

fn is_resumed(code: &Bound<'_, PyAny>) -> bool {
    let flags = code.getattr(name!(code.py(), "co_flags")).and_then(|flags| flags.extract::<u32>());
    flags.is_ok_and(|flags| flags & RESUMED != 0)
}

/// Whether the instruction at a place is a `raise` with an exception.
pub(crate) fn is_raise(place: &Place<'_>) -> bool {
    instruction_at(place) == Some(instructions(place.code.py())[0])
}

/// Whether it waits for a future or a coroutine: since 3.11, or before.
fn is_await(place: &Place<'_>) -> bool {
    let [_, one, other] = instructions(place.code.py());
    instruction_at(place).is_some_and(|found| found == one || found == other)
}

fn instruction_at(place: &Place<'_>) -> Option<u8> {
    let bytes = place.code.getattr(name!(place.code.py(), "co_code")).ok()?;
    let at = usize::try_from(place.instruction()).ok()?;
    bytes.cast_into::<PyBytes>().ok()?.as_bytes().get(at).copied()
}

/// The numbers of instructions in this version of Python, 0 for one that it does not have.
fn instructions(py: Python<'_>) -> [u8; 3] {
    static NUMBERS: OnceLock<[u8; 3]> = OnceLock::new();
    if let Some(numbers) = NUMBERS.get() {
        return *numbers;
    }
    let all = known!("opcode", "opmap").get(py);
    let number = |name: &Bound<'_, PyString>| {
        let number = all.as_ref().ok().and_then(|all| all.get_item(name).ok());
        number.and_then(|number| number.extract().ok()).unwrap_or(0)
    };
    let names = [name!(py, "RAISE_VARARGS"), name!(py, "SEND"), name!(py, "YIELD_FROM")];
    *NUMBERS.get_or_init(|| names.map(number))
}

/// The next place that is not only one that lends the exception.
pub(crate) fn unless_lent(place: Place<'_>) -> Option<Place<'_>> {
    let mut place = place;
    while let Some(inner) = place.inner()
        && file_of_code(&place.code)?.ends_with(LENDS)
        && is_raise(&place)
    {
        place = inner;
    }
    Some(place)
}

/// Whether what was raised at a place, with what came from within if anything, is the outcome of
/// something else that it waited for.
pub(crate) fn hands_on(place: &Place<'_>, inner: Option<&Place<'_>>) -> bool {
    if !is_raise(place) {
        return inner.is_some() || is_await(place);
    }
    let file = file_of_code(&place.code).unwrap_or_default();
    HANDS_ON.iter().any(|end| file.ends_with(end))
}

/// Whether the last of these places, or one that led there, was handling an exception: then it is
/// that one that is raised, and its way goes on.
pub(crate) fn is_handling(places: &[Place<'_>], inner: Option<&Place<'_>>) -> bool {
    let on_the_way = places.iter().rev().take(HANDLERS);
    for place in on_the_way {
        match handles(&place.frame, &place.code, place.line()) {
            Some(true) => return true,
            Some(false) => {}
            // Without source: in a loop it would be raised by the same line.
            None if inner.is_some_and(|inner| inner.frame.is(&place.frame)) => {
                return inner.is_some_and(|inner| inner.line() != place.line());
            }
            None => {}
        }
    }
    let mut next = places.first().and_then(|place| called_by(&place.frame));
    for _ in 0..HANDLERS {
        let Some(frame) = next else { return false };
        let py = frame.py();
        let Ok(code) = frame.getattr(name!(py, "f_code")) else { return false };
        let line = frame.getattr(name!(py, "f_lineno")).and_then(|line| line.extract());
        if line.is_ok_and(|line| handles(&frame, &code, line) == Some(true)) {
            return true;
        }
        next = called_by(&frame);
    }
    false
}

/// `None` when its source is not known.
fn handles(frame: &Bound<'_, PyAny>, code: &Bound<'_, PyAny>, line: u32) -> Option<bool> {
    let name = code.getattr(name!(frame.py(), "co_name")).ok()?.cast_into::<PyString>().ok()?;
    if name == "__exit__" || name == "__aexit__" {
        return Some(true);
    }
    let source = text_of(frame, code)?;
    source.line(line)?;
    Some(handling::is_in_handler(&source, line))
}

pub(crate) fn text_of(
    frame: &Bound<'_, PyAny>,
    code: &Bound<'_, PyAny>,
) -> Option<Arc<SourceFile>> {
    source_of(code, &frame.getattr(name!(frame.py(), "f_globals")).ok()?)
}
