//! Code objects that were met: path, function and source file of each, read once.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use flawless_client::SourceFile;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::address::{AddressMap, address};
use crate::raw::name;

/// The file name of code that wraps the program's functions.
pub(crate) const WRAPPER_FILE: &str = "<flawless>";

/// What frames of one code object have in common.
#[derive(Debug)]
pub(crate) struct Code {
    /// As deployed, absolute where it is a file.
    pub(crate) path: Arc<str>,
    pub(crate) function: Arc<str>,
    pub(crate) source: Arc<SourceFile>,
    /// Its frames keep their variables elsewhere: `f_locals` is a copy.
    pub(crate) is_optimized: bool,
    /// Addresses of the names of its variables.
    variables: Vec<usize>,
    /// It belongs to this package.
    pub(crate) is_ours: bool,
    /// Keeps the object, so that no other gets its address.
    _code: Py<PyAny>,
}

/// `inspect.CO_OPTIMIZED`.
const OPTIMIZED: u32 = 1;
const MOST_CODES: usize = 4_000;
/// Of all source files together.
const MOST_SOURCE_BYTES: usize = 16 * 1024 * 1024;

static CODES: Mutex<Option<AddressMap<Arc<Code>>>> = Mutex::new(None);
static SOURCES: Mutex<Option<Sources>> = Mutex::new(None);

#[derive(Debug, Default)]
struct Sources {
    files: HashMap<String, Arc<SourceFile>>,
    bytes: usize,
}

/// What is known of the code of a frame.
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
        false => absolute(py, &file).unwrap_or_else(|_| file.clone()),
    };
    let is_ours = file == WRAPPER_FILE || path.starts_with(crate::state::package_folder());
    let info = Arc::new(Code {
        path: path.into(),
        function: text(name!(py, "co_name"))?.into(),
        source: source_of(frame, &file),
        variables: variables(code)?,
        is_optimized: code.getattr(name!(py, "co_flags"))?.extract::<u32>()? & OPTIMIZED != 0,
        is_ours,
        _code: code.clone().unbind(),
    });
    let mut codes = CODES.lock().unwrap_or_else(PoisonError::into_inner);
    let map = codes.get_or_insert_default();
    let full = (map.len() >= MOST_CODES).then(|| std::mem::take(map));
    map.insert(address, info.clone());
    drop(codes);
    drop(full);
    Ok(info)
}

impl Code {
    /// Whether this is the name of one of its variables.
    pub(crate) fn has(&self, name: &Bound<'_, PyAny>) -> bool {
        self.variables.contains(&address(name))
    }
}

/// The code object keeps the names.
fn variables(code: &Bound<'_, PyAny>) -> PyResult<Vec<usize>> {
    let py = code.py();
    let mut variables = Vec::new();
    for kind in [name!(py, "co_varnames"), name!(py, "co_cellvars"), name!(py, "co_freevars")] {
        let names = code.getattr(kind)?.cast_into::<PyTuple>()?;
        variables.extend(names.iter().map(|name| address(&name)));
    }
    Ok(variables)
}

fn absolute(py: Python<'_>, file: &str) -> PyResult<String> {
    let path = py.import(name!(py, "os.path"))?;
    path.call_method1(name!(py, "abspath"), (file,))?.extract()
}

/// The text of a source file, by `linecache`: it knows archives, loaders and notebooks.
fn source_of(frame: &Bound<'_, PyAny>, file: &str) -> Arc<SourceFile> {
    let known = SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(source) = known.as_ref().and_then(|sources| sources.files.get(file)) {
        return source.clone();
    }
    drop(known);
    let source = Arc::new(SourceFile::new(read(frame, file).unwrap_or_default()));
    let mut sources = SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
    let sources = sources.get_or_insert_default();
    if sources.bytes + source.len() > MOST_SOURCE_BYTES {
        *sources = Sources::default();
    }
    sources.bytes += source.len();
    sources.files.insert(file.to_owned(), source.clone());
    source
}

fn read(frame: &Bound<'_, PyAny>, file: &str) -> PyResult<String> {
    let py = frame.py();
    let globals = frame.getattr(name!(py, "f_globals"))?;
    let linecache = py.import(name!(py, "linecache"))?;
    let lines = linecache.call_method1(name!(py, "getlines"), (file, globals))?;
    let joined = name!(py, "").call_method1(name!(py, "join"), (lines.cast_into::<PyList>()?,))?;
    Ok(joined.cast_into::<PyString>()?.to_string_lossy().into_owned())
}
