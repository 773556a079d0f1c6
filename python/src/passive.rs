//! What objects and classes hold, read without running any code of the program: no property, no
//! attribute that is loaded when it is asked for, nothing of a metaclass.
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyModule, PyString, PyTuple, PyType};

use crate::raw::{self, known, name};

/// More classes are not looked at.
const MOST_CLASSES: usize = 100;

/// A class and those it is derived from, nearest first.
pub(crate) fn mro<'py>(kind: &Bound<'py, PyType>) -> Vec<Bound<'py, PyType>> {
    let all = of_type(kind, name!(kind.py(), "__mro__"));
    let all = all.and_then(|all| all.cast_into_exact::<PyTuple>().ok());
    let classes = all.iter().flat_map(|all| all.iter().take(MOST_CLASSES));
    classes.filter_map(|class| class.cast_into::<PyType>().ok()).collect()
}

/// `__name__` and `__module__` of a class.
pub(crate) fn name_and_module(kind: &Bound<'_, PyType>) -> (String, String) {
    let py = kind.py();
    let of = |name: &Bound<'_, PyString>| of_type(kind, name).and_then(text);
    let name = of(name!(py, "__name__")).unwrap_or_default();
    (name, of(name!(py, "__module__")).unwrap_or_default())
}

/// `__qualname__` of a class.
pub(crate) fn qualified_name(kind: &Bound<'_, PyType>) -> Option<String> {
    of_type(kind, name!(kind.py(), "__qualname__")).and_then(text)
}

fn text(value: Bound<'_, PyAny>) -> Option<String> {
    let value = value.cast_into::<PyString>().ok()?;
    Some(raw::substring(&value, 200)?.to_string_lossy().into_owned())
}

/// What `type` itself knows of a class, whatever its metaclass has made of that.
pub(crate) fn of_type<'py>(
    kind: &Bound<'py, PyType>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    let py = kind.py();
    let parts = py.get_type::<PyType>().getattr(name!(py, "__dict__")).ok()?;
    let part = parts.get_item(name).ok()?;
    part.call_method1(name!(py, "__get__"), (kind,)).ok()
}

/// An attribute as it stands in a class or the first of those it is derived from that has it.
pub(crate) fn class_attribute<'py>(
    kind: &Bound<'py, PyType>,
    name: &Bound<'py, PyString>,
) -> Option<(Bound<'py, PyType>, Bound<'py, PyAny>)> {
    attribute_among(&mro(kind), name)
}

/// The same among classes that are already known.
pub(crate) fn attribute_among<'py>(
    classes: &[Bound<'py, PyType>],
    name: &Bound<'py, PyString>,
) -> Option<(Bound<'py, PyType>, Bound<'py, PyAny>)> {
    classes.iter().find_map(|class| {
        let members = of_type(class, name!(class.py(), "__dict__"))?;
        Some((class.clone(), members.get_item(name).ok()?))
    })
}

/// Whether a value is a function that is written in Python.
pub(crate) fn is_function(value: &Bound<'_, PyAny>) -> bool {
    known!("types", "FunctionType").is_type_of(value)
}

/// Whether a value reads a place of an object's memory: an attribute of `__slots__`, or of a type
/// that is written in C.
pub(crate) fn is_slot(value: &Bound<'_, PyAny>) -> bool {
    known!("types", "MemberDescriptorType").is_type_of(value)
}

/// Whether a value is an attribute that code of the interpreter or of a library in C answers.
pub(crate) fn is_native_getter(value: &Bound<'_, PyAny>) -> bool {
    known!("types", "GetSetDescriptorType").is_type_of(value)
}

/// The attributes of the object itself.
pub(crate) fn own_dict<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    let py = object.py();
    let name = name!(py, "__dict__");
    if !object.is_instance_of::<PyModule>() {
        // A proxy answers with those of another object, which it may have to make first.
        let (_, getter) = class_attribute(&object.get_type(), name)?;
        if !is_native_getter(&getter) && !is_slot(&getter) {
            return None;
        }
    }
    raw::get_plainly(object, name)?.cast_into_exact::<PyDict>().ok()
}

/// An attribute that the object itself holds, in its `__dict__` or in a slot.
pub(crate) fn own_attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    if let Some(value) = own_dict(object).and_then(|all| all.get_item(name).ok()?) {
        return Some(value);
    }
    let kind = object.get_type();
    let (_, slot) = class_attribute(&kind, name)?;
    if !is_slot(&slot) {
        return None;
    }
    read(&slot, object)
}

/// What a slot or a native getter answers for an object.
pub(crate) fn read<'py>(
    getter: &Bound<'py, PyAny>,
    object: &Bound<'py, PyAny>,
) -> Option<Bound<'py, PyAny>> {
    let py = object.py();
    let get = getter.getattr(name!(py, "__get__")).ok()?;
    let arguments = PyTuple::new(py, [object, object.get_type().as_any()]).ok()?;
    raw::call(&get, &arguments).ok()
}

/// Public attributes that the object itself holds, at most so many: those of its `__dict__`, then
/// its slots.
pub(crate) fn public_attributes<'py>(
    object: &Bound<'py, PyAny>,
    most: usize,
) -> Vec<(String, Bound<'py, PyAny>)> {
    let public = |name: Bound<'py, PyAny>| {
        let name = name.cast_into::<PyString>().ok()?;
        let name = raw::substring(&name, 200)?.to_string_lossy().into_owned();
        (!name.starts_with('_')).then_some(name)
    };
    let own: Vec<_> = own_dict(object).iter().flat_map(|all| all.iter()).take(4 * most).collect();
    let mut found: Vec<_> =
        own.into_iter().filter_map(|(name, value)| Some((public(name)?, value))).collect();
    let classes = mro(&object.get_type());
    let slots = classes.iter().flat_map(|class| {
        let members = of_type(class, name!(class.py(), "__dict__"));
        let items =
            members.and_then(|members| members.call_method0(name!(class.py(), "items")).ok());
        let items: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)> = items
            .and_then(|items| items.try_iter().ok())
            .into_iter()
            .flatten()
            .take(1_000)
            .filter_map(|item| item.ok()?.extract().ok())
            .filter(|(_, member)| is_slot(member))
            .collect();
        items
    });
    found.extend(slots.take(most).filter_map(|(name, slot)| {
        let name = public(name)?;
        Some((name, read(&slot, object)?))
    }));
    found.truncate(most);
    found
}

/// What `BaseException` itself knows of an exception, whatever its class has made of that.
pub(crate) fn of_exception<'py>(
    error: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    let py = error.py();
    let parts = py.get_type::<PyBaseException>().getattr(name!(py, "__dict__")).ok()?;
    read(&parts.get_item(name).ok()?, error)
}

/// The arguments that an exception was made with.
pub(crate) fn arguments<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyTuple>> {
    of_exception(error, name!(error.py(), "args"))?.cast_into_exact().ok()
}
