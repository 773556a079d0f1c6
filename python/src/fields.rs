//! The fields of classes whose `__repr__` a library has made, and which of them it would show.
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple, PyType};

use crate::elements::elements;
use crate::passive::{self, attribute_among, is_function};
use crate::raw::name;

/// A field that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) name: String,
    /// The program prints it in a way of its own, so its value is not shown.
    pub(crate) is_veiled: bool,
}

const MOST_FIELDS: usize = 1_000;

/// The file of the code of a function.
pub(crate) fn file_of(function: &Bound<'_, PyAny>) -> Option<String> {
    file_of_code(&function.getattr(name!(function.py(), "__code__")).ok()?)
}

/// The file of a code object, with slashes.
pub(crate) fn file_of_code(code: &Bound<'_, PyAny>) -> Option<String> {
    let file = code.getattr(name!(code.py(), "co_filename")).ok()?.cast_into::<PyString>().ok()?;
    Some(file.to_string_lossy().replace('\\', "/"))
}

/// The fields that the `__repr__` of a data class, or one of attrs, pydantic or msgspec would
/// show; `None`: it is none of these, or prints itself in a way of its own.
pub(crate) fn of_library(
    kind: &Bound<'_, PyType>,
    classes: &[Bound<'_, PyType>],
    owner: &Bound<'_, PyType>,
    printer: &Bound<'_, PyAny>,
) -> Option<Vec<Field>> {
    let py = kind.py();
    let is_python = is_function(printer);
    let file = if is_python { file_of(printer)? } else { String::new() };
    // Of the class that the text was made for: one derived from it may have more.
    let of_owner = std::slice::from_ref(owner);
    let attribute = |name| attribute_among(of_owner, name).map(|(_, value)| value);
    let made_by_reprlib = file.ends_with("/reprlib.py") || file.ends_with("/dataclasses.py");
    if made_by_reprlib && is_generated(printer) {
        return of_mapping(&attribute(name!(py, "__dataclass_fields__"))?, |field| {
            shown(passive::own_attribute(field, name!(py, "repr")))
        });
    }
    if file.starts_with("<attrs generated") {
        let all = attribute(name!(py, "__attrs_attrs__"))?.cast_into::<PyTuple>().ok()?;
        let fields = all.iter().take(MOST_FIELDS).filter_map(|field| {
            let name = passive::own_attribute(&field, name!(py, "name"))?.extract().ok()?;
            let is_veiled = shown(passive::own_attribute(&field, name!(py, "repr")))?;
            Some(Field { name, is_veiled })
        });
        return Some(fields.collect());
    }
    let named = |library: &str, class: &str| {
        classes.iter().any(|of| {
            let (name, module) = passive::name_and_module(of);
            name == class && (module == library || module.starts_with(&format!("{library}.")))
        })
    };
    if named("pydantic", "BaseModel") && (!is_python || file.contains("/pydantic/")) {
        return of_pydantic(classes);
    }
    if named("msgspec", "Struct") && !is_python {
        let (_, slot) = passive::class_attribute(&kind.get_type(), name!(py, "__struct_fields__"))?;
        let names = passive::read(&slot, kind.as_any())?.cast_into::<PyTuple>().ok()?;
        let names = names.iter().take(MOST_FIELDS).filter_map(|name| name.extract().ok());
        return Some(names.map(|name| Field { name, is_veiled: false }).collect());
    }
    None
}

/// Whether the function that `reprlib` guards against endless texts was made by `dataclasses`.
fn is_generated(guard: &Bound<'_, PyAny>) -> bool {
    let py = guard.py();
    let cells = guard.getattr(name!(py, "__closure__")).and_then(|cells| elements(&cells));
    let held = cells.into_iter().flatten().filter_map(|cell| {
        let cell = cell.ok()?;
        cell.getattr(name!(py, "cell_contents")).ok().filter(is_function)
    });
    // Beside the function it may hold one of the interpreter's, in C.
    let files: Vec<_> = held.filter_map(|function| file_of(&function)).collect();
    matches!(&files[..], [only] if only == "<string>")
}

/// `None`: a class of the program has changed what is shown.
fn of_pydantic(classes: &[Bound<'_, PyType>]) -> Option<Vec<Field>> {
    let py = classes.first()?.py();
    let (owner, _) = attribute_among(classes, name!(py, "__repr_args__"))?;
    let (_, module) = passive::name_and_module(&owner);
    if !matches!(crate::kinds::library_of(&module), "pydantic" | "sqlmodel") {
        return None;
    }
    let names =
        [name!(py, "__pydantic_fields__"), name!(py, "model_fields"), name!(py, "__fields__")];
    let mut found = names.into_iter().filter_map(|name| attribute_among(classes, name));
    let (_, all) = found.find(|(_, all)| all.is_instance_of::<PyDict>())?;
    of_mapping(&all, |field| {
        let info = passive::own_attribute(field, name!(py, "field_info"));
        shown(passive::own_attribute(info.as_ref().unwrap_or(field), name!(py, "repr")))
    })
}

/// Fields by name, as far as `shown` says of one that it is shown.
fn of_mapping(
    all: &Bound<'_, PyAny>,
    shown: impl Fn(&Bound<'_, PyAny>) -> Option<bool>,
) -> Option<Vec<Field>> {
    // Read first: looking at a field may change them.
    let all: Vec<_> = all.cast::<PyDict>().ok()?.iter().take(MOST_FIELDS).collect();
    let fields = all.into_iter().filter_map(|(name, field)| {
        Some(Field { name: name.extract().ok()?, is_veiled: shown(&field)? })
    });
    Some(fields.collect())
}

/// For what a field says of `repr`: whether its value is veiled, `None` when it is not shown.
fn shown(repr: Option<Bound<'_, PyAny>>) -> Option<bool> {
    let repr = repr?;
    match repr.cast::<PyBool>() {
        Ok(is_shown) => is_shown.is_true().then_some(false),
        Err(_) => Some(true),
    }
}

/// The names of a named tuple.
pub(crate) fn of_named_tuple(owner: &Bound<'_, PyType>) -> Option<Vec<String>> {
    let (_, names) = attribute_among(std::slice::from_ref(owner), name!(owner.py(), "_fields"))?;
    let names = names.cast_into::<PyTuple>().ok()?;
    let names = names.iter().take(MOST_FIELDS).map(|name| name.cast_into::<PyString>());
    names.map(|name| Some(name.ok()?.to_string_lossy().into_owned())).collect()
}
