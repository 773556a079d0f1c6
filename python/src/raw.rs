//! The calls into the interpreter that PyO3 has no safe form of.
#![allow(unsafe_code)]

use std::os::raw::c_char;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

unsafe extern "C" {
    /// Part of the stable ABI since 3.10; 3.9, which changes no more, exports it as well.
    fn PyUnicode_AsUTF8AndSize(
        unicode: *mut ffi::PyObject,
        size: *mut ffi::Py_ssize_t,
    ) -> *const c_char;
}

/// The text of a string, which keeps it; `None` when it holds half of a surrogate pair.
pub(crate) fn utf8<'a>(text: &'a Bound<'_, PyString>) -> Option<&'a str> {
    let mut size = 0;
    // SAFETY: `text` is a string; what is answered lives as long as it, and is valid UTF-8.
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

/// A name of Python's, made once and kept. PyO3's `intern!` holds a lock meanwhile, which a
/// child that is forked in that moment would wait for in vain.
#[derive(Debug)]
pub(crate) struct StaticName {
    text: &'static str,
    object: AtomicPtr<ffi::PyObject>,
}

impl StaticName {
    pub(crate) const fn new(text: &'static str) -> Self {
        Self { text, object: AtomicPtr::new(std::ptr::null_mut()) }
    }

    pub(crate) fn get<'a, 'py>(&'static self, py: Python<'py>) -> &'a Bound<'py, PyString> {
        if self.object.load(Ordering::Acquire).is_null() {
            let made = PyString::intern(py, self.text).into_ptr();
            // Whoever comes second leaves the same string.
            self.object.store(made, Ordering::Release);
        }
        // SAFETY: it holds a string from now on, and a pointer is laid out like an atomic one.
        unsafe { Bound::ref_from_ptr(py, &*self.object.as_ptr()).cast_unchecked() }
    }
}

/// The string object of a name.
macro_rules! name {
    ($py:expr, $text:literal) => {{
        static NAME: $crate::raw::StaticName = $crate::raw::StaticName::new($text);
        NAME.get($py)
    }};
}
pub(crate) use name;

/// Sets an attribute as `object.__setattr__` does, whatever the type has made of it.
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

/// Gets an attribute as `object.__getattribute__` does, whatever the type has made of it.
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

/// An attribute of the object itself, without its type's: no error is made when it is not there.
pub(crate) fn own_attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    let all = get_plainly(object, name!(object.py(), "__dict__"))?;
    all.cast_exact::<PyDict>().ok()?.get_item(name).ok()?
}

/// Ctrl-C came while something of ours ran: it comes again when that is done.
pub(crate) fn interrupt_again() {
    // SAFETY: it only sets a flag.
    unsafe { ffi::PyErr_SetInterrupt() }
}

/// A part of a string, in characters.
pub(crate) fn substring<'py>(
    text: &Bound<'py, PyString>,
    end: usize,
) -> Option<Bound<'py, PyString>> {
    let end = ffi::Py_ssize_t::try_from(end).ok()?;
    // SAFETY: a string (or of a subtype) and positions that it cuts to its length.
    unsafe {
        let part = ffi::PyUnicode_Substring(text.as_ptr(), 0, end);
        let part = Bound::from_owned_ptr_or_opt(text.py(), part);
        if part.is_none() {
            ffi::PyErr_Clear();
        }
        part.and_then(|part| part.cast_into::<PyString>().ok())
    }
}

/// How many characters a string has.
pub(crate) fn length(text: &Bound<'_, PyString>) -> usize {
    // SAFETY: a string or of a subtype.
    usize::try_from(unsafe { ffi::PyUnicode_GetLength(text.as_ptr()) }).unwrap_or(0)
}

/// How many references an object has.
pub(crate) fn references(object: &Bound<'_, PyAny>) -> isize {
    // SAFETY: an object.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) }
}
