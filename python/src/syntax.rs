//! A syntax error names a file and a line of its own: that is where the fault is, and no frame of
//! the traceback says so.
use std::path::Path;
use std::sync::Arc;

use flawless_client::{Frame, Source};
use pyo3::exceptions::PySyntaxError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::raw::name;
use crate::stack::Key;
use crate::{code, passive, source};

/// The file as the error names it, and the line in it.
fn place<'py>(error: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyString>, u32)> {
    let file = part(error, name!(error.py(), "filename"))?.cast_into::<PyString>().ok()?;
    let line = part(error, name!(error.py(), "lineno"))?.extract().ok()?;
    Some((file, line)).filter(|_| line > 0)
}

/// Adds it to a key: two files that cannot be read are told apart, whoever imports them.
pub(crate) fn add_to(key: &mut Key, error: &Bound<'_, PyAny>) {
    if let Some((file, line)) = place(error) {
        key.text(&file.to_string_lossy());
        key.number(line);
    }
}

/// The frame that stands for it; `None` when it names no file that is there, such as `<string>`.
pub(crate) fn frame(error: &Bound<'_, PyAny>) -> Option<Frame> {
    let (file, line) = place(error)?;
    let path = file.to_string_lossy();
    if path.starts_with('<') {
        return None;
    }
    let path = code::absolute(&path)?;
    if !source::is_file(Path::new(&path)) {
        return None;
    }
    // What was compiled; the file may have changed since.
    let told =
        part(error, name!(error.py(), "text")).and_then(|text| text.cast_into::<PyString>().ok());
    let told = told.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
    let told = told.lines().next().unwrap_or_default();
    let read = source::of_file(&file).filter(|source| {
        !told.trim().is_empty() && source.line(line).is_some_and(|text| text.trim() == told.trim())
    });
    Some(Frame {
        path: path.into(),
        line,
        function: "<module>".into(),
        source: match read {
            Some(source) => Source::File(Arc::new(source)),
            None => Source::Line(told.to_owned()),
        },
        locals: None,
    })
}

/// As the interpreter has set it, whatever a class derived from `SyntaxError` makes of that.
fn part<'py>(error: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> Option<Bound<'py, PyAny>> {
    if !error.is_instance_of::<PySyntaxError>() {
        return None;
    }
    let kind = error.py().get_type::<PySyntaxError>();
    let (_, slot) = passive::class_attribute(&kind, name)?;
    passive::read(&slot, error).filter(|part| !part.is_none())
}
