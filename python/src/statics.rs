//! Objects of the interpreter that are looked up or made once, and kept.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::raw;

/// An object of a standard module, looked up once and kept, without a lock like PyO3's.
#[derive(Debug)]
pub(crate) struct StaticObject {
    module: &'static str,
    name: &'static str,
    object: AtomicPtr<ffi::PyObject>,
}

impl StaticObject {
    pub(crate) const fn new(module: &'static str, name: &'static str) -> Self {
        Self { module, name, object: AtomicPtr::new(std::ptr::null_mut()) }
    }

    pub(crate) fn get<'a, 'py>(&'static self, py: Python<'py>) -> PyResult<&'a Bound<'py, PyAny>> {
        if self.object.load(Ordering::Acquire).is_null() {
            let found =
                raw::module(&PyString::new(py, self.module))?.getattr(self.name)?.into_ptr();
            self.object.store(found, Ordering::Release);
        }
        // SAFETY: it holds an object from now on, and a pointer is laid out like an atomic one.
        Ok(unsafe { Bound::ref_from_ptr(py, &*self.object.as_ptr()) })
    }

    /// Whether a value has exactly this type.
    pub(crate) fn is_type_of(&'static self, value: &Bound<'_, PyAny>) -> bool {
        self.get(value.py()).is_ok_and(|kind| value.get_type().is(kind))
    }
}

/// An object of a standard module.
macro_rules! known {
    ($module:literal, $name:literal) => {{
        static OBJECT: $crate::statics::StaticObject =
            $crate::statics::StaticObject::new($module, $name);
        &OBJECT
    }};
}
pub(crate) use known;

/// The getter of an attribute that a built-in type has for its objects, whatever their class
/// overrides; looked up once and kept. It gives, for example, the parts of a class regardless of
/// its metaclass.
#[derive(Debug)]
pub(crate) struct Part {
    of: StaticObject,
    name: &'static str,
    getter: AtomicPtr<ffi::PyObject>,
}

impl Part {
    pub(crate) const fn new(of: &'static str, name: &'static str) -> Self {
        Self {
            of: StaticObject::new("builtins", of),
            name,
            getter: AtomicPtr::new(std::ptr::null_mut()),
        }
    }

    pub(crate) fn of<'py>(&'static self, object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
        let py = object.py();
        if self.getter.load(Ordering::Acquire).is_null() {
            let parts = self.of.get(py).ok()?.getattr("__dict__").ok()?;
            let getter = parts.get_item(self.name).ok()?.getattr("__get__").ok()?;
            self.getter.store(getter.into_ptr(), Ordering::Release);
        }
        // SAFETY: it holds an object from now on, and a pointer is laid out like an atomic one.
        let getter = unsafe { Bound::ref_from_ptr(py, &*self.getter.as_ptr()) };
        getter.call1((object,)).ok()
    }
}

/// A Python name, created once and kept. PyO3's `intern!` holds a lock meanwhile, and a child
/// forked at that moment would wait for it forever.
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
            // A second thread stores the same string.
            self.object.store(made, Ordering::Release);
        }
        // SAFETY: it holds a string from now on, and a pointer is laid out like an atomic one.
        unsafe { Bound::ref_from_ptr(py, &*self.object.as_ptr()).cast_unchecked() }
    }
}

/// The string object of a name.
macro_rules! name {
    ($py:expr, $text:literal) => {{
        static NAME: $crate::statics::StaticName = $crate::statics::StaticName::new($text);
        NAME.get($py)
    }};
}
pub(crate) use name;
