//! Compiles a Python text to compare it with running code: only if the two are equal is it certain
//! that the code was made from the text. The text is never run.
use std::collections::HashMap;

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyString, PyTuple};

use crate::elements::elements;
use crate::raw;
use crate::statics::{known, name};

/// Most code objects in one text.
const MOST_NESTED: usize = 20_000;

/// The code objects of one text by their first lines.
#[derive(Debug, Default)]
pub(crate) struct Compiled(HashMap<u32, Vec<Py<PyAny>>>);

impl Compiled {
    /// The code objects of a text; empty when it cannot be compiled.
    pub(crate) fn of(text: &str, file: &Bound<'_, PyString>) -> Self {
        let py = file.py();
        let mut all = Self::default();
        let mut left: Vec<_> = compile(text, file).into_iter().collect();
        for _ in 0..MOST_NESTED {
            let Some(code) = left.pop() else { break };
            let held = code.getattr(name!(py, "co_consts")).ok();
            let held = held.and_then(|held| held.cast_into::<PyTuple>().ok());
            let is_code = |held: &Bound<'_, PyAny>| known!("types", "CodeType").is_type_of(held);
            left.extend(held.iter().flat_map(|held| held.iter()).filter(is_code));
            all.0.entry(first_line(&code).unwrap_or(0)).or_default().push(code.unbind());
        }
        all
    }

    /// Whether one of them equals a code object, including its line numbers.
    pub(crate) fn has(&self, code: &Bound<'_, PyAny>) -> bool {
        let found = || {
            let (all, lines) = (self.0.get(&first_line(code)?)?, line_table(code)?);
            let is_same = |other: &Bound<'_, PyAny>| {
                other.eq(code).unwrap_or(false)
                    && line_table(other).is_some_and(|other| other.eq(&lines).unwrap_or(false))
            };
            Some(all.iter().any(|other| is_same(other.bind(code.py()))))
        };
        found().unwrap_or(false)
    }
}

/// Compiles like an import. The compiler's warnings were shown when the code was loaded; this
/// filter silences them, so that no code of the program is called.
fn compile<'py>(text: &str, file: &Bound<'py, PyString>) -> Option<Bound<'py, PyAny>> {
    let py = file.py();
    let compile = known!("builtins", "compile").get(py).ok()?;
    let (mode, is_own_alone, as_running) = (name!(py, "exec"), true, -1);
    let arguments = (text, file, mode, 0, is_own_alone, as_running).into_pyobject(py).ok()?;
    let category = known!("builtins", "Warning").get(py).ok()?;
    let ignored =
        (name!(py, "ignore"), py.None(), category, py.None(), 0).into_pyobject(py).ok()?;
    let ignored = PyList::new(py, [ignored]).ok()?;
    let warnings = raw::module(name!(py, "warnings")).ok()?;
    let filters = name!(py, "filters");
    let before = warnings.getattr(filters).ok()?;
    warnings.setattr(filters, &ignored).ok()?;
    let code = raw::call(compile, &arguments).ok();
    if warnings.getattr(filters).is_ok_and(|now| now.is(&ignored)) {
        let _ = warnings.setattr(filters, before);
    }
    code.filter(|code| known!("types", "CodeType").is_type_of(code))
}

fn line_table<'py>(code: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let table = code.getattr(name!(code.py(), "co_linetable"));
    table.or_else(|_| code.getattr(name!(code.py(), "co_lnotab"))).ok()
}

pub(crate) fn first_line(code: &Bound<'_, PyAny>) -> Option<u32> {
    code.getattr(name!(code.py(), "co_firstlineno")).ok()?.extract().ok()
}

/// The last line of a code object.
pub(crate) fn last_line(code: &Bound<'_, PyAny>) -> Option<u32> {
    let py = code.py();
    let mut last = first_line(code)?;
    if let Ok(lines) = code.call_method0(name!(py, "co_lines")) {
        for line in elements(&lines).ok()? {
            let (_, _, line) = line.ok()?.extract::<(u32, u32, Option<u32>)>().ok()?;
            last = last.max(line.unwrap_or(0));
        }
        return Some(last);
    }
    // Before 3.10: pairs of bytes, the second of which is the signed distance to the next line.
    let table = code.getattr(name!(py, "co_lnotab")).ok()?.cast_into::<PyBytes>().ok()?;
    let mut line = i64::from(last);
    for pair in table.as_bytes().chunks_exact(2) {
        line += i64::from(pair[1].cast_signed());
        last = last.max(u32::try_from(line).unwrap_or(0));
    }
    Some(last)
}
