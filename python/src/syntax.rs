//! A syntax error names a file and line itself: the fault is there, but no frame of the traceback
//! shows it.
use std::path::Path;
use std::sync::Arc;

use flawless_client::{Frame, Source};
use pyo3::exceptions::PySyntaxError;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::stack::Key;
use crate::statics::name;
use crate::{code, passive, source};

/// The file and line that the error names.
fn place<'py>(error: &Bound<'py, PyAny>) -> Option<(Bound<'py, PyString>, u32)> {
    let file = part(error, name!(error.py(), "filename"))?.cast_into::<PyString>().ok()?;
    let line: u32 = part(error, name!(error.py(), "lineno"))?.extract().ok()?;
    // 0 when the encoding is unknown, which is declared at the beginning.
    Some((file, line.max(1)))
}

/// Adds the place to a key, so that two broken files imported at the same line are told apart.
pub(crate) fn add_to(key: &mut Key, error: &Bound<'_, PyAny>) {
    if let Some((file, line)) = place(error) {
        key.text(&file.to_string_lossy());
        key.number(line);
    }
}

/// The frame for it; `None` when it names no existing file, for example `<string>`.
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
    // The compiled line; the file may have changed since.
    let told =
        part(error, name!(error.py(), "text")).and_then(|text| text.cast_into::<PyString>().ok());
    let told = told.map(|text| text.to_string_lossy().into_owned()).unwrap_or_default();
    let told = told.lines().next().unwrap_or_default();
    let source = match source::of_file(&file) {
        // Before 3.12 it may be the inside of an f-string, which is not a whole line.
        Some(read) if read.line(line).is_none_or(|text| text.trim() != told.trim()) => {
            Source::Line(String::new())
        }
        Some(read) => Source::File(Arc::new(read)),
        // The file is in an archive.
        None => Source::Line(told.to_owned()),
    };
    Some(Frame { path: path.into(), line, function: "<module>".into(), source, locals: None })
}

/// An attribute as set by the interpreter, even if a class derived from `SyntaxError` overrides it.
fn part<'py>(error: &Bound<'py, PyAny>, name: &Bound<'py, PyString>) -> Option<Bound<'py, PyAny>> {
    if !error.is_instance_of::<PySyntaxError>() {
        return None;
    }
    let kind = error.py().get_type::<PySyntaxError>();
    let (_, slot) = passive::class_attribute(&kind, name)?;
    passive::read(&slot, error).filter(|part| !part.is_none())
}
