//! Values as text: bounded in depth and characters, without running code that nobody knows.

mod objects;
mod scalars;

use std::sync::Arc;

use flawless_client::{BEYOND, CUT};
use flawless_redact::{Redactor, SCRUBBED};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString,
    PyTuple,
};

use crate::kinds::TypeInfo;
use crate::raw;

const MAX_DEPTH: usize = 6;

/// Whether a `__repr__` that nobody knows may be called here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// No: [`Stop::Guarded`].
    OnlyKnown,
    /// Yes: this is the guarded thread. What is called now is noted.
    All,
    /// No, and another text stands for it.
    Never,
}

/// Why a value is not printed to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    Full,
    Guarded,
}

/// A `__repr__` that nobody knows has to be called in a guarded thread.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NeedsGuard;

/// Prints one value to the end of a text; what is longer than so many characters is marked to be
/// cut when its secrets are out.
pub(crate) fn print(
    text: &mut String,
    value: &Bound<'_, PyAny>,
    limit: usize,
    trust: Trust,
    redactor: &Redactor,
    calling: &dyn Fn(Option<&Arc<TypeInfo>>),
) -> Result<(), NeedsGuard> {
    let start = text.len();
    let within = Vec::new();
    let left = limit + BEYOND;
    let mut printer = Printer { text, left, within, trust, redactor, calling };
    let printed = printer.value(value);
    let is_long = left - printer.left > limit;
    match printed {
        Err(Stop::Guarded) => {
            text.truncate(start);
            return Err(NeedsGuard);
        }
        Err(Stop::Full) => {}
        Ok(()) if is_long => {}
        Ok(()) => return Ok(()),
    }
    push_cut(text, value);
    Ok(())
}

/// A string without quotes, marked likewise.
pub(crate) fn as_it_is(value: &Bound<'_, PyString>, limit: usize) -> Option<String> {
    let part = raw::substring(value, limit + BEYOND)?;
    let mut text = part.to_string_lossy().replace(CUT, "?");
    if raw::length(value) > limit {
        push_cut(&mut text, value);
    }
    Some(text)
}

/// Marks a text to be cut, with what the whole value holds.
fn push_cut(text: &mut String, value: &Bound<'_, PyAny>) {
    text.push(CUT);
    if let Some((length, unit)) = whole_length(value) {
        text.push_str(&format!(" ({length} {unit})"));
    }
}

struct Printer<'a> {
    text: &'a mut String,
    /// Characters that may still be written.
    left: usize,
    /// Containers that are being printed.
    within: Vec<usize>,
    trust: Trust,
    redactor: &'a Redactor,
    /// Told the type before a `__repr__` that nobody knows is called, and `None` after it.
    calling: &'a dyn Fn(Option<&Arc<TypeInfo>>),
}

type Printed = Result<(), Stop>;

impl Printer<'_> {
    fn write(&mut self, text: &str) -> Printed {
        if text.len() <= self.left {
            self.text.push_str(text);
            // Never more characters than bytes.
            self.left -= if text.is_ascii() { text.len() } else { text.chars().count() };
            return Ok(());
        }
        match text.char_indices().nth(self.left) {
            None => {
                self.left -= text.chars().count();
                self.text.push_str(text);
                Ok(())
            }
            Some((end, _)) => {
                self.text.push_str(&text[..end]);
                self.left = 0;
                Err(Stop::Full)
            }
        }
    }

    fn value(&mut self, value: &Bound<'_, PyAny>) -> Printed {
        if let Ok(text) = value.cast_exact::<PyString>() {
            return self.string(text);
        }
        if value.is_none() {
            return self.write("None");
        }
        if value.is_exact_instance_of::<PyInt>() {
            return self.integer(value);
        }
        if let Ok(truth) = value.cast_exact::<PyBool>() {
            return self.write(if truth.is_true() { "True" } else { "False" });
        }
        if value.is_exact_instance_of::<PyFloat>() {
            return self.own_repr(value);
        }
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            return self.container(value, "{", "}", |printer| printer.items(dict));
        }
        if let Ok(list) = value.cast_exact::<PyList>() {
            return self.container(value, "[", "]", |printer| printer.elements(list.iter()));
        }
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            return self.tuple(tuple);
        }
        if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            return self.bytes(bytes.as_bytes(), "");
        }
        if value.is_exact_instance_of::<PySet>() || value.is_exact_instance_of::<PyFrozenSet>() {
            return self.set(value);
        }
        if let Ok(bytes) = value.cast_exact::<PyByteArray>() {
            let start = bytes.len().min(self.left + 1);
            let start: Vec<u8> = (0..start)
                .filter_map(|at| bytes.get_item(at).ok())
                .filter_map(|byte| byte.extract().ok())
                .collect();
            return self.bytes(&start, "bytearray");
        }
        self.other(value)
    }

    fn own_repr(&mut self, value: &Bound<'_, PyAny>) -> Printed {
        match value.repr() {
            Ok(text) => self.text_of(&text),
            Err(error) => {
                let py = value.py();
                // Ctrl-C, which comes to the main thread and is meant for the program.
                if error.is_instance_of::<PyKeyboardInterrupt>(py) && self.trust != Trust::All {
                    raw::interrupt_again();
                }
                let kind = crate::kinds::type_name(&error.get_type(py));
                let name = crate::kinds::type_name(&value.get_type());
                self.write(&format!("<{name} object, not printed: its repr raised {kind}>"))
            }
        }
    }

    fn text_of(&mut self, text: &Bound<'_, PyString>) -> Printed {
        let lossy;
        let text = match raw::utf8(text) {
            Some(text) => text,
            None => {
                lossy = text.to_string_lossy();
                &lossy
            }
        };
        match text.contains(CUT) {
            true => self.write(&text.replace(CUT, "?")),
            false => self.write(text),
        }
    }

    fn container(
        &mut self,
        value: &Bound<'_, PyAny>,
        open: &str,
        close: &str,
        content: impl FnOnce(&mut Self) -> Printed,
    ) -> Printed {
        let address = value.as_ptr() as usize;
        self.write(open)?;
        if self.within.contains(&address) || self.within.len() >= MAX_DEPTH {
            self.write("...")?;
        } else {
            self.within.push(address);
            content(self)?;
            self.within.pop();
        }
        self.write(close)
    }

    fn elements<'py>(&mut self, elements: impl Iterator<Item = Bound<'py, PyAny>>) -> Printed {
        for (at, element) in elements.enumerate() {
            if at > 0 {
                self.write(", ")?;
            }
            self.value(&element)?;
        }
        Ok(())
    }

    fn tuple(&mut self, tuple: &Bound<'_, PyTuple>) -> Printed {
        let close = if tuple.len() == 1 { ",)" } else { ")" };
        self.container(tuple.as_any(), "(", close, |printer| printer.elements(tuple.iter()))
    }

    fn set(&mut self, value: &Bound<'_, PyAny>) -> Printed {
        let is_frozen = value.is_exact_instance_of::<PyFrozenSet>();
        let (open, close) = match (is_frozen, value.len().unwrap_or(0)) {
            (true, 0) => return self.write("frozenset()"),
            (false, 0) => return self.write("set()"),
            (true, _) => ("frozenset({", "})"),
            (false, _) => ("{", "}"),
        };
        self.container(value, open, close, |printer| match value.try_iter() {
            Ok(elements) => printer.elements(elements.map_while(Result::ok)),
            Err(_) => Ok(()),
        })
    }

    fn items(&mut self, dict: &Bound<'_, PyDict>) -> Printed {
        // PyO3 panics when a dictionary changes while it is iterated, and the `__repr__` of an
        // element may change it: what is shown is read first.
        let shown = self.left / 4 + 1;
        let items: Vec<_> = dict.iter().take(shown).collect();
        let is_cut = dict.len() > items.len();
        for (at, (key, value)) in items.into_iter().enumerate() {
            if at > 0 {
                self.write(", ")?;
            }
            self.value(&key)?;
            self.write(": ")?;
            match self.is_secret(&key) {
                true => self.write(SCRUBBED)?,
                false => self.value(&value)?,
            }
        }
        if is_cut { self.write(", ...") } else { Ok(()) }
    }

    fn is_secret(&self, key: &Bound<'_, PyAny>) -> bool {
        let Ok(key) = key.cast::<PyString>() else { return false };
        raw::utf8(key).is_some_and(|key| self.redactor.is_secret_name(key))
    }
}

/// Elements or characters of what was cut, where it is known without running code.
fn whole_length(value: &Bound<'_, PyAny>) -> Option<(usize, &'static str)> {
    if let Ok(text) = value.cast::<PyString>() {
        return Some((raw::length(text), "characters"));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Some((bytes.as_bytes().len(), "bytes"));
    }
    Some((elements_in(value)?, "elements"))
}

/// Elements of a container of Python's own.
fn elements_in(value: &Bound<'_, PyAny>) -> Option<usize> {
    let is_container = value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_exact_instance_of::<PySet>()
        || value.is_exact_instance_of::<PyFrozenSet>();
    if is_container { value.len().ok() } else { None }
}
