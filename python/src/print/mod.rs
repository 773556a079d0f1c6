//! Prints values, bounded in depth, characters and time, without running code of the program.

mod native;
mod objects;
mod scalars;
mod secret;
mod standard;

use flawless_client::{BEYOND, CUT};
use flawless_redact::{Redactor, SCRUBBED, has_joined_password};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyFrozenSet, PyInt, PyList, PySet, PyString,
    PyTuple,
};

use crate::clock::Allowance;
use crate::elements::elements;
use crate::raw;
use crate::statics::name;

pub(crate) use secret::of_secret;
pub(crate) use standard::standard_text;

const MAX_DEPTH: usize = 6;
/// Most steps of followed functions for one value.
const STEPS: usize = 1_000;
/// Stack space for following them, in bytes: some threads have only 256 kB.
const STACK: usize = 96 * 1024;

/// The remaining limits for one value.
#[derive(Debug)]
pub(crate) struct Bounds<'a> {
    /// Remaining characters.
    pub(crate) left: usize,
    steps: usize,
    /// Addresses of containers and objects being printed.
    within: Vec<usize>,
    /// The stack position at the start.
    stack: usize,
    allowance: Allowance,
    redactor: &'a Redactor,
}

impl<'a> Bounds<'a> {
    /// The limits for one value of `left` characters.
    pub(crate) fn new(left: usize, allowance: Allowance, redactor: &'a Redactor) -> Self {
        Self { left, steps: STEPS, within: Vec::new(), stack: stack(), allowance, redactor }
    }

    /// Counts one step; `None` when the limit of steps, time or depth is reached.
    pub(crate) fn step(&mut self, py: Python<'_>) -> Option<()> {
        self.steps = self.steps.checked_sub(1)?;
        (self.stack.abs_diff(stack()) < STACK && self.has_time(py)).then_some(())
    }

    /// Whether this object is being printed.
    pub(crate) fn is_within(&self, object: &Bound<'_, PyAny>) -> bool {
        self.within.contains(&(object.as_ptr() as usize))
    }

    /// Whether there is time left for a value that is not trivial to print.
    fn has_time(&self, py: Python<'_>) -> bool {
        self.allowance.is_left(py)
    }
}

/// The approximate stack position.
#[inline(never)]
fn stack() -> usize {
    let here = 0_u8;
    std::hint::black_box(&raw const here) as usize
}

/// The text has reached its limit.
#[derive(Debug, Clone, Copy)]
struct Full;

/// Appends one value to a text. A longer one is marked, to be cut once its secrets are removed.
pub(crate) fn print(
    text: &mut String,
    value: &Bound<'_, PyAny>,
    limit: usize,
    allowance: Allowance,
    redactor: &Redactor,
) {
    let left = limit + BEYOND;
    let mut bounds = Bounds::new(left, allowance, redactor);
    let printed = Printer { text, bounds: &mut bounds }.value(value);
    if printed.is_err() || left - bounds.left > limit {
        push_cut(text, value);
    }
}

/// Prints a value within another; also returns whether it was cut.
pub(crate) fn nested(value: &Bound<'_, PyAny>, bounds: &mut Bounds<'_>) -> (String, bool) {
    let (left, depth) = (bounds.left, bounds.within.len());
    let mut text = String::new();
    let printed = Printer { text: &mut text, bounds }.value(value);
    bounds.left = left;
    bounds.within.truncate(depth);
    (text, printed.is_err())
}

/// The default text of `object`.
pub(crate) fn plain_text(value: &Bound<'_, PyAny>, name: &str) -> String {
    format!("<{name} object at {:#x}>", value.as_ptr() as usize)
}

/// A string without quotes, marked in the same way.
pub(crate) fn as_it_is(value: &Bound<'_, PyString>, limit: usize) -> Option<String> {
    let part = raw::substring(value, limit + BEYOND)?;
    let mut text = part.to_string_lossy().replace(CUT, "?");
    if raw::length(value) > limit {
        push_cut(&mut text, value);
    }
    Some(text)
}

/// Marks a text to be cut, with the size of the whole value.
fn push_cut(text: &mut String, value: &Bound<'_, PyAny>) {
    text.push(CUT);
    if let Some((length, unit)) = whole_length(value) {
        text.push_str(&format!(" ({length} {unit})"));
    }
}

struct Printer<'t, 'b, 'a> {
    text: &'t mut String,
    bounds: &'b mut Bounds<'a>,
}

type Printed = Result<(), Full>;

impl Printer<'_, '_, '_> {
    fn write(&mut self, text: &str) -> Printed {
        if text.len() <= self.bounds.left {
            self.text.push_str(text);
            // There are never more characters than bytes.
            self.bounds.left -= if text.is_ascii() { text.len() } else { text.chars().count() };
            return Ok(());
        }
        match text.char_indices().nth(self.bounds.left) {
            None => {
                self.bounds.left -= text.chars().count();
                self.text.push_str(text);
                Ok(())
            }
            Some((end, _)) => {
                self.text.push_str(&text[..end]);
                self.bounds.left = 0;
                Err(Full)
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
        if let Ok(float) = value.cast_exact::<PyFloat>() {
            return self.write(&raw::float_text(float.value()));
        }
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            return self.container(value, "{", "}", |printer| printer.items(dict));
        }
        if let Ok(list) = value.cast_exact::<PyList>() {
            return self.container(value, "[", "]", |to| to.sequence(list.iter(), list.len()));
        }
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            return self.tuple(tuple);
        }
        if let Ok(bytes) = value.cast_exact::<PyBytes>() {
            return self.bytes(bytes.as_bytes(), "");
        }
        if value.is_exact_instance_of::<PySet>() {
            return self.set(value, "");
        }
        if value.is_exact_instance_of::<PyFrozenSet>() {
            return self.set(value, "frozenset");
        }
        if let Ok(bytes) = value.cast_exact::<PyByteArray>() {
            let start = bytes.len().min(self.bounds.left + 1);
            let start: Vec<u8> = (0..start)
                .filter_map(|at| bytes.get_item(at).ok())
                .filter_map(|byte| byte.extract().ok())
                .collect();
            return self.bytes(&start, "bytearray");
        }
        self.other(value)
    }

    /// Calls its own `__repr__`, which is known to run no code of the program. It is called
    /// directly: `repr` would run the program's signal handlers first, and lose their exceptions.
    fn own_repr(&mut self, value: &Bound<'_, PyAny>, printer: &Bound<'_, PyAny>) -> Printed {
        match repr_by(printer, value) {
            Some(text) => self.text_of(&text),
            None => self.left_out(value, "its repr raised an exception"),
        }
    }

    fn left_out(&mut self, value: &Bound<'_, PyAny>, why: &str) -> Printed {
        let name = crate::passive::type_name(&value.get_type());
        self.write(&format!("<{name} object, not printed: {why}>"))
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
        let within = &mut self.bounds.within;
        if within.contains(&address) || within.len() >= MAX_DEPTH {
            self.write("...")?;
        } else {
            within.push(address);
            content(self)?;
            self.bounds.within.pop();
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

    /// Prints elements of a list or a tuple with `of` elements.
    fn sequence<'py>(
        &mut self,
        elements: impl Iterator<Item = Bound<'py, PyAny>>,
        of: usize,
    ) -> Printed {
        let mut first_is_secret = false;
        for (at, element) in elements.enumerate() {
            if at > 0 {
                self.write(", ")?;
            }
            // In a pair the first part names the second.
            if at == 1 && of == 2 && first_is_secret {
                self.write(&of_secret(&element))?;
            } else if of > 1 && is_joined_password(&element) {
                self.write(&format!("'-p{SCRUBBED}'"))?;
            } else {
                self.value(&element)?;
            }
            // A single name is found later, when the text is searched.
            first_is_secret =
                at == 0 && element.is_exact_instance_of::<PyTuple>() && self.is_secret(&element);
        }
        Ok(())
    }

    fn tuple(&mut self, tuple: &Bound<'_, PyTuple>) -> Printed {
        let close = if tuple.len() == 1 { ",)" } else { ")" };
        let elements = tuple.iter();
        self.container(tuple.as_any(), "(", close, |to| to.sequence(elements, tuple.len()))
    }

    /// Prints a set with the iteration of the built-in type: a derived one may have its own.
    fn set(&mut self, value: &Bound<'_, PyAny>, name: &str) -> Printed {
        let py = value.py();
        let is_frozen = value.is_instance_of::<PyFrozenSet>();
        let of = if is_frozen { py.get_type::<PyFrozenSet>() } else { py.get_type::<PySet>() };
        let mut elements = native_elements(of.as_any(), value).peekable();
        if elements.peek().is_none() {
            self.write(if name.is_empty() { "set" } else { name })?;
            return self.write("()");
        }
        self.write(name)?;
        let (open, close) = if name.is_empty() { ("{", "}") } else { ("({", "})") };
        self.container(value, open, close, |printer| printer.elements(elements))
    }

    fn items(&mut self, dict: &Bound<'_, PyDict>) -> Printed {
        // PyO3 panics when a dictionary changes during iteration, and the `__repr__` of an element
        // may change it, so the shown items are read first.
        let shown = self.bounds.left / 4 + 1;
        self.pairs(dict.iter().take(shown).collect(), dict.len())
    }

    /// Prints items of a dictionary with `of` items.
    fn pairs(&mut self, items: Vec<(Bound<'_, PyAny>, Bound<'_, PyAny>)>, of: usize) -> Printed {
        let is_cut = of > items.len();
        for (at, (key, value)) in items.into_iter().enumerate() {
            if at > 0 {
                self.write(", ")?;
            }
            self.value(&key)?;
            self.write(": ")?;
            match self.is_secret(&key) {
                true => self.write(&of_secret(&value))?,
                false => self.value(&value)?,
            }
        }
        if is_cut { self.write(", ...") } else { Ok(()) }
    }

    /// Whether a key is the name of a secret, or a tuple with one, such as `('db', 'password')`.
    fn is_secret(&self, key: &Bound<'_, PyAny>) -> bool {
        let is_name = |key: &Bound<'_, PyAny>| {
            let key = key.cast::<PyString>().ok().and_then(raw::utf8);
            key.is_some_and(|key| self.bounds.redactor.is_secret_name(key))
        };
        match key.cast_exact::<PyTuple>() {
            Ok(keys) => keys.iter().take(MAX_DEPTH).any(|key| is_name(&key)),
            Err(_) => is_name(key),
        }
    }
}

/// Whether a word of a command line is like `-phunter2`.
fn is_joined_password(word: &Bound<'_, PyAny>) -> bool {
    let word = word.cast_exact::<PyString>().ok().and_then(raw::utf8);
    word.is_some_and(has_joined_password)
}

/// Calls the function that prints a value of its type.
pub(crate) fn repr_by<'py>(
    printer: &Bound<'py, PyAny>,
    value: &Bound<'py, PyAny>,
) -> Option<Bound<'py, PyString>> {
    raw::ask(printer, &PyTuple::new(value.py(), [value]).ok()?)?.cast_into().ok()
}

/// The elements of a container, by the iteration of a built-in type.
fn native_elements<'py>(
    of: &Bound<'py, PyAny>,
    value: &Bound<'py, PyAny>,
) -> impl Iterator<Item = Bound<'py, PyAny>> {
    let iterate = of.getattr(name!(value.py(), "__iter__"));
    let found = iterate.and_then(|iterate| elements(&iterate.call1((value,))?));
    found.into_iter().flatten().map_while(Result::ok)
}

/// The number of elements or characters of a cut value, if known without running code.
fn whole_length(value: &Bound<'_, PyAny>) -> Option<(usize, &'static str)> {
    if let Ok(text) = value.cast::<PyString>() {
        return Some((raw::length(text), "characters"));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        return Some((bytes.as_bytes().len(), "bytes"));
    }
    Some((elements_in(value)?, "elements"))
}

/// The number of elements of a built-in container.
pub(crate) fn elements_in(value: &Bound<'_, PyAny>) -> Option<usize> {
    let is_container = value.is_exact_instance_of::<PyDict>()
        || value.is_exact_instance_of::<PyList>()
        || value.is_exact_instance_of::<PyTuple>()
        || value.is_exact_instance_of::<PySet>()
        || value.is_exact_instance_of::<PyFrozenSet>();
    if is_container { value.len().ok() } else { None }
}
