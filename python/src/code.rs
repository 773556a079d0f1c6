//! Code objects seen so far: path, function and source text of each, read once.
use std::path::{Component, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use flawless_client::SourceFile;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::address::{AddressMap, address};
use crate::raw;
use crate::source::look_up;
use crate::state;
use crate::statics::name;

/// The file name of code that wraps the program's functions.
pub(crate) const WRAPPER_FILE: &str = "<flawless>";

/// Facts shared by all frames of one code object.
#[derive(Debug)]
pub(crate) struct Code {
    /// The deployed path; absolute if the file exists.
    pub(crate) path: Arc<str>,
    pub(crate) function: Arc<str>,
    pub(crate) source: Arc<SourceFile>,
    /// Its frames store their variables elsewhere, and `f_locals` is a copy.
    pub(crate) is_optimized: bool,
    /// Addresses of its variables' names.
    variables: Vec<usize>,
    /// The code belongs to this package.
    pub(crate) is_ours: bool,
    /// Keeps the object alive, so that no other gets its address.
    _code: Py<PyAny>,
}

/// `inspect.CO_OPTIMIZED`.
const OPTIMIZED: u32 = 1;
const MOST_CODES: usize = 4_000;

static CODES: Mutex<Option<AddressMap<Arc<Code>>>> = Mutex::new(None);

/// The known facts about the code of a frame.
pub(crate) fn code_of(frame: &Bound<'_, PyAny>, code: &Bound<'_, PyAny>) -> PyResult<Arc<Code>> {
    let address = address(code);
    let known = CODES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(info) = known.as_ref().and_then(|codes| codes.get(&address)) {
        return Ok(info.clone());
    }
    drop(known);
    let py = frame.py();
    let text = |name| -> PyResult<String> {
        Ok(code.getattr(name)?.cast_into::<PyString>()?.to_string_lossy().into_owned())
    };
    let file = text(name!(py, "co_filename"))?;
    let path = match file.starts_with('<') {
        true => file.clone(),
        false => absolute(&file).unwrap_or_else(|| file.clone()),
    };
    let is_ours = is_ours(code) || is_in_package(&path);
    let source = look_up(code, &frame.getattr(name!(py, "f_globals"))?);
    let is_final = source.is_ok();
    let info = Arc::new(Code {
        path: path.into(),
        function: text(name!(py, "co_name"))?.into(),
        source: source.ok().flatten().unwrap_or_default(),
        variables: variables(code)?,
        is_optimized: code.getattr(name!(py, "co_flags"))?.extract::<u32>()? & OPTIMIZED != 0,
        is_ours,
        _code: code.clone().unbind(),
    });
    if !is_final {
        return Ok(info);
    }
    let mut codes = CODES.lock().unwrap_or_else(PoisonError::into_inner);
    let map = codes.get_or_insert_default();
    let full = (map.len() >= MOST_CODES).then(|| std::mem::take(map));
    map.insert(address, info.clone());
    drop(codes);
    drop(full);
    Ok(info)
}

/// Whether code belongs to this package, or is one of its wrappers around a function of the
/// program.
pub(crate) fn is_ours(code: &Bound<'_, PyAny>) -> bool {
    has_file(code, |file| file == WRAPPER_FILE || is_in_package(file))
}

pub(crate) fn is_of_package(code: &Bound<'_, PyAny>) -> bool {
    has_file(code, is_in_package)
}

fn is_in_package(file: &str) -> bool {
    file.starts_with(state::package_folder())
}

/// Whether the file of a code object satisfies `is_meant`.
pub(crate) fn has_file(code: &Bound<'_, PyAny>, is_meant: impl FnOnce(&str) -> bool) -> bool {
    let file = code.getattr(name!(code.py(), "co_filename")).ok();
    let file = file.and_then(|file| file.cast_into::<PyString>().ok());
    file.as_ref().and_then(raw::utf8).is_some_and(is_meant)
}

impl Code {
    /// Whether this is the name of one of its variables.
    pub(crate) fn has(&self, name: &Bound<'_, PyAny>) -> bool {
        self.variables.contains(&address(name))
    }
}

/// The addresses of the variables' names, which the code object keeps alive.
fn variables(code: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    let py = code.py();
    let mut variables = Vec::new();
    for kind in [name!(py, "co_varnames"), name!(py, "co_cellvars"), name!(py, "co_freevars")] {
        let names = code.getattr(kind)?.cast_into::<PyTuple>()?;
        variables.extend(names.iter().map(|name| address(&name)));
    }
    Ok(variables)
}

/// The absolute path of a source file, without `.` and `..`.
pub(crate) fn absolute(file: &str) -> Option<String> {
    let mut absolute = PathBuf::new();
    for part in std::path::absolute(file).ok()?.components() {
        match part {
            Component::ParentDir => {
                absolute.pop();
            }
            part => absolute.push(part),
        }
    }
    absolute.into_os_string().into_string().ok()
}
