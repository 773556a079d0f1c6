//! The text of source files as it ran. A file that has changed since the program began says
//! something else at the same line: its text counts only where it is known to be what runs.
use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flawless_client::SourceFile;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

use crate::raw::{self, known, name};
use crate::{clock, file_text, passive};

/// Of all source files together.
const MOST_SOURCE_BYTES: usize = 16 * 1024 * 1024;
const MOST_COMPILED_BYTES: u64 = 8 * 1024 * 1024;
/// Code objects within one another.
const MOST_NESTED: usize = 20_000;

static BEGAN: OnceLock<SystemTime> = OnceLock::new();
/// Counts reports: for each, a file is looked at once.
static REPORT: AtomicU64 = AtomicU64::new(0);
static SOURCES: Mutex<Option<Sources>> = Mutex::new(None);

#[derive(Debug, Default)]
struct Sources {
    files: HashMap<String, Arc<Known>>,
    bytes: usize,
}

/// A file that was read.
#[derive(Debug)]
struct Known {
    source: Arc<SourceFile>,
    stamp: Option<Stamp>,
    /// The report for which the stamp was looked at.
    looked_at: AtomicU64,
    /// It read so when the program began.
    is_of_the_beginning: bool,
    /// What Python has compiled from this very text: all code objects.
    compiled: Vec<Py<PyAny>>,
}

/// Tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stamp {
    size: u64,
    /// In seconds, as Python has it.
    modified: f64,
    changed: SystemTime,
}

/// From now on files may change under the program. A child made by fork runs what its parent has
/// loaded.
pub(crate) fn begin() {
    let _ = BEGAN.set(clock::wall());
}

/// A report begins: files may have changed since the last one.
pub(crate) fn look_again() {
    REPORT.fetch_add(1, Ordering::Relaxed);
}

/// The text that a code object was made of, or at least its own lines; `None` when it is not
/// known, or may be another by now.
pub(crate) fn source_of(
    code: &Bound<'_, PyAny>,
    globals: &Bound<'_, PyAny>,
) -> Option<Arc<SourceFile>> {
    let py = code.py();
    let file = code.getattr(name!(py, "co_filename")).ok()?.cast_into::<PyString>().ok()?;
    let path = file.to_string_lossy();
    let lock = || SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
    let before = lock().as_ref().and_then(|all| all.files.get(&*path).cloned());
    let now = REPORT.load(Ordering::Relaxed);
    if let Some(known) = &before
        && now == known.looked_at.load(Ordering::Relaxed)
    {
        return known.text_of(code);
    }
    let stamp = stamp(Path::new(&*path));
    if let Some(known) = &before
        && stamp == known.stamp
    {
        known.looked_at.store(now, Ordering::Relaxed);
        return known.text_of(code);
    }
    let known = Arc::new(read(&file, stamp, globals)?);
    let of_now = known.text_of(code);
    if let Some(before) = before {
        // The module may have been loaded again since.
        return of_now.or_else(|| before.text_of(code));
    }
    let mut sources = lock();
    let all = sources.get_or_insert_default();
    let is_full = all.bytes + known.source.len() > MOST_SOURCE_BYTES;
    let former = is_full.then(|| std::mem::take(all));
    all.bytes += known.source.len();
    all.files.insert(path.into_owned(), known);
    drop(sources);
    drop(former);
    of_now
}

fn read(
    file: &Bound<'_, PyString>,
    stamp: Option<Stamp>,
    globals: &Bound<'_, PyAny>,
) -> Option<Known> {
    let began = BEGAN.get().copied().unwrap_or(UNIX_EPOCH);
    let has_changed = stamp.is_some_and(|stamp| stamp.changed >= began);
    let earlier = if has_changed { read_earlier(file, stamp, began) } else { None };
    let is_of_the_beginning = !has_changed || earlier.is_some();
    let text = match earlier {
        Some(earlier) => earlier,
        None => match file_text::read(file) {
            Some(text) => text,
            None => by_linecache(file, globals).unwrap_or_default(),
        },
    };
    let compiled = stamp.filter(|_| !is_of_the_beginning);
    let compiled = compiled.and_then(|stamp| compiled_from(globals, file, stamp));
    let compiled = compiled.map(|module| within(module)).unwrap_or_default();
    Some(Known {
        source: Arc::new(SourceFile::new(text)),
        stamp,
        looked_at: REPORT.load(Ordering::Relaxed).into(),
        is_of_the_beginning,
        compiled,
    })
}

/// What somebody has read by `linecache` before the file changed.
fn read_earlier(
    file: &Bound<'_, PyString>,
    stamp: Option<Stamp>,
    began: SystemTime,
) -> Option<String> {
    let py = file.py();
    let cache = raw::module(name!(py, "linecache")).ok()?.getattr(name!(py, "cache")).ok()?;
    let entry = cache.cast_into_exact::<PyDict>().ok()?.get_item(file).ok()??;
    let (size, modified, lines, _) =
        entry.extract::<(u64, f64, Bound<'_, PyList>, Py<PyAny>)>().ok()?;
    let is_same =
        stamp.is_some_and(|now| size == now.size && (modified - now.modified).abs() < 1e-6);
    if is_same || !is_before(modified, began) {
        return None;
    }
    joined(lines)
}

/// What is no file: cells of notebooks, which `linecache` keeps, and what a loader has the source
/// of. It would ask the loader of a module also for the source of what only runs there.
fn by_linecache(file: &Bound<'_, PyString>, globals: &Bound<'_, PyAny>) -> Option<String> {
    let py = file.py();
    let linecache = raw::module(name!(py, "linecache")).ok()?;
    let cache = linecache.getattr(name!(py, "cache")).ok()?.cast_into_exact::<PyDict>().ok()?;
    let entry = cache.get_item(file).ok().flatten();
    let lines = entry.and_then(|entry| entry.get_item(2).ok()?.cast_into::<PyList>().ok());
    if let Some(lines) = lines {
        return joined(lines);
    }
    if Path::new(&*file.to_string_lossy()).exists() {
        // A pipe, for example: it has been read by now.
        return None;
    }
    let module_file =
        globals.cast_exact::<PyDict>().ok()?.get_item(name!(py, "__file__")).ok()??;
    if !module_file.eq(file).ok()? {
        return None;
    }
    let get = linecache.getattr(name!(py, "getlines")).ok()?;
    let arguments = PyTuple::new(py, [file.as_any(), globals]).ok()?;
    joined(raw::call(&get, &arguments).ok()?.cast_into::<PyList>().ok()?)
}

fn joined(lines: Bound<'_, PyList>) -> Option<String> {
    let py = lines.py();
    let joined = name!(py, "").call_method1(name!(py, "join"), (lines,)).ok()?;
    Some(joined.cast_into::<PyString>().ok()?.to_string_lossy().into_owned())
}

/// Whether there is such a file, in an archive perhaps.
pub(crate) fn is_file(path: &Path) -> bool {
    stamp(path).is_some()
}

/// The text of a file as it is now.
pub(crate) fn of_file(file: &Bound<'_, PyString>) -> Option<SourceFile> {
    file_text::read(file).map(SourceFile::new)
}

fn is_before(seconds: f64, time: SystemTime) -> bool {
    time.duration_since(UNIX_EPOCH).is_ok_and(|time| seconds < time.as_secs_f64())
}

impl Known {
    fn text_of(&self, code: &Bound<'_, PyAny>) -> Option<Arc<SourceFile>> {
        if self.is_of_the_beginning {
            return Some(self.source.clone());
        }
        let py = code.py();
        let lines = line_table(code)?;
        let is_same = |other: &Bound<'_, PyAny>| {
            other.eq(code).unwrap_or(false)
                && line_table(other).is_some_and(|other| other.eq(&lines).unwrap_or(false))
        };
        self.compiled.iter().find(|other| is_same(other.bind(py)))?;
        let first = code.getattr(name!(code.py(), "co_firstlineno")).ok()?.extract().ok()?;
        Some(Arc::new(self.source.part(first, last_line(code)?)))
    }
}

/// The state of a file, or of the archive that holds it; `None` when there is no such file.
fn stamp(path: &Path) -> Option<Stamp> {
    let found = path.ancestors().find_map(|path| std::fs::metadata(path).ok())?;
    let modified = found.modified().ok()?;
    found.is_file().then(|| Stamp {
        size: found.len(),
        modified: modified.duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64()),
        changed: changed(&found).max(modified),
    })
}

/// When a file was put there, whatever its time says: that is often kept when files are copied.
#[cfg(unix)]
fn changed(found: &Metadata) -> SystemTime {
    use std::os::unix::fs::MetadataExt;
    let seconds = u64::try_from(found.ctime()).unwrap_or(0);
    let nanoseconds = u32::try_from(found.ctime_nsec()).unwrap_or(0).min(999_999_999);
    let since = Duration::new(seconds, nanoseconds);
    UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
}

#[cfg(not(unix))]
fn changed(found: &Metadata) -> SystemTime {
    found.created().unwrap_or(UNIX_EPOCH)
}

/// What Python has compiled from a file in its present state, and kept beside it.
fn compiled_from<'py>(
    globals: &Bound<'py, PyAny>,
    file: &Bound<'py, PyString>,
    stamp: Stamp,
) -> Option<Bound<'py, PyAny>> {
    let py = file.py();
    let globals = globals.cast_exact::<PyDict>().ok()?;
    if !globals.get_item(name!(py, "__file__")).ok()??.eq(file).ok()? {
        return None;
    }
    let spec = globals.get_item(name!(py, "__spec__")).ok()??;
    let path: String = passive::own_attribute(&spec, name!(py, "_cached"))?.extract().ok()?;
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MOST_COMPILED_BYTES).read_to_end(&mut bytes).ok()?;
    let (head, body) = bytes.split_at_checked(16)?;
    let magic = known!("_frozen_importlib_external", "MAGIC_NUMBER").get(py).ok()?;
    let word = |at: usize| head.get(at..at + 4)?.try_into().ok().map(u32::from_le_bytes);
    // As the import system compares: time and size in 32 bits each.
    let of_now = |number: u64| u32::try_from(number & 0xffff_ffff).ok();
    let is_of_now = magic.cast::<PyBytes>().is_ok_and(|magic| head.starts_with(magic.as_bytes()))
        && word(4) == Some(0)
        && word(8) == of_now(stamp.modified as u64)
        && word(12) == of_now(stamp.size);
    if !is_of_now {
        return None;
    }
    let marshal = raw::module(name!(py, "marshal")).ok()?;
    marshal.call_method1(name!(py, "loads"), (PyBytes::new(py, body),)).ok()
}

/// A code object and those within it.
fn within(module: Bound<'_, PyAny>) -> Vec<Py<PyAny>> {
    let py = module.py();
    let mut left = vec![module];
    let mut all = Vec::new();
    while let Some(code) = left.pop() {
        if all.len() >= MOST_NESTED {
            break;
        }
        let held = code.getattr(name!(py, "co_consts")).ok();
        let held = held.and_then(|held| held.cast_into::<PyTuple>().ok());
        let is_code = |held: &Bound<'_, PyAny>| known!("types", "CodeType").is_type_of(held);
        left.extend(held.iter().flat_map(|held| held.iter()).filter(is_code));
        all.push(code.unbind());
    }
    all
}

fn line_table<'py>(code: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let table = code.getattr(name!(code.py(), "co_linetable"));
    table.or_else(|_| code.getattr(name!(code.py(), "co_lnotab"))).ok()
}

/// The last line that a code object has.
fn last_line(code: &Bound<'_, PyAny>) -> Option<u32> {
    let py = code.py();
    let mut last: u32 = code.getattr(name!(py, "co_firstlineno")).ok()?.extract().ok()?;
    if let Ok(lines) = code.call_method0(name!(py, "co_lines")) {
        for line in lines.try_iter().ok()? {
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
