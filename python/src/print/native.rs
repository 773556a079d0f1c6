//! Built-in types whose `__repr__` would call that of their parts.
use pyo3::prelude::*;
use pyo3::types::{
    PyBytes, PyDict, PyInt, PyList, PyString, PyTuple, PyType, PyWeakrefMethods, PyWeakrefReference,
};

use super::objects::short;
use super::{Printed, Printer};
use crate::kinds::{Kind, Parts, TypeInfo, type_info};
use crate::libraries::library_of;
use crate::passive::type_name;
use crate::passive::{self, is_scalar};
use crate::raw;
use crate::statics::{known, name};

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
            Parts::Path | Parts::Uuid | Parts::Address => self.standard(value, info),
            Parts::Deque => {
                self.write(short(&info.name))?;
                let of = known!("collections", "deque").get(py);
                let most = own_part(value, name!(py, "maxlen")).filter(|most| !most.is_none());
                self.container(value, "(", ")", |printer| {
                    printer.write("[")?;
                    if let Ok(of) = of {
                        printer.elements(super::native_elements(of, value))?;
                    }
                    printer.write("]")?;
                    printer.named(most.into_iter().map(|most| (", maxlen", Some(most))))
                })
            }
            Parts::DefaultDict => {
                self.write(short(&info.name))?;
                self.container(value, "(", ")", |printer| {
                    if let Some(factory) = own(name!(py, "default_factory")) {
                        printer.value(&factory)?;
                        printer.write(", ")?;
                    }
                    printer.write("{")?;
                    if let Ok(dict) = value.cast::<PyDict>() {
                        printer.items(dict)?;
                    }
                    printer.write("}")
                })
            }
            Parts::OrderedDict => {
                self.write(short(&info.name))?;
                let Ok(dict) = value.cast::<PyDict>() else { return self.write("()") };
                if dict.is_empty() {
                    return self.write("()");
                }
                self.container(value, "({", "})", |printer| {
                    let items = in_order(dict, printer.bounds.left / 4 + 1);
                    printer.pairs(items, dict.len())
                })
            }
            Parts::OrderedView => {
                self.write(short(&info.name))?;
                let Some(held) = first_referent(value) else { return self.write("(...)") };
                let Ok(dict) = held.cast_into::<PyDict>() else { return self.write("(...)") };
                let items = in_order(&dict, self.bounds.left / 4 + 1);
                let elements = items.into_iter().filter_map(|(key, value)| match &*info.name {
                    "odict_keys" => Some(key),
                    "odict_values" => Some(value),
                    _ => Some(PyTuple::new(py, [key, value]).ok()?.into_any()),
                });
                self.container(value, "([", "])", |printer| printer.elements(elements))
            }
            Parts::Weak => {
                let weak = value.cast::<PyWeakrefReference>().ok();
                let place = value.as_ptr() as usize;
                match weak.and_then(PyWeakrefMethods::upgrade) {
                    None => self.write(&format!("<weakref at {place:#x}; dead>")),
                    Some(of) => {
                        let at = of.as_ptr() as usize;
                        let name = match py.version_info() >= (3, 13) {
                            true => type_name(&of.get_type()).replace("__main__.", ""),
                            false => passive::name_and_module(&of.get_type()).0,
                        };
                        self.write(&format!("<weakref at {place:#x}; to '{name}' at {at:#x}"))?;
                        if let Ok(class) = of.cast::<PyType>() {
                            self.write(&format!(" ({})", passive::name_and_module(class).0))?;
                        }
                        self.write(">")
                    }
                }
            }
            Parts::Count => {
                let mut all = referents(value);
                all.retain(|held| !held.is(value.get_type()));
                self.if_certain(all.iter().all(passive::is_scalar), value, info)
            }
            Parts::Structure => {
                let is_plain = value.cast::<PyTuple>();
                let is_plain = is_plain.is_ok_and(|all| all.iter().all(|part| is_scalar(&part)));
                self.if_certain(is_plain, value, info)
            }
            Parts::TypeOf => {
                let of = own(name!(py, "__origin__"));
                let arguments = own(name!(py, "__args__"));
                let arguments = arguments.and_then(|all| all.cast_into_exact::<PyTuple>().ok());
                let is_plain = |part: &Bound<'_, PyAny>| part.is_exact_instance_of::<PyType>();
                let all_plain = of.is_some_and(|of| is_plain(&of))
                    && arguments.is_some_and(|all| all.iter().all(|part| is_plain(&part)));
                self.if_certain(all_plain, value, info)
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
                // Its mapping is not shown, since it may be the program's.
                self.write("mappingproxy")?;
                match first_referent(value).and_then(|held| held.cast_into_exact::<PyDict>().ok()) {
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
                    false => self.left_out(value, "its time zone comes from the program"),
                }
            }
            Parts::Stream => self.if_certain(is_all_native(value, 0), value, info),
        }
    }

    /// Lets it print itself, if it certainly holds nothing of the program's.
    fn if_certain(
        &mut self,
        is_certain: bool,
        value: &Bound<'_, PyAny>,
        info: &TypeInfo,
    ) -> Printed {
        if is_certain { self.by_itself(value, info) } else { self.plain(value, info) }
    }

    /// A validation error of pydantic's core. Its text would contain values printed by themselves,
    /// so only its title and the number of errors are shown.
    pub(super) fn invalid(&mut self, value: &Bound<'_, PyAny>) -> Printed {
        let py = value.py();
        let (title, count) = (name!(py, "title"), name!(py, "error_count"));
        let title = passive::class_attribute(&value.get_type(), title)
            .filter(|(_, getter)| passive::is_native_getter(getter))
            .and_then(|(_, getter)| passive::read(&getter, value)?.extract::<String>().ok());
        let count = passive::class_attribute(&value.get_type(), count)
            .and_then(|(_, count)| raw::ask(&count, &PyTuple::new(py, [value]).ok()?));
        let (Some(title), Some(count)) = (title, count) else {
            return self.write("ValidationError()");
        };
        let count = count.extract::<u64>().unwrap_or(0);
        let noun = if count == 1 { "error" } else { "errors" };
        self.write(&format!("ValidationError('{count} validation {noun} for {title}')"))
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

/// The value of an attribute of a C type that is not a member in memory.
fn own_part<'py>(
    value: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    let (_, getter) = passive::class_attribute(&value.get_type(), name)?;
    if passive::is_native_getter(&getter) { passive::read(&getter, value) } else { None }
}

/// The objects held by a built-in object, as the garbage collector sees them.
fn referents<'py>(value: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
    let held = raw::module(name!(value.py(), "gc"))
        .and_then(|gc| gc.call_method1(name!(value.py(), "get_referents"), (value,)));
    let held = held.ok().and_then(|held| held.cast_into_exact::<PyList>().ok());
    held.map(|held| held.iter().collect()).unwrap_or_default()
}

fn first_referent<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    referents(value).into_iter().next()
}

/// The first items of an ordered dictionary: in its own order if no key has to compute its hash,
/// otherwise in insertion order.
fn in_order<'py>(
    dict: &Bound<'py, PyDict>,
    most: usize,
) -> Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let of = known!("collections", "OrderedDict").get(dict.py());
    match of {
        Ok(of) if passive::has_plain_keys(dict) => super::native_elements(of, dict.as_any())
            .take(most)
            .filter_map(|key| Some((key.clone(), dict.get_item(key).ok()??)))
            .collect(),
        _ => dict.iter().take(most).collect(),
    }
}

/// The element type of an array as `numpy` writes it, in its `repr` or elsewhere; `None` if it
/// comes from another library or has parts.
pub(super) fn numpy_type(value: &Bound<'_, PyAny>, is_repr: bool) -> Option<String> {
    if type_info(value).kind != Kind::NumpyType {
        return None;
    }
    let py = value.py();
    let text = |name| {
        let (_, getter) = passive::class_attribute(&value.get_type(), name)?;
        passive::read(&getter, value)?.extract::<String>().ok()
    };
    let written = text(name!(py, "str"))?;
    if is_repr && written.contains(['M', 'm']) {
        return Some(written);
    }
    let Some(written) = written.strip_prefix(['<', '|', '=']) else { return Some(written) };
    let (kind, size) = written.split_at_checked(1)?;
    let bits = || size.parse::<u32>().ok().map(|bytes| bytes * 8);
    Some(match kind {
        "b" => "bool".to_owned(),
        "i" => format!("int{}", bits()?),
        "u" => format!("uint{}", bits()?),
        "f" => format!("float{}", bits()?),
        "c" => format!("complex{}", bits()?),
        "O" if is_repr => "O".to_owned(),
        "O" => "object".to_owned(),
        "M" => format!("datetime64{}", &size[1..]),
        "m" => format!("timedelta64{}", &size[1..]),
        "U" => format!("<U{size}"),
        "S" if is_repr => format!("S{size}"),
        "S" => format!("|S{size}"),
        _ => return None,
    })
}

/// The name of a bound method, with its class.
pub(super) fn method_name(method: &Bound<'_, PyAny>) -> Option<String> {
    let py = method.py();
    let function = passive::own_attribute(method, name!(py, "__func__"));
    let function = function.filter(passive::is_function)?;
    function.getattr(name!(py, "__qualname__")).ok()?.extract().ok()
}

/// Whether a stream and those within it are all built-in: its text contains their name.
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
