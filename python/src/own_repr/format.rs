//! Builds texts: f-strings, `%`, `str.format`, `str` and `repr`.
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyString, PyTuple};

use super::expression::{Conversion, Expression, Part};
use super::follow::{Follow, Followed, Object, Unknown, is_short};
use super::operators::{SLICE, has_own, is_small};
use super::variables::Call;
use crate::elements::elements;
use crate::kinds::{self, Kind, type_info};
use crate::passive::{self, class_attribute};
use crate::raw;
use crate::statics::name;

/// Most digits of a width or precision.
const WIDTH: usize = 3;

impl Follow<'_, '_> {
    pub(super) fn joined<'py>(
        &mut self,
        call: &Call<'_, 'py>,
        parts: &[Part],
    ) -> Followed<Object<'py>> {
        let py = call.py();
        let mut text = String::new();
        for part in parts {
            match part {
                Part::Literal(literal) => text.push_str(literal),
                Part::Value { value, conversion, spec } => {
                    let value = self.expression(call, value)?;
                    let spec = match spec {
                        None => String::new(),
                        Some(spec) => self.spec(call, spec)?,
                    };
                    text.push_str(&self.converted(&value, *conversion, &spec)?);
                }
            }
        }
        Ok(PyString::new(py, &text).into_any())
    }

    fn spec<'py>(&mut self, call: &Call<'_, 'py>, spec: &Expression) -> Followed<String> {
        let spec = self.expression(call, spec)?;
        Ok(spec.cast_exact::<PyString>().map_err(|_| Unknown)?.to_string_lossy().into_owned())
    }

    fn converted(
        &mut self,
        value: &Object<'_>,
        conversion: Conversion,
        spec: &str,
    ) -> Followed<String> {
        let before = std::mem::take(&mut self.is_rough);
        let text = match conversion {
            Conversion::Plain => self.format_of(value, spec),
            Conversion::Str => self.str_of(value),
            Conversion::Repr => self.repr_of(value),
        };
        let is_rough = self.is_rough;
        self.is_rough |= before;
        let text = text?;
        match spec.is_empty() || conversion == Conversion::Plain {
            true => Ok(text),
            false if is_rough => Err(Unknown),
            false => self.format_of(PyString::new(value.py(), &text).as_any(), spec),
        }
    }

    pub(super) fn repr_of(&mut self, value: &Object<'_>) -> Followed<String> {
        // It would recurse forever.
        if self.bounds.is_within(value) {
            return Err(Unknown);
        }
        let (text, is_cut) = crate::print::nested(value, self.bounds);
        self.is_rough |= is_cut || !is_small(value) && !kinds::is_native_scalar(value);
        Ok(text)
    }

    /// The text of a string, as far as the limit allows.
    fn start_of(&mut self, text: &Bound<'_, PyString>) -> Followed<String> {
        self.is_rough |= raw::length(text) > self.bounds.left;
        let part = raw::substring(text, self.bounds.left + 1).ok_or(Unknown)?;
        // A lone surrogate cannot be a Rust string.
        Ok(raw::utf8(&part).ok_or(Unknown)?.to_owned())
    }

    pub(super) fn str_of(&mut self, value: &Object<'_>) -> Followed<String> {
        let py = value.py();
        if let Ok(text) = value.cast_exact::<PyString>() {
            return self.start_of(text);
        }
        let method = name!(py, "__str__");
        if kinds::is_native_scalar(value) {
            // `str` itself would run signal handlers first, and lose their exceptions.
            let (_, printer) = class_attribute(&value.get_type(), method).ok_or(Unknown)?;
            let text = crate::print::repr_by(&printer, value).ok_or(Unknown)?;
            return Ok(text.to_string_lossy().into_owned());
        }
        if let Some(text) = crate::print::standard_text(value) {
            return text.ok_or(Unknown);
        }
        if has_own(value, method) {
            let text = self.text_by(value, method)?;
            return Ok(text.to_string_lossy().into_owned());
        }
        let (owner, _) = class_attribute(&value.get_type(), method).ok_or(Unknown)?;
        if owner.is(py.get_type::<PyAny>()) {
            return self.repr_of(value);
        }
        if let Ok(text) = value.cast::<PyString>()
            && owner.is(py.get_type::<PyString>())
        {
            return self.start_of(text);
        }
        // Other built-in exceptions have a text of their own: `KeyError`, `OSError`.
        if owner.is(py.get_type::<PyBaseException>()) {
            let arguments = passive::arguments(value).ok_or(Unknown)?;
            return match arguments.len() {
                0 => Ok(String::new()),
                1 => self.str_of(&arguments.get_item(0).map_err(|_| Unknown)?),
                _ => self.repr_of(arguments.as_any()),
            };
        }
        Err(Unknown)
    }

    pub(super) fn format_of(&mut self, value: &Object<'_>, spec: &str) -> Followed<String> {
        let py = value.py();
        let found = class_attribute(&value.get_type(), name!(py, "__format__"));
        let (owner, _) = found.ok_or(Unknown)?;
        let is_native = kinds::is_native_scalar(value);
        if spec.is_empty() {
            let (_, module) = passive::name_and_module(&owner);
            // The format of an enumeration is its text, unless its members are also numbers or
            // texts. Built-in numbers and texts have their own format, which derived types inherit.
            let is_text = match module.as_str() {
                "enum" => {
                    type_info(value).kind == Kind::Member
                        && !value.is_instance_of::<PyInt>()
                        && !value.is_instance_of::<PyString>()
                }
                "builtins" => true,
                _ => is_native || crate::print::standard_text(value).is_some(),
            };
            return if is_text { self.str_of(value) } else { Err(Unknown) };
        }
        let is_number = value.is_exact_instance_of::<PyInt>()
            || value.is_exact_instance_of::<PyFloat>()
            || value.is_exact_instance_of::<PyBool>();
        let is_text = value.cast_exact::<PyString>().is_ok_and(is_short);
        self.is_certain(value)?;
        if !(is_number || is_text || is_native) || digits_in_a_row(spec) > WIDTH {
            return Err(Unknown);
        }
        let format =
            raw::module(name!(py, "builtins")).and_then(|all| all.getattr(name!(py, "format")));
        let arguments = (value, spec).into_pyobject(py).map_err(|_| Unknown)?;
        let text = raw::ask(&format.map_err(|_| Unknown)?, &arguments).ok_or(Unknown)?;
        Ok(text.cast::<PyString>().map_err(|_| Unknown)?.to_string_lossy().into_owned())
    }

    /// `"%s of %r" % values`.
    pub(super) fn percent<'py>(
        &mut self,
        template: &Bound<'py, PyString>,
        values: &Object<'py>,
    ) -> Followed<Object<'py>> {
        let py = values.py();
        if !is_short(template) {
            return Err(Unknown);
        }
        let template = template.to_string_lossy();
        let all: Vec<Object<'_>> = match values.cast_exact::<PyTuple>() {
            Ok(values) => values.iter().take(SLICE).collect(),
            // A named tuple also stands for its elements.
            Err(_) if values.is_instance_of::<PyTuple>() => return Err(Unknown),
            Err(_) => vec![values.clone()],
        };
        let is_mapping = values.is_exact_instance_of::<PyDict>();
        let mut all = all.into_iter();
        let (mut text, mut rest) = (String::new(), &*template);
        while let Some((before, after)) = rest.split_once('%') {
            text.push_str(before);
            let (name, after) =
                match after.strip_prefix('(').and_then(|after| after.split_once(')')) {
                    Some((name, after)) => (Some(name), after),
                    None => (None, after),
                };
            let end = after.find(|c: char| c.is_ascii_alphabetic() || c == '%').ok_or(Unknown)?;
            let (flags, conversion) = after.split_at(end);
            rest = &conversion[1..];
            let conversion = &conversion[..1];
            if conversion == "%" {
                text.push('%');
                continue;
            }
            let value = match name {
                None => all.next().ok_or(Unknown)?,
                Some(name) => {
                    let values = values.cast_exact::<PyDict>().map_err(|_| Unknown)?;
                    let held = passive::held(values, &PyString::new(py, name));
                    held.map_err(|()| Unknown)?.ok_or(Unknown)?
                }
            };
            self.bounds.step(py).ok_or(Unknown)?;
            if digits_in_a_row(flags) > WIDTH || flags.contains('*') {
                return Err(Unknown);
            }
            let before = std::mem::take(&mut self.is_rough);
            let value = match conversion {
                "s" => PyString::new(py, &self.str_of(&value)?).into_any(),
                "r" => PyString::new(py, &self.repr_of(&value)?).into_any(),
                _ if value.is_exact_instance_of::<PyInt>() => value,
                _ if value.is_exact_instance_of::<PyFloat>() => value,
                _ => return Err(Unknown),
            };
            if self.is_rough && !flags.is_empty() {
                return Err(Unknown);
            }
            self.is_rough |= before;
            let conversion = if conversion == "r" { "s" } else { conversion };
            let pattern = PyString::new(py, &format!("%{flags}{conversion}"));
            let one = PyTuple::new(py, [value]).map_err(|_| Unknown)?;
            let formatted = pattern.rem(one).map_err(|_| Unknown)?;
            text.push_str(&formatted.extract::<String>().map_err(|_| Unknown)?);
        }
        // It would raise an error instead of giving a text.
        if !is_mapping && all.next().is_some() {
            return Err(Unknown);
        }
        text.push_str(rest);
        Ok(PyString::new(py, &text).into_any())
    }

    pub(super) fn method_of_text<'py>(
        &mut self,
        text: &Bound<'py, PyString>,
        method: &Bound<'py, PyString>,
        arguments: &[Object<'py>],
        named: &[(&str, Object<'py>)],
    ) -> Followed<Object<'py>> {
        if !is_short(text) {
            return Err(Unknown);
        }
        match (&*method.to_string_lossy(), arguments) {
            ("format", _) => self.template(text, arguments, named),
            ("upper" | "lower" | "title" | "capitalize" | "strip", []) => {
                text.call_method0(method).map_err(|_| Unknown)
            }
            ("join", [parts]) => {
                let parts = parts.cast_exact::<PyTuple>().map_err(|_| Unknown)?;
                let mut room = SLICE;
                let is_plain = parts.iter().all(|part| {
                    let part = part.cast_exact::<PyString>().map(raw::length);
                    let left = part.ok().and_then(|part| room.checked_sub(part + 1));
                    room = left.unwrap_or(0);
                    left.is_some()
                });
                if is_plain && raw::length(text) <= 100 {
                    text.call_method1(method, (parts,)).map_err(|_| Unknown)
                } else {
                    Err(Unknown)
                }
            }
            _ => Err(Unknown),
        }
    }

    /// `"{} of {0.name!r}".format(...)`.
    fn template<'py>(
        &mut self,
        template: &Bound<'py, PyString>,
        arguments: &[Object<'py>],
        named: &[(&str, Object<'py>)],
    ) -> Followed<Object<'py>> {
        let py = template.py();
        let parts = raw::module(name!(py, "_string"))
            .and_then(|parser| parser.call_method1(name!(py, "formatter_parser"), (template,)))
            .and_then(|parts| elements(&parts))
            .map_err(|_| Unknown)?;
        type Part<'a> = (String, Option<String>, Option<String>, Option<String>);
        let (mut text, mut next) = (String::new(), 0);
        for part in parts {
            self.bounds.step(py).ok_or(Unknown)?;
            let part = part.and_then(|part| part.extract::<Part<'_>>()).map_err(|_| Unknown)?;
            let (literal, field, spec, conversion) = part;
            text.push_str(&literal);
            let Some(field) = field else { continue };
            let mut path = field.split('.');
            let first = path.next().unwrap_or_default();
            let mut value = if first.is_empty() {
                next += 1;
                arguments.get(next - 1).ok_or(Unknown)?.clone()
            } else if let Ok(at) = first.parse::<usize>() {
                arguments.get(at).ok_or(Unknown)?.clone()
            } else {
                named.iter().find(|(name, _)| *name == first).ok_or(Unknown)?.1.clone()
            };
            for name in path {
                value = self.attribute(&value, &PyString::new(py, name))?.ok_or(Unknown)?;
            }
            let conversion = match conversion.as_deref() {
                None => Conversion::Plain,
                Some("s") => Conversion::Str,
                Some("r") => Conversion::Repr,
                Some(_) => return Err(Unknown),
            };
            text.push_str(&self.converted(&value, conversion, &spec.unwrap_or_default())?);
        }
        Ok(PyString::new(py, &text).into_any())
    }
}

fn digits_in_a_row(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0)
}
