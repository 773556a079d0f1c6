//! Reads objects and classes without running any code of the program: no properties, no lazily
//! loaded attributes, nothing of a metaclass.
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyModule, PyString, PyTuple, PyType};

use crate::elements::elements;
use crate::raw;
use crate::statics::{Part, known, name};

/// Most classes of an MRO that are examined.
const MOST_CLASSES: usize = 100;

static MRO: Part = Part::new("type", "__mro__");
static NAME: Part = Part::new("type", "__name__");
static QUALIFIED_NAME: Part = Part::new("type", "__qualname__");
static MODULE: Part = Part::new("type", "__module__");
static MEMBERS: Part = Part::new("type", "__dict__");

/// A class and its bases, nearest first.
pub(crate) fn mro<'py>(kind: &Bound<'py, PyType>) -> Vec<Bound<'py, PyType>> {
    let all = MRO.of(kind.as_any()).and_then(|all| all.cast_into_exact::<PyTuple>().ok());
    let classes = all.iter().flat_map(|all| all.iter().take(MOST_CLASSES));
    classes.filter_map(|class| class.cast_into::<PyType>().ok()).collect()
}

/// `__name__` and `__module__` of a class.
pub(crate) fn name_and_module(kind: &Bound<'_, PyType>) -> (String, String) {
    let of = |part: &'static Part| part.of(kind.as_any()).and_then(text).unwrap_or_default();
    (of(&NAME), of(&MODULE))
}

/// `__name__` of a class.
pub(crate) fn own_name(kind: &Bound<'_, PyType>) -> Option<String> {
    NAME.of(kind.as_any()).and_then(text)
}

/// `__qualname__` of a class.
pub(crate) fn qualified_name(kind: &Bound<'_, PyType>) -> Option<String> {
    QUALIFIED_NAME.of(kind.as_any()).and_then(text)
}

fn text(value: Bound<'_, PyAny>) -> Option<String> {
    let value = value.cast_into::<PyString>().ok()?;
    Some(raw::substring(&value, 200)?.to_string_lossy().into_owned())
}

/// `__name__`, `__qualname__` or `__module__` of a class as an object.
pub(crate) fn name_part<'py>(kind: &Bound<'py, PyType>, name: &str) -> Option<Bound<'py, PyAny>> {
    match name {
        "__name__" => NAME.of(kind.as_any()),
        "__qualname__" => QUALIFIED_NAME.of(kind.as_any()),
        "__module__" => MODULE.of(kind.as_any()),
        _ => None,
    }
}

/// The raw attribute of a class, or of the nearest base that has it.
pub(crate) fn class_attribute<'py>(
    kind: &Bound<'py, PyType>,
    name: &Bound<'py, PyString>,
) -> Option<(Bound<'py, PyType>, Bound<'py, PyAny>)> {
    attribute_among(&mro(kind), name)
}

/// Like `class_attribute`, among given classes.
pub(crate) fn attribute_among<'py>(
    classes: &[Bound<'py, PyType>],
    name: &Bound<'py, PyString>,
) -> Option<(Bound<'py, PyType>, Bound<'py, PyAny>)> {
    classes.iter().find_map(|class| {
        let members = MEMBERS.of(class.as_any())?;
        // Checked first: an error costs more.
        if !members.contains(name).ok()? {
            return None;
        }
        Some((class.clone(), members.get_item(name).ok()?))
    })
}

/// Whether a value is a function that is written in Python.
pub(crate) fn is_function(value: &Bound<'_, PyAny>) -> bool {
    known!("types", "FunctionType").is_type_of(value)
}

/// Whether a value is a member descriptor, for `__slots__` or for a member of a C type.
pub(crate) fn is_slot(value: &Bound<'_, PyAny>) -> bool {
    known!("types", "MemberDescriptorType").is_type_of(value)
}

/// Whether a value is an attribute implemented in C by the interpreter or a library.
pub(crate) fn is_native_getter(value: &Bound<'_, PyAny>) -> bool {
    known!("types", "GetSetDescriptorType").is_type_of(value)
}

/// Whether the objects of a class have a genuine `__dict__`. A proxy answers with the attributes of
/// another object, which it may have to create first.
pub(crate) fn has_own_dict(kind: &Bound<'_, PyType>) -> bool {
    if kind.is_subclass_of::<PyModule>().unwrap_or(false) {
        return true;
    }
    let found = class_attribute(kind, name!(kind.py(), "__dict__"));
    found.is_some_and(|(_, getter)| is_native_getter(&getter) || is_slot(&getter))
}

/// The instance attributes of an object.
pub(crate) fn own_dict<'py>(object: &Bound<'py, PyAny>) -> Option<Bound<'py, PyDict>> {
    if !has_own_dict(&object.get_type()) {
        return None;
    }
    raw::get_plainly(object, name!(object.py(), "__dict__"))?.cast_into_exact::<PyDict>().ok()
}

/// Whether a value is `None` or a scalar, whose comparison runs no foreign code.
pub(crate) fn is_scalar(value: &Bound<'_, PyAny>) -> bool {
    value.is_none()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyBytes>()
}

/// Most keys that are examined.
const MOST_KEYS: usize = 10_000;

/// Whether all keys compare without running foreign code. A lookup compares keys of the same hash.
pub(crate) fn has_plain_keys(dict: &Bound<'_, PyDict>) -> bool {
    dict.len() <= MOST_KEYS && dict.iter().all(|(key, _)| is_scalar(&key))
}

/// The value for a name in a dictionary, unless the lookup might run foreign code.
pub(crate) fn held<'py>(
    dict: &Bound<'py, PyDict>,
    name: &Bound<'py, PyString>,
) -> Result<Option<Bound<'py, PyAny>>, ()> {
    if has_plain_keys(dict) { dict.get_item(name).map_err(drop) } else { Err(()) }
}

/// Whether a class member answers for an attribute even if the object has stored one of that name.
/// Those of ORMs answer with the stored value.
pub(crate) fn is_masking(member: &Bound<'_, PyAny>) -> bool {
    let kind = member.get_type();
    let of_type = |name| class_attribute(&kind, name);
    let setter = of_type(name!(member.py(), "__set__"))
        .or_else(|| of_type(name!(member.py(), "__delete__")));
    setter.is_some_and(|(owner, _)| {
        let (_, module) = name_and_module(&owner);
        !matches!(crate::libraries::library_of(&module), "sqlalchemy" | "django")
    })
}

/// The names for which members of these classes answer instead of stored attributes.
pub(crate) fn masked_names(classes: &[Bound<'_, PyType>]) -> Vec<String> {
    let of_python = |class: &&Bound<'_, PyType>| name_and_module(class).1 != "builtins";
    let members = classes.iter().filter(of_python).flat_map(members_of);
    let is_masking = |member: &Bound<'_, PyAny>| {
        let may_mask = raw::is_made_in_python(&member.get_type())
            || known!("builtins", "property").is_type_of(member);
        may_mask && is_masking(member)
    };
    members.filter(|(_, member)| is_masking(member)).filter_map(|(name, _)| text(name)).collect()
}

/// The members of a class.
fn members_of<'py>(class: &Bound<'py, PyType>) -> Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let members = MEMBERS.of(class.as_any());
    let items = members.and_then(|members| members.call_method0(name!(class.py(), "items")).ok());
    let items = items.and_then(|items| elements(&items).ok());
    items.into_iter().flatten().take(1_000).filter_map(|item| item.ok()?.extract().ok()).collect()
}

/// An attribute of the object itself, in its `__dict__` or in a slot.
pub(crate) fn own_attribute<'py>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    if let Some(value) = own_dict(object).and_then(|all| held(&all, name).ok()?) {
        return Some(value);
    }
    let kind = object.get_type();
    let (_, slot) = class_attribute(&kind, name)?;
    if !is_slot(&slot) {
        return None;
    }
    read(&slot, object)
}

/// Reads a slot or a native getter of an object.
pub(crate) fn read<'py>(
    getter: &Bound<'py, PyAny>,
    object: &Bound<'py, PyAny>,
) -> Option<Bound<'py, PyAny>> {
    let py = object.py();
    let get = getter.getattr(name!(py, "__get__")).ok()?;
    let arguments = PyTuple::new(py, [object, object.get_type().as_any()]).ok()?;
    raw::ask(&get, &arguments)
}

/// At most `most` public attributes of the object itself: those in its `__dict__`, then its slots.
pub(crate) fn public_attributes<'py>(
    object: &Bound<'py, PyAny>,
    masked: &[String],
    most: usize,
) -> Vec<(String, Bound<'py, PyAny>)> {
    let public = |name: Bound<'py, PyAny>| {
        let name = name.cast_into::<PyString>().ok()?;
        let name = raw::substring(&name, 200)?.to_string_lossy().into_owned();
        (!name.starts_with('_') && !masked.contains(&name)).then_some(name)
    };
    let own: Vec<_> = own_dict(object).iter().flat_map(|all| all.iter()).take(4 * most).collect();
    let mut found: Vec<_> =
        own.into_iter().filter_map(|(name, value)| Some((public(name)?, value))).collect();
    let classes = mro(&object.get_type());
    let slots = classes.iter().flat_map(members_of).filter(|(_, member)| is_slot(member));
    found.extend(slots.take(most).filter_map(|(name, slot)| {
        let name = public(name)?;
        Some((name, read(&slot, object)?))
    }));
    found.truncate(most);
    found
}

/// The arguments that an exception was created with, whatever its class does with `args`.
pub(crate) fn arguments<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyTuple>> {
    static ARGUMENTS: Part = Part::new("BaseException", "args");
    ARGUMENTS.of(error)?.cast_into_exact().ok()
}

/// Whether an exception was raised `from` something, which hides its context.
pub(crate) fn hides_context(error: &Bound<'_, PyAny>) -> bool {
    static HIDES: Part = Part::new("BaseException", "__suppress_context__");
    HIDES.of(error).is_some_and(|hides| hides.is_truthy().unwrap_or(false))
}

/// `module.Name`, builtins without their module.
pub(crate) fn type_name(kind: &Bound<'_, PyType>) -> String {
    let full = full_type_name(kind);
    full.strip_prefix("builtins.").map(str::to_owned).unwrap_or(full)
}

/// `module.Name`.
pub(crate) fn full_type_name(kind: &Bound<'_, PyType>) -> String {
    let name = qualified_name(kind).unwrap_or_else(|| "?".to_owned());
    match name_and_module(kind).1 {
        module if module.is_empty() => name,
        module => format!("{module}.{name}"),
    }
}
