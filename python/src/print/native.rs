//! Types of Python's own whose `__repr__` would run that of what they hold.
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyString, PyTuple};

use super::objects::short;
use super::{Printed, Printer};
use crate::kinds::{Parts, TypeInfo, library_of, type_name};
use crate::passive;
use crate::raw::{self, name};

impl Printer<'_, '_, '_> {
    pub(super) fn parts(
        &mut self,
        value: &Bound<'_, PyAny>,
        parts: Parts,
        info: &TypeInfo,
    ) -> Printed {
        let py = value.py();
        let own = |name| passive::own_attribute(value, name);
        match parts {
            Parts::Slice => {
                let ends = [name!(py, "start"), name!(py, "stop"), name!(py, "step")];
                self.call(value, "slice", ends.into_iter().filter_map(own))
            }
            Parts::Fraction => {
                let ends = [name!(py, "_numerator"), name!(py, "_denominator")];
                self.call(value, short(&info.name), ends.into_iter().filter_map(own))
            }
            Parts::Future => {
                let state = own(name!(py, "_state"));
                let state = state.and_then(|state| state.extract::<String>().ok());
                self.write(&format!("<{} state={}", info.name, state.as_deref().unwrap_or("?")))?;
                if let Some(raised) = own(name!(py, "_exception")).filter(|error| !error.is_none())
                {
                    self.write(&format!(", raised {}", type_name(&raised.get_type())))?;
                }
                self.write(">")
            }
            Parts::Partial => {
                let arguments = own(name!(py, "args"));
                let arguments = arguments.and_then(|all| all.cast_into_exact::<PyTuple>().ok());
                let named = own(name!(py, "keywords"));
                let named = named.and_then(|all| all.cast_into_exact::<PyDict>().ok());
                self.write("functools.partial")?;
                self.container(value, "(", ")", |printer| {
                    let first = own(name!(py, "func"));
                    let first =
                        first.into_iter().chain(arguments.iter().flat_map(|all| all.iter()));
                    printer.elements(first)?;
                    let named: Vec<_> = named.iter().flat_map(|all| all.iter().take(50)).collect();
                    for (name, value) in named {
                        printer.write(", ")?;
                        let name = name.cast::<PyString>().map(|name| name.to_string_lossy());
                        let name = name.unwrap_or_default();
                        printer.named([(&*name, Some(value))].into_iter())?;
                    }
                    Ok(())
                })
            }
            Parts::MappingProxy => {
                // It does not show its mapping, which may be of the program's.
                let held = raw::module(name!(py, "gc"))
                    .and_then(|gc| gc.call_method1(name!(py, "get_referents"), (value,)))
                    .and_then(|held| held.get_item(0));
                self.write("mappingproxy")?;
                match held.ok().and_then(|held| held.cast_into_exact::<PyDict>().ok()) {
                    Some(held) => self.container(value, "({", "})", |printer| printer.items(&held)),
                    None => self.write("(...)"),
                }
            }
            Parts::Method => {
                let name = method_name(value);
                self.write(&format!("<bound method {} of ", name.as_deref().unwrap_or("?")))?;
                match own(name!(py, "__self__")) {
                    Some(owner) => self.container(value, "", ">", |printer| printer.value(&owner)),
                    None => self.write("?>"),
                }
            }
            Parts::Module => {
                let text = |name| own(name).and_then(|text| text.extract::<String>().ok());
                let name = text(name!(py, "__name__")).unwrap_or_else(|| "?".to_owned());
                match text(name!(py, "__file__")) {
                    Some(file) => self.write(&format!("<module '{name}' from '{file}'>")),
                    None => self.write(&format!("<module '{name}'>")),
                }
            }
            Parts::Moment => {
                let zone = info.zone.as_ref();
                let zone = zone.and_then(|get| get.bind(py).call1((value,)).ok());
                let is_known = zone.is_some_and(|zone| {
                    if zone.is_none() {
                        return true;
                    }
                    let (_, module) = passive::name_and_module(&zone.get_type());
                    ["datetime", "zoneinfo", "pytz", "dateutil"].contains(&library_of(&module))
                });
                match is_known {
                    true => self.by_itself(value, info),
                    false => self.left_out(value, "its time zone is of the program's own"),
                }
            }
            Parts::Stream => match is_all_native(value, 0) {
                true => self.by_itself(value, info),
                false => self.plain(value, info),
            },
        }
    }

    fn call<'py>(
        &mut self,
        value: &Bound<'py, PyAny>,
        name: &str,
        arguments: impl Iterator<Item = Bound<'py, PyAny>>,
    ) -> Printed {
        self.write(name)?;
        self.container(value, "(", ")", |printer| printer.elements(arguments))
    }
}

/// The name of a bound method, with that of its class.
pub(super) fn method_name(method: &Bound<'_, PyAny>) -> Option<String> {
    let py = method.py();
    let function = passive::own_attribute(method, name!(py, "__func__"));
    let function = function.filter(passive::is_function)?;
    function.getattr(name!(py, "__qualname__")).ok()?.extract().ok()
}

/// Whether a stream and those within it are all of Python's own: it prints their name.
fn is_all_native(stream: &Bound<'_, PyAny>, depth: usize) -> bool {
    let py = stream.py();
    let (_, module) = passive::name_and_module(&stream.get_type());
    if module != "_io" || depth > 3 {
        return false;
    }
    let inner = [name!(py, "buffer"), name!(py, "raw")];
    if let Some(inner) = inner.into_iter().find_map(|name| passive::own_attribute(stream, name)) {
        return is_all_native(&inner, depth + 1);
    }
    passive::own_attribute(stream, name!(py, "name")).is_none_or(|name| {
        name.is_exact_instance_of::<PyString>()
            || name.is_exact_instance_of::<PyInt>()
            || name.is_exact_instance_of::<PyBytes>()
    })
}
