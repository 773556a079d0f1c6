//! Built-in operators and functions, on values of built-in types only, so that no code of the
//! program runs.
use pyo3::basic::CompareOp;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PySlice, PyString, PyTuple,
};

use super::expression::{Comparison, Operator};
use super::follow::{Follow, Followed, Object, Unknown, is_short};
use crate::kinds;
use crate::passive::{self, class_attribute, is_function, is_scalar};
use crate::raw;
use crate::statics::name;

/// Most elements of a slice.
pub(super) const SLICE: usize = 10_000;

impl Follow<'_, '_> {
    pub(super) fn builtin<'py>(
        &mut self,
        py: Python<'py>,
        function: &str,
        arguments: &[Object<'py>],
    ) -> Followed<Object<'py>> {
        let text = |text: &str| Ok(PyString::new(py, text).into_any());
        match (function, arguments) {
            ("repr", [value]) => text(&self.repr_of(value)?),
            ("str", [value]) => text(&self.str_of(value)?),
            ("format", [value]) => text(&self.format_of(value, "")?),
            ("format", [value, spec]) => {
                let spec = spec.cast_exact::<PyString>().map_err(|_| Unknown)?;
                text(&self.format_of(value, &spec.to_string_lossy())?)
            }
            ("type", [value]) => Ok(value.get_type().into_any()),
            ("id", [value]) => number(py, value.as_ptr() as usize),
            ("hex", [value]) if value.is_exact_instance_of::<PyInt>() => {
                let value: i64 = value.extract().map_err(|_| Unknown)?;
                let sign = if value < 0 { "-" } else { "" };
                text(&format!("{sign}{:#x}", value.unsigned_abs()))
            }
            ("len", [value]) => {
                self.is_certain(value)?;
                match length(value) {
                    Some(length) => number(py, length),
                    None => {
                        let found = class_attribute(&value.get_type(), name!(py, "__len__"));
                        self.run(&found.ok_or(Unknown)?.1, vec![value.clone()])
                    }
                }
            }
            ("getattr", [object, name, default @ ..]) if default.len() <= 1 => {
                let name = name.cast_exact::<PyString>().map_err(|_| Unknown)?;
                let found = self.attribute(object, name)?;
                found.or_else(|| default.first().cloned()).ok_or(Unknown)
            }
            _ => Err(Unknown),
        }
    }

    pub(super) fn truth(&mut self, value: &Object<'_>) -> Followed<bool> {
        let py = value.py();
        if let Some(length) = length(value) {
            return Ok(length > 0);
        }
        if is_scalar(value) || kinds::is_native_scalar(value) {
            return value.is_truthy().map_err(|_| Unknown);
        }
        let has = |name| class_attribute(&value.get_type(), name).is_some();
        match has(name!(py, "__bool__")) || has(name!(py, "__len__")) {
            true => Err(Unknown),
            false => Ok(true),
        }
    }

    pub(super) fn compare<'py>(
        &mut self,
        left: &Object<'py>,
        comparison: Comparison,
        right: &Object<'py>,
    ) -> Followed<Object<'py>> {
        let py = left.py();
        self.is_certain(left)?;
        self.is_certain(right)?;
        let operator = match comparison {
            Comparison::Is => return truth_object(py, left.is(right)),
            Comparison::IsNot => return truth_object(py, !left.is(right)),
            Comparison::In => return truth_object(py, holds(right, left)?),
            Comparison::NotIn => return truth_object(py, !holds(right, left)?),
            Comparison::Equal => CompareOp::Eq,
            Comparison::NotEqual => CompareOp::Ne,
            Comparison::Less => CompareOp::Lt,
            Comparison::LessOrEqual => CompareOp::Le,
            Comparison::Greater => CompareOp::Gt,
            Comparison::GreaterOrEqual => CompareOp::Ge,
        };
        match is_small(left) && is_small(right) {
            true => left.rich_compare(right, operator).map_err(|_| Unknown),
            false => Err(Unknown),
        }
    }

    pub(super) fn binary<'py>(
        &mut self,
        left: &Object<'py>,
        operator: Operator,
        right: &Object<'py>,
    ) -> Followed<Object<'py>> {
        if let Ok(text) = left.cast_exact::<PyString>() {
            return match operator {
                Operator::Modulo => self.percent(text, right),
                Operator::Add
                    if is_short(text) && right.cast_exact::<PyString>().is_ok_and(is_short) =>
                {
                    left.add(right).map_err(|_| Unknown)
                }
                Operator::Multiply => {
                    let times: usize = right.extract().map_err(|_| Unknown)?;
                    let is_bounded = raw::length(text).saturating_mul(times) <= SLICE;
                    if is_bounded { left.mul(right).map_err(|_| Unknown) } else { Err(Unknown) }
                }
                _ => Err(Unknown),
            };
        }
        if !is_small_number(left) || !is_small_number(right) {
            return Err(Unknown);
        }
        let answer = match operator {
            Operator::Modulo => left.rem(right),
            Operator::Add => left.add(right),
            Operator::Subtract => left.sub(right),
            Operator::Multiply => left.mul(right),
            Operator::Divide => left.div(right),
            Operator::DivideWhole => left.floor_div(right),
        };
        answer.map_err(|_| Unknown)
    }
}

pub(super) fn truth_object(py: Python<'_>, truth: bool) -> Followed<Object<'_>> {
    Ok(PyBool::new(py, truth).to_owned().into_any())
}

fn number(py: Python<'_>, number: usize) -> Followed<Object<'_>> {
    Ok(number.into_pyobject(py).map_err(|_| Unknown)?.into_any())
}

/// Whether a value is a scalar that can be compared quickly.
pub(super) fn is_small(value: &Object<'_>) -> bool {
    if value.is_exact_instance_of::<PyInt>() {
        return value.extract::<i64>().is_ok();
    }
    is_scalar(value) && length(value).is_none_or(|length| length <= SLICE)
}

fn is_small_number(value: &Object<'_>) -> bool {
    value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyInt>() && value.extract::<i64>().is_ok()
}

/// The length of a value of a built-in type.
fn length(value: &Object<'_>) -> Option<usize> {
    if let Ok(text) = value.cast_exact::<PyString>() {
        return Some(raw::length(text));
    }
    if let Ok(bytes) = value.cast_exact::<PyBytes>() {
        return Some(bytes.as_bytes().len());
    }
    crate::print::elements_in(value)
}

fn holds(container: &Object<'_>, value: &Object<'_>) -> Followed<bool> {
    if !is_small(value) || length(container).is_none_or(|length| length > SLICE) {
        return Err(Unknown);
    }
    // Elements other than scalars may have their own comparison.
    let is_plain = if let Ok(all) = container.cast_exact::<PyTuple>() {
        all.iter().all(|element| is_scalar(&element))
    } else if let Ok(all) = container.cast_exact::<PyList>() {
        all.iter().all(|element| is_scalar(&element))
    } else if let Ok(all) = container.cast_exact::<PyDict>() {
        passive::has_plain_keys(all)
    } else if let Ok(all) = container.cast_exact::<PySet>() {
        all.iter().all(|element| is_scalar(&element))
    } else if let Ok(all) = container.cast_exact::<PyFrozenSet>() {
        all.iter().all(|element| is_scalar(&element))
    } else {
        container.is_exact_instance_of::<PyString>() && value.is_exact_instance_of::<PyString>()
    };
    if is_plain { container.contains(value).map_err(|_| Unknown) } else { Err(Unknown) }
}

fn is_sequence(value: &Object<'_>) -> bool {
    value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyBytes>()
}

impl Follow<'_, '_> {
    pub(super) fn item<'py>(
        &self,
        value: &Object<'py>,
        index: &Object<'py>,
    ) -> Followed<Object<'py>> {
        self.is_certain(value)?;
        let is_plain = match value.cast_exact::<PyDict>() {
            Ok(dict) => is_small(index) && passive::has_plain_keys(dict),
            Err(_) => is_sequence(value) && index.is_exact_instance_of::<PyInt>(),
        };
        if is_plain { value.get_item(index).map_err(|_| Unknown) } else { Err(Unknown) }
    }

    pub(super) fn slice<'py>(
        &self,
        value: &Object<'py>,
        from: Option<Object<'py>>,
        to: Option<Object<'py>>,
    ) -> Followed<Object<'py>> {
        self.is_certain(value)?;
        slice(value, from, to)
    }
}

fn slice<'py>(
    value: &Object<'py>,
    from: Option<Object<'py>>,
    to: Option<Object<'py>>,
) -> Followed<Object<'py>> {
    let py = value.py();
    let length = length(value).filter(|_| is_sequence(value)).ok_or(Unknown)?;
    let length = isize::try_from(length).map_err(|_| Unknown)?;
    let end = |end: Option<Object<'py>>, otherwise: isize| match end {
        None => Ok(otherwise),
        Some(end) if end.is_none() => Ok(otherwise),
        Some(end) => end.extract::<isize>().map_err(|_| Unknown),
    };
    let slice = PySlice::new(py, end(from, 0)?, end(to, isize::MAX)?, 1);
    let taken = slice.indices(length).map_err(|_| Unknown)?.slicelength;
    if taken > SLICE { Err(Unknown) } else { value.get_item(slice).map_err(|_| Unknown) }
}

/// `dict.get`.
pub(super) fn get<'py>(
    dict: &Bound<'py, PyDict>,
    method: &Bound<'py, PyString>,
    arguments: &[Object<'py>],
) -> Followed<Object<'py>> {
    let (key, default) = match arguments {
        [key] => (key, dict.py().None().into_bound(dict.py())),
        [key, default] => (key, default.clone()),
        _ => return Err(Unknown),
    };
    if method != "get" || !is_small(key) || !passive::has_plain_keys(dict) {
        return Err(Unknown);
    }
    Ok(dict.get_item(key).map_err(|_| Unknown)?.unwrap_or(default))
}

/// Whether the class of a value has a method of its own, written in Python.
pub(super) fn has_own<'py>(value: &Object<'py>, method: &Bound<'py, PyString>) -> bool {
    let found = class_attribute(&value.get_type(), method);
    found.is_some_and(|(_, found)| is_function(&found))
}
