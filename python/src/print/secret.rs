//! Prints the value of a secret's name. A missing value is shown, because a developer needs to see
//! that it is missing. No code of the program runs.

use std::borrow::Cow;

use flawless_redact::SCRUBBED;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString, PyTuple,
};

use super::native::method_name;
use super::plain_text;
use crate::kinds::{Kind, Parts, type_info};

/// The value itself if it reveals nothing, otherwise the mark.
pub(crate) fn of_secret(value: &Bound<'_, PyAny>) -> Cow<'static, str> {
    match nothing(value) {
        Some(text) => Cow::Borrowed(text),
        None => object(value).map_or(Cow::Borrowed(SCRUBBED), Cow::Owned),
    }
}

/// Built-in values that are empty or boolean.
fn nothing(value: &Bound<'_, PyAny>) -> Option<&'static str> {
    if value.is_none() {
        return Some("None");
    }
    if let Ok(truth) = value.cast_exact::<PyBool>() {
        return Some(if truth.is_true() { "True" } else { "False" });
    }
    if value.is_exact_instance_of::<PyInt>() {
        return match value.extract::<i64>() {
            Ok(0) => Some("0"),
            Ok(-1) => Some("-1"),
            _ => None,
        };
    }
    if value.is_exact_instance_of::<PyFloat>() {
        return value.extract::<f64>().is_ok_and(|number| number == 0.0).then_some("0.0");
    }
    let empty = [
        (value.is_exact_instance_of::<PyString>(), "''"),
        (value.is_exact_instance_of::<PyBytes>(), "b''"),
        (value.is_exact_instance_of::<PyList>(), "[]"),
        (value.is_exact_instance_of::<PyTuple>(), "()"),
        (value.is_exact_instance_of::<PyDict>(), "{}"),
        (value.is_exact_instance_of::<PySet>(), "set()"),
        (value.is_exact_instance_of::<PyFrozenSet>(), "frozenset()"),
    ];
    let (_, text) = empty.into_iter().find(|(is_of_type, _)| *is_of_type)?;
    value.len().is_ok_and(|length| length == 0).then_some(text)
}

/// A function, a class, or an object that shows only its type.
fn object(value: &Bound<'_, PyAny>) -> Option<String> {
    let info = type_info(value);
    match (&*info.name, &info.kind) {
        // The interpreter prints these by their names and addresses.
        ("function" | "builtin_function_or_method" | "type", _) => {
            // `repr` itself would run signal handlers first, and lose their exceptions.
            let printer = info.printer.as_ref()?.bind(value.py());
            super::repr_by(printer, value).map(|text| text.to_string_lossy().into_owned())
        }
        // Its `__repr__` would print the object that the method belongs to.
        (_, Kind::Parts(Parts::Method)) => {
            Some(format!("<bound method {}>", method_name(value).as_deref().unwrap_or("?")))
        }
        (name, Kind::Plain) => Some(plain_text(value, name)),
        _ => None,
    }
}
