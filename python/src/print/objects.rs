//! Objects that are not of Python's own plain types, each by its kind.
use std::sync::Arc;

use flawless_redact::SCRUBBED;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyFrozenSet, PyList, PySet, PyString, PyTuple};

use super::{Printed, Printer, Stop, Trust, elements_in};
use crate::clock;
use crate::kinds::{Kind, TypeInfo, type_info};
use crate::raw::{self, name};

/// An object that holds a container or text of more elements is not asked to print itself: it
/// would print all of it.
const HUGE: usize = 10_000;
/// Attributes of an object that are looked at for that.
const LOOKED_AT: usize = 50;

impl Printer<'_> {
    pub(super) fn other(&mut self, value: &Bound<'_, PyAny>) -> Printed {
        let info = type_info(value);
        match &info.kind {
            Kind::Text => match value.cast::<PyString>() {
                Ok(text) => self.string(text),
                Err(_) => self.plain(value, &info),
            },
            Kind::Integer => self.integer(value),
            Kind::Bytes => match value.cast::<PyBytes>() {
                Ok(bytes) => self.bytes(bytes.as_bytes(), ""),
                Err(_) => self.plain(value, &info),
            },
            Kind::Dict => match value.cast::<PyDict>() {
                Ok(dict) => {
                    self.write(short(&info.name))?;
                    self.container(value, "({", "})", |printer| printer.items(dict))
                }
                Err(_) => self.plain(value, &info),
            },
            Kind::List => match value.cast::<PyList>() {
                Ok(list) => {
                    self.container(value, "[", "]", |printer| printer.elements(list.iter()))
                }
                Err(_) => self.plain(value, &info),
            },
            Kind::Tuple => match value.cast::<PyTuple>() {
                Ok(tuple) => {
                    self.write(short(&info.name))?;
                    self.tuple(tuple)
                }
                Err(_) => self.plain(value, &info),
            },
            Kind::Set => {
                match value.is_instance_of::<PySet>() || value.is_instance_of::<PyFrozenSet>() {
                    // A subtype may iterate in its own way.
                    true => {
                        let length = value.len().unwrap_or(0);
                        self.write(&format!("<{} of {length} elements>", info.name))
                    }
                    false => self.plain(value, &info),
                }
            }
            Kind::Iterated => {
                self.write(short(&info.name))?;
                self.container(value, "([", "])", |printer| match value.try_iter() {
                    Ok(elements) => printer.elements(elements.map_while(Result::ok)),
                    Err(_) => Ok(()),
                })
            }
            Kind::Fields(names) => {
                self.write(short(&info.name))?;
                self.container(value, "(", ")", |printer| printer.fields(value, names))
            }
            Kind::Namespace => {
                let name = short(&info.name);
                // The one type that prints itself by another name.
                self.write(if name == "SimpleNamespace" { "namespace" } else { name })?;
                self.container(value, "(", ")", |printer| printer.attributes(value))
            }
            Kind::Plain => self.plain(value, &info),
            Kind::Exception => {
                self.write(short(&info.name))?;
                let arguments = raw::get_plainly(value, name!(value.py(), "args"));
                match arguments.and_then(|arguments| arguments.cast_into::<PyTuple>().ok()) {
                    Some(arguments) => self
                        .container(value, "(", ")", |printer| printer.elements(arguments.iter())),
                    None => self.write("()"),
                }
            }
            Kind::Array => self.array(value, &info),
            Kind::Lazy => self.write(&format!("<{}, not evaluated>", info.name)),
            Kind::Known => self.own_repr(value),
            Kind::Guarded => self.guarded(value, &info),
        }
    }

    /// A `__repr__` that nobody knows.
    fn guarded(&mut self, value: &Bound<'_, PyAny>, info: &Arc<TypeInfo>) -> Printed {
        if let Some(length) = is_huge(value) {
            return self.left_out(info, &format!("it holds {length} elements"));
        }
        if info.is_slow() {
            return self.left_out(info, "it takes too long");
        }
        match (info.is_trusted(), self.trust) {
            (true, _) | (false, Trust::All) => {
                (self.calling)(Some(info));
                let start = clock::now();
                let printed = self.own_repr(value);
                info.took(start.elapsed());
                (self.calling)(None);
                printed
            }
            (false, Trust::OnlyKnown) => Err(Stop::Guarded),
            (false, Trust::Never) => self.left_out(info, "it takes too long"),
        }
    }

    fn left_out(&mut self, info: &TypeInfo, why: &str) -> Printed {
        self.write(&format!("<{} object, not printed: {why}>", info.name))
    }

    fn plain(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        self.write(&format!("<{} object at {:#x}>", info.name, value.as_ptr() as usize))
    }

    pub(super) fn fields(&mut self, value: &Bound<'_, PyAny>, names: &[String]) -> Printed {
        for (at, name) in names.iter().enumerate() {
            if at > 0 {
                self.write(", ")?;
            }
            self.field(name, raw::get_plainly(value, &PyString::new(value.py(), name)))?;
        }
        Ok(())
    }

    pub(super) fn attributes(&mut self, value: &Bound<'_, PyAny>) -> Printed {
        let attributes = raw::get_plainly(value, name!(value.py(), "__dict__"));
        let attributes = attributes.and_then(|all| all.cast_into_exact::<PyDict>().ok());
        let attributes: Vec<_> =
            attributes.iter().flat_map(|all| all.iter().take(self.left / 3 + 1)).collect();
        for (at, (name, value)) in attributes.into_iter().enumerate() {
            if at > 0 {
                self.write(", ")?;
            }
            let name = name.cast::<PyString>().map(|name| name.to_string_lossy().into_owned());
            self.field(&name.unwrap_or_default(), Some(value))?;
        }
        Ok(())
    }

    fn field(&mut self, name: &str, value: Option<Bound<'_, PyAny>>) -> Printed {
        self.write(name)?;
        self.write("=")?;
        match value {
            _ if self.redactor.is_secret_name(name) => self.write(SCRUBBED),
            Some(value) => self.value(&value),
            None => self.write("?"),
        }
    }

    fn array(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        let py = value.py();
        self.write("<")?;
        self.write(&info.name)?;
        for name in [name!(py, "shape"), name!(py, "dtype"), name!(py, "dtypes")] {
            let Ok(attribute) = value.getattr(name) else { continue };
            // A column with its own data is no description.
            let Ok(text) = attribute.str() else { continue };
            let text: String = text.to_string_lossy().chars().take(80).collect();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            self.write(" ")?;
            self.text_of(name)?;
            self.write("=")?;
            self.write(&text)?;
        }
        self.write(">")
    }
}

/// How much an object holds, if that is a lot: elements of its own, where no code in Python
/// counts them, or those of the largest container or text among its attributes.
fn is_huge(value: &Bound<'_, PyAny>) -> Option<usize> {
    let counts = value.get_type().getattr(name!(value.py(), "__len__"));
    let is_native = counts.is_ok_and(|count| !count.hasattr("__code__").unwrap_or(true));
    let own = if is_native { value.len().ok() } else { None };
    let attributes = raw::get_plainly(value, name!(value.py(), "__dict__"));
    let attributes = attributes.and_then(|all| all.cast_into_exact::<PyDict>().ok());
    let attributes = attributes.iter().flat_map(|all| all.iter().take(LOOKED_AT));
    let lengths = attributes.filter_map(|(_, held)| {
        let text = held.cast_exact::<PyString>().ok().map(raw::length);
        text.or_else(|| elements_in(&held))
    });
    lengths.chain(own).max().filter(|&length| length > HUGE)
}

/// The name without its module, as Python's own types print themselves.
fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
