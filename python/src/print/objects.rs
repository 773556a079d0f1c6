//! Prints objects other than plain built-in values, by their kind.
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{
    PyByteArray, PyBytes, PyDict, PyFrozenSet, PyList, PySet, PyString, PyTuple, PyType,
};

use super::{MAX_DEPTH, Printed, Printer, of_secret};
use crate::elements::elements;
use crate::fields::Field;
use crate::kinds::{Kind, TypeInfo, type_info};
use crate::libraries::is_of_array_library;
use crate::own_repr::Follow;
use crate::passive::{self, attribute_among};
use crate::raw;
use crate::statics::{known, name};

/// An object with more elements does not print itself, because it would print them all.
const HUGE: usize = 10_000;
/// Most attributes shown instead of an object's own text.
const ATTRIBUTES: usize = 50;
const TOO_LATE: &str = "the report took too long";

impl Printer<'_, '_, '_> {
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
                // A type derived from `dict` prints itself like this; `Counter` does not.
                Ok(dict) if !info.name.starts_with("collections.") => {
                    self.container(value, "{", "}", |printer| printer.items(dict))
                }
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
                Ok(tuple) => self.tuple(tuple),
                Err(_) => self.plain(value, &info),
            },
            Kind::Set => self.set(value, short(&info.name)),
            Kind::Iterated => {
                self.write(short(&info.name))?;
                self.container(value, "([", "])", |printer| match elements(value) {
                    Ok(elements) => printer.elements(elements.map_while(Result::ok)),
                    Err(_) => Ok(()),
                })
            }
            Kind::Invalid => self.invalid(value),
            Kind::NumpyType => match super::native::numpy_type(value, true) {
                Some(text) => self.write(&format!("dtype('{text}')")),
                None => self.plain(value, &info),
            },
            Kind::Fields(fields) => {
                self.write(short(&info.name))?;
                self.container(value, "(", ")", |printer| printer.fields(value, fields, &info))
            }
            Kind::Named(names) => match value.cast::<PyTuple>() {
                Ok(tuple) => {
                    self.write(short(&info.name))?;
                    let fields = names.iter().map(String::as_str).zip(tuple.iter().map(Some));
                    self.container(value, "(", ")", |printer| printer.named(fields))
                }
                Err(_) => self.plain(value, &info),
            },
            Kind::Member | Kind::GlobalMember => self.member(value, &info),
            Kind::Namespace => self.namespace(value, &info),
            Kind::Plain => self.plain(value, &info),
            Kind::Exception => self.exception(value, &info),
            Kind::Array => self.array(value, &info),
            Kind::Lazy => self.write(&format!("<{}, not evaluated>", info.name)),
            Kind::Parts(parts) => self.parts(value, *parts, &info),
            Kind::Known => match native_length(value).filter(|&length| length > HUGE) {
                Some(length) => self.left_out(value, &format!("it holds {length} elements")),
                None => self.by_itself(value, &info),
            },
            Kind::Foreign => self.foreign(value, &info),
        }
    }

    fn namespace(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        let name = short(&info.name);
        // The only type that prints itself under another name.
        self.write(if name == "SimpleNamespace" { "namespace" } else { name })?;
        let own = info.own_dict(value);
        let most = self.bounds.left / 3 + 1;
        let own: Vec<_> = own.iter().flat_map(|own| own.iter().take(most)).collect();
        let text = |name: Bound<'_, PyAny>| {
            let name = name.cast_into::<PyString>();
            name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let own: Vec<_> = own.into_iter().map(|(name, value)| (text(name), value)).collect();
        let all = own.iter().map(|(name, value)| (name.as_str(), Some(value.clone())));
        self.container(value, "(", ")", |printer| printer.named(all))
    }

    pub(super) fn by_itself(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        match &info.printer {
            Some(printer) => self.own_repr(value, printer.bind(value.py())),
            None => self.plain(value, info),
        }
    }

    /// Prints the result of its own `__repr__`, as far as it is known without running it.
    fn foreign(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        let address = value.as_ptr() as usize;
        let depth = self.bounds.within.len();
        if !self.bounds.has_time(value.py()) {
            return self.left_out(value, TOO_LATE);
        }
        if self.bounds.step(value.py()).is_none() || depth >= MAX_DEPTH {
            return self.plain(value, info);
        }
        let method = name!(value.py(), "__repr__");
        // An object that prints itself within itself is described instead.
        if !self.bounds.is_within(value) {
            self.bounds.within.push(address);
            let text = Follow::new(self.bounds).text_by(value, method);
            self.bounds.within.truncate(depth);
            if let Ok(text) = text {
                return self.text_of(&text);
            }
        }
        if value.is_instance_of::<PyBaseException>() {
            return self.exception(value, info);
        }
        let is_container = value.is_instance_of::<PyDict>()
            || value.is_instance_of::<PyList>()
            || value.is_instance_of::<PyTuple>()
            || value.is_instance_of::<PySet>()
            || value.is_instance_of::<PyFrozenSet>()
            || value.is_instance_of::<PyString>()
            || value.is_instance_of::<PyBytes>()
            || value.is_instance_of::<PyByteArray>();
        // It may want to hide its content.
        if is_container {
            return self.by_length(value, info);
        }
        self.described(value, info)
    }

    /// Prints the type and the public attributes.
    fn described(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        let attributes =
            passive::public_attributes(value, info.masked(&value.get_type()), ATTRIBUTES);
        if attributes.is_empty() {
            return self.plain(value, info);
        }
        self.write("<")?;
        self.write(&info.name)?;
        self.container(value, " ", ">", |printer| {
            let all = attributes.iter().map(|(name, value)| (name.as_str(), Some(value.clone())));
            printer.named(all)
        })
    }

    fn by_length(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        match native_length(value) {
            Some(length) => {
                let is_text = value.is_instance_of::<PyString>();
                let unit = if is_text { "characters" } else { "elements" };
                self.write(&format!("<{} of {length} {unit}>", info.name))
            }
            None => self.plain(value, info),
        }
    }

    pub(super) fn plain(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        self.write(&super::plain_text(value, &info.name))
    }

    fn exception(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        self.write(short(&info.name))?;
        match passive::arguments(value) {
            Some(arguments) => {
                self.container(value, "(", ")", |printer| printer.elements(arguments.iter()))
            }
            None => self.write("()"),
        }
    }

    /// `<Color.RED: 1>`.
    fn member(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        let py = value.py();
        let of = passive::own_attribute(value, name!(py, "_value_"));
        let name = passive::own_attribute(value, name!(py, "_name_"));
        let name = name.and_then(|name| name.cast_into_exact::<PyString>().ok());
        let Some(of) = of else { return self.plain(value, info) };
        if info.kind == Kind::GlobalMember
            && let Some(name) = &name
        {
            let (_, module) = passive::name_and_module(&value.get_type());
            let name = name.to_string_lossy();
            let names = name.split('|').map(|name| format!("{}.{name}", short(&module)));
            return self.write(&names.collect::<Vec<_>>().join("|"));
        }
        self.write("<")?;
        self.write(short(&info.name))?;
        // Before 3.11 combined flags have no name.
        if let Some(name) = name {
            self.write(".")?;
            self.text_of(&name)?;
        }
        self.write(": ")?;
        self.value(&of)?;
        self.write(">")
    }

    fn fields(&mut self, value: &Bound<'_, PyAny>, fields: &[Field], info: &TypeInfo) -> Printed {
        let own = info.own_dict(value);
        for (at, field) in fields.iter().enumerate() {
            if at > 0 {
                self.write(", ")?;
            }
            if field.is_veiled {
                self.write(&field.name)?;
                self.write("=...")?;
                continue;
            }
            let name = PyString::new(value.py(), &field.name);
            let own = || passive::held(own.as_ref()?, &name).ok()?;
            let held = match passive::class_attribute(&value.get_type(), &name) {
                Some((_, slot)) if passive::is_slot(&slot) => passive::read(&slot, value),
                Some((_, found)) if passive::is_masking(&found) => None,
                _ => own(),
            };
            self.field(&field.name, held)?;
        }
        Ok(())
    }

    pub(super) fn named<'n, 'py>(
        &mut self,
        all: impl Iterator<Item = (&'n str, Option<Bound<'py, PyAny>>)>,
    ) -> Printed {
        for (at, (name, value)) in all.enumerate() {
            if at > 0 {
                self.write(", ")?;
            }
            self.field(name, value)?;
        }
        Ok(())
    }

    fn field(&mut self, name: &str, value: Option<Bound<'_, PyAny>>) -> Printed {
        self.write(name)?;
        self.write("=")?;
        match value {
            Some(value) if self.bounds.redactor.is_secret_name(name) => {
                self.write(&of_secret(&value))
            }
            Some(value) => self.value(&value),
            None => self.write("?"),
        }
    }

    /// Prints the shape and type, as far as the library itself provides them.
    fn array(&mut self, value: &Bound<'_, PyAny>, info: &TypeInfo) -> Printed {
        let py = value.py();
        if !self.bounds.has_time(py) {
            return self.left_out(value, TOO_LATE);
        }
        let classes = passive::mro(&value.get_type());
        // A library's class may call into a derived class of the program; only numpy's own arrays
        // do not.
        let is_library = is_of_array_library(&value.get_type());
        self.write("<")?;
        self.write(&info.name)?;
        for name in [name!(py, "shape"), name!(py, "dtype"), name!(py, "dtypes")] {
            let Some((owner, getter)) = attribute_among(&classes, name) else { continue };
            let is_native =
                passive::is_native_getter(&getter) && passive::name_and_module(&owner).1 == "numpy";
            if !(is_native || is_library && is_of_array_library(&owner)) {
                continue;
            }
            let Some(attribute) = passive::read(&getter, value) else { continue };
            let text = if attribute.is_exact_instance_of::<PyTuple>() {
                super::nested(&attribute, self.bounds).0
            } else if let Some(text) = super::native::numpy_type(&attribute, false) {
                text
            } else if is_library
                && is_of_array_library(&attribute.get_type())
                && let Some(text) = library_text(&attribute)
            {
                text.to_string_lossy().into_owned()
            } else {
                continue;
            };
            // A column that includes its data would be too long.
            let text: String = text.chars().take(80).collect();
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            self.write(" ")?;
            self.text_of(name)?;
            self.write("=")?;
            self.write(&text)?;
        }
        self.write(">")
    }
}

/// The text of an object of a library.
fn library_text<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyString>> {
    let str = value.py().get_type::<PyString>();
    raw::ask(str.as_any(), &PyTuple::new(value.py(), [value]).ok()?)?.cast_into().ok()
}

/// The number of elements of a value, if no Python code has to count them.
fn native_length(value: &Bound<'_, PyAny>) -> Option<usize> {
    if value.is_instance_of::<PyType>() {
        return None;
    }
    let (_, counts) = passive::class_attribute(&value.get_type(), name!(value.py(), "__len__"))?;
    let is_native = known!("types", "WrapperDescriptorType").is_type_of(&counts);
    // A subtype may have its own, so that of the counting type is called.
    if is_native { counts.call1((value,)).ok()?.extract().ok() } else { None }
}

/// The name without its module, as built-in types print themselves.
pub(super) fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}
