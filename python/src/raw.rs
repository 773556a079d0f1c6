//! Calls into the interpreter that PyO3 does not offer in a safe form.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char, c_int, c_void};

use pyo3::exceptions::{PyBaseException, PyImportError, PyKeyboardInterrupt, PySystemExit};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};

use crate::statics::{known, name};

unsafe extern "C" {
    /// Part of the stable ABI since 3.10; 3.9, which no longer changes, exports it as well.
    fn PyUnicode_AsUTF8AndSize(
        unicode: *mut ffi::PyObject,
        size: *mut ffi::Py_ssize_t,
    ) -> *const c_char;
}

/// The text of a string, borrowed from it; `None` when it contains a lone surrogate.
pub(crate) fn utf8<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a str> {
    let mut size = 0;
    // SAFETY: `text` is a string; the result is valid UTF-8 and lives as long as the string.
    unsafe {
        let start = PyUnicode_AsUTF8AndSize(text.as_ptr(), &raw mut size);
        if start.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let bytes = std::slice::from_raw_parts(start.cast(), usize::try_from(size).ok()?);
        Some(std::str::from_utf8_unchecked(bytes))
    }
}

unsafe extern "C-unwind" {
    /// Like PyO3's declaration, but for a callee that may end the thread.
    #[link_name = "PyObject_CallObject"]
    fn call_object(
        callable: *mut ffi::PyObject,
        arguments: *mut ffi::PyObject,
    ) -> *mut ffi::PyObject;
}

/// Blocks a thread forever instead of letting it unwind through our frames.
struct StayHere;

impl Drop for StayHere {
    fn drop(&mut self) {
        loop {
            std::thread::park();
        }
    }
}

/// Calls Python code that may take long. Before 3.14 the interpreter ends a thread that wants to
/// continue during shutdown by unwinding its stack, which would abort the process in our frames. So
/// the thread stays where it is, as it does since 3.14.
pub(crate) fn call<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let stay_here = StayHere;
    // SAFETY: two objects; a new reference or an error.
    let answer = unsafe { call_object(callable.as_ptr(), arguments.as_ptr()) };
    std::mem::forget(stay_here);
    // SAFETY: as above.
    let answer = unsafe { Bound::from_owned_ptr_or_err(callable.py(), answer) };
    // Ctrl-C is meant for the program: it is raised again when this is done.
    if answer
        .as_ref()
        .is_err_and(|error| error.is_instance_of::<PyKeyboardInterrupt>(callable.py()))
    {
        // SAFETY: it only sets a flag.
        unsafe { ffi::PyErr_SetInterrupt() }
    }
    answer
}

/// Signals for a fault of the thread itself.
#[cfg(unix)]
const FAULTS: [c_int; 7] = [
    libc::SIGABRT,
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGSEGV,
    libc::SIGSYS,
    libc::SIGTRAP,
];

/// Runs `work` with all signals blocked in this thread; a thread started meanwhile inherits that.
/// If the system delivered one to a thread unknown to the interpreter, Python 3.9 would not notice
/// before it switches threads, and Ctrl-C would not end a loop that only computes.
#[cfg(unix)]
pub(crate) fn without_signals(work: &mut dyn FnMut()) {
    use std::mem::MaybeUninit;
    let mut held = MaybeUninit::<libc::sigset_t>::uninit();
    let mut former = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: signal sets; the first is filled here, the second on success.
    let is_held = unsafe {
        libc::sigfillset(held.as_mut_ptr());
        for fault in FAULTS {
            libc::sigdelset(held.as_mut_ptr(), fault);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, held.as_ptr(), former.as_mut_ptr()) == 0
    };
    work();
    if is_held {
        // SAFETY: as above.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, former.as_ptr(), std::ptr::null_mut()) };
    }
}

#[cfg(not(unix))]
pub(crate) fn without_signals(work: &mut dyn FnMut()) {
    work();
}

/// Calls code of the interpreter or a library. An exception from a signal handler of the program,
/// which may run meanwhile, is raised again when this is done.
pub(crate) fn ask<'py>(
    callable: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyTuple>,
) -> Option<Bound<'py, PyAny>> {
    match call(callable, arguments) {
        Ok(answer) => Some(answer),
        Err(error) => {
            if is_of_signal_handler(callable.py(), &error) {
                raise_later(callable.py(), error);
            }
            None
        }
    }
}

/// Handlers run in the main thread and are functions of the program; an exception of the callee
/// itself has only frames of its library.
fn is_of_signal_handler(py: Python<'_>, error: &PyErr) -> bool {
    if error.is_instance_of::<PyKeyboardInterrupt>(py) || !is_main_thread(py) {
        return false;
    }
    let Some(mut place) = error.traceback(py).map(Bound::into_any) else {
        return error.is_instance_of::<PySystemExit>(py);
    };
    while let Ok(next) = place.getattr(name!(py, "tb_next"))
        && !next.is_none()
    {
        place = next;
    }
    let module = place
        .getattr(name!(py, "tb_frame"))
        .and_then(|frame| frame.getattr(name!(py, "f_globals"))?.get_item(name!(py, "__name__")))
        .and_then(|name| name.extract::<String>());
    let is_library = |module: &str| crate::libraries::is_array_library(module);
    error.is_instance_of::<PySystemExit>(py) || !module.is_ok_and(|module| is_library(&module))
}

/// Whether this is the thread in which signal handlers run.
pub(crate) fn is_main_thread(py: Python<'_>) -> bool {
    let own = known!("_thread", "get_ident").get(py).and_then(|ident| ident.call0());
    let main = known!("threading", "_main_thread").get(py).ok();
    let main = main.and_then(|main| own_attribute(main, name!(py, "_ident")));
    main.is_some_and(|main| own.is_ok_and(|own| own.eq(main).unwrap_or(false)))
}

/// Raises an exception in the program once the current code is done.
pub(crate) fn raise_later(py: Python<'_>, error: PyErr) {
    /// Called by the interpreter, which raises the exception that this sets.
    extern "C" fn raise(error: *mut c_void) -> c_int {
        let error: *mut ffi::PyObject = error.cast();
        // SAFETY: an exception that this owns a reference to.
        unsafe {
            ffi::PyErr_SetObject(ffi::Py_TYPE(error).cast(), error);
            ffi::Py_DECREF(error);
        }
        -1
    }
    let error = error.into_value(py).into_ptr();
    // SAFETY: the reference passes to the call, or is released.
    unsafe {
        if ffi::Py_AddPendingCall(Some(raise), error.cast()) != 0 {
            ffi::Py_DECREF(error);
        }
    }
}

/// Whether a type was created in Python, not statically in C.
pub(crate) fn is_made_in_python(kind: &Bound<'_, PyType>) -> bool {
    // SAFETY: a type.
    unsafe { ffi::PyType_GetFlags(kind.as_type_ptr()) & ffi::Py_TPFLAGS_HEAPTYPE != 0 }
}

/// A module that was imported with this package. Importing it again could run code of the program,
/// which may have replaced `__import__`.
pub(crate) fn module<'py>(name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: a string; a new reference, or null with or without an error.
    let found =
        unsafe { Bound::from_owned_ptr_or_opt(name.py(), ffi::PyImport_GetModule(name.as_ptr())) };
    found.ok_or_else(|| {
        PyErr::take(name.py()).unwrap_or_else(|| PyImportError::new_err("it was not imported"))
    })
}

/// Sets an attribute like `object.__setattr__`, even if the type overrides it.
pub(crate) fn set_plainly(
    object: &Bound<'_, PyAny>,
    name: &Bound<'_, PyString>,
    value: &Bound<'_, PyAny>,
) {
    // SAFETY: three objects; the error is cleared.
    unsafe {
        let failed =
            ffi::PyObject_GenericSetAttr(object.as_ptr(), name.as_ptr(), value.as_ptr()) != 0;
        if failed {
            ffi::PyErr_Clear();
        }
    }
}

/// Gets an attribute like `object.__getattribute__`, even if the type overrides it.
pub(crate) fn get_plainly<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    // SAFETY: two objects; a new reference or an error, which is cleared.
    unsafe {
        let value = ffi::PyObject_GenericGetAttr(object.as_ptr(), name.as_ptr());
        Bound::from_owned_ptr_or_opt(object.py(), value).or_else(|| {
            ffi::PyErr_Clear();
            None
        })
    }
}

/// An attribute of the object itself, not of its type. No error is created when it is missing.
pub(crate) fn own_attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    let all = get_plainly(object, name!(object.py(), "__dict__"))?;
    all.cast_exact::<PyDict>().ok()?.get_item(name).ok()?
}

/// The traceback of an exception, as stored by the interpreter.
pub(crate) fn traceback_of<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    part_of(error, ffi::PyException_GetTraceback)
}

pub(crate) fn cause_of<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    part_of(error, ffi::PyException_GetCause)
}

pub(crate) fn context_of<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    part_of(error, ffi::PyException_GetContext)
}

fn part_of<'py>(
    error: &Bound<'py, PyAny>,
    get: unsafe extern "C" fn(*mut ffi::PyObject) -> *mut ffi::PyObject,
) -> Option<Bound<'py, PyAny>> {
    if !error.is_instance_of::<PyBaseException>() {
        return None;
    }
    // SAFETY: an exception; a new reference or null without an error.
    unsafe { Bound::from_owned_ptr_or_opt(error.py(), get(error.as_ptr())) }
}

/// A part of a string, in characters.
pub(crate) fn substring<'py>(
    text: &Bound<'py, PyString>,
    end: usize,
) -> Option<Bound<'py, PyString>> {
    let end = ffi::Py_ssize_t::try_from(end).ok()?;
    // SAFETY: a string or subtype, and positions that are clamped to its length.
    unsafe {
        let part = ffi::PyUnicode_Substring(text.as_ptr(), 0, end);
        let part = Bound::from_owned_ptr_or_opt(text.py(), part);
        if part.is_none() {
            ffi::PyErr_Clear();
        }
        part.and_then(|part| part.cast_into::<PyString>().ok())
    }
}

/// The number of characters of a string.
pub(crate) fn length(text: &Bound<'_, PyString>) -> usize {
    // SAFETY: a string or subtype.
    usize::try_from(unsafe { ffi::PyUnicode_GetLength(text.as_ptr()) }).unwrap_or(0)
}

/// A float as Python prints it.
pub(crate) fn float_text(value: f64) -> String {
    // SAFETY: known flags; a new C string or null, freed by its own allocator.
    unsafe {
        let text =
            ffi::PyOS_double_to_string(value, b'r' as c_char, 0, FLAGS, std::ptr::null_mut());
        if text.is_null() {
            ffi::PyErr_Clear();
            return value.to_string();
        }
        let owned = CStr::from_ptr(text).to_string_lossy().into_owned();
        ffi::PyMem_Free(text.cast());
        owned
    }
}

const FLAGS: c_int = ffi::Py_DTSF_ADD_DOT_0;

/// The reference count of an object.
pub(crate) fn references(object: &Bound<'_, PyAny>) -> isize {
    // SAFETY: an object.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) }
}
