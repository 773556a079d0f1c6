//! The text of source files as it was run. A file may have changed since, or been replaced, so a
//! text counts only if it is known to match the running code: either its path is unchanged since
//! the program started, or it compiles to the same code.
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use flawless_client::SourceFile;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::compiled::{Compiled, first_line, last_line};
use crate::raw;
use crate::statics::{known, name};
use crate::{file_text, unchanged};

/// Size limit of all source files together.
const MOST_SOURCE_BYTES: usize = 16 * 1024 * 1024;
/// Memory of a text with its compiled code, as a multiple of its length.
const COMPILED: usize = 5;
/// Size limit of the texts compiled for one report: the interpreter is held meanwhile, for about a
/// microsecond per byte.
const MOST_TO_COMPILE: usize = 256 * 1024;
/// Number of texts kept for one file: the running code may be older than the last text read.
const MOST_TEXTS: usize = 4;

/// Counts reports: a file is checked once for each.
static REPORT: AtomicU64 = AtomicU64::new(0);
/// Bytes that may still be compiled for this report.
static TO_COMPILE: AtomicUsize = AtomicUsize::new(MOST_TO_COMPILE);
static SOURCES: Mutex<Option<Sources>> = Mutex::new(None);

#[derive(Debug, Default)]
struct Sources {
    files: HashMap<String, Arc<Known>>,
    bytes: usize,
}

/// A file that has been read.
#[derive(Debug)]
struct Known {
    stamp: Option<Stamp>,
    /// The report for which the stamp was checked.
    looked_at: AtomicU64,
    /// The texts that were read from it, latest first.
    texts: Vec<Arc<Text>>,
}

/// One state of a file.
#[derive(Debug)]
struct Text {
    source: Arc<SourceFile>,
    /// The file had this text when the program started.
    is_of_the_beginning: bool,
    compiled: OnceLock<Compiled>,
}

/// Identifies the state of a file.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: Option<SystemTime>,
    changed: SystemTime,
}

/// There is a text, but checking it against the running code would take too long for one report.
#[derive(Debug)]
pub(crate) struct NotNow;

/// Starts a report: files may have changed since the last one.
pub(crate) fn look_again() {
    REPORT.fetch_add(1, Ordering::Relaxed);
    TO_COMPILE.store(MOST_TO_COMPILE, Ordering::Relaxed);
}

/// The text that a code object was compiled from, or at least its own lines; `None` when it is
/// unknown or may have changed.
pub(crate) fn source_of(
    code: &Bound<'_, PyAny>,
    globals: &Bound<'_, PyAny>,
) -> Option<Arc<SourceFile>> {
    look_up(code, globals).ok()?
}

/// Like `source_of`, but also says whether another attempt is worthwhile.
pub(crate) fn look_up(
    code: &Bound<'_, PyAny>,
    globals: &Bound<'_, PyAny>,
) -> Result<Option<Arc<SourceFile>>, NotNow> {
    let file = code.getattr(name!(code.py(), "co_filename")).ok();
    let Some(file) = file.and_then(|file| file.cast_into::<PyString>().ok()) else {
        return Ok(None);
    };
    known(&file, globals).text_of(code, &file)
}

/// The known state of a file, updated.
fn known(file: &Bound<'_, PyString>, globals: &Bound<'_, PyAny>) -> Arc<Known> {
    let path = file.to_string_lossy();
    let lock = || SOURCES.lock().unwrap_or_else(PoisonError::into_inner);
    let before = lock().as_ref().and_then(|all| all.files.get(&*path).cloned());
    let now = REPORT.load(Ordering::Relaxed);
    if let Some(known) = &before
        && now == known.looked_at.load(Ordering::Relaxed)
    {
        return known.clone();
    }
    let stamp = stamp(Path::new(&*path));
    if let Some(known) = &before
        && stamp == known.stamp
    {
        known.looked_at.store(now, Ordering::Relaxed);
        return known.clone();
    }
    let mut texts = read(file, stamp, globals);
    let bytes: usize = texts.iter().map(|text| text.bytes()).sum();
    texts.extend(before.iter().flat_map(|before| before.texts.iter().cloned()));
    texts.truncate(MOST_TEXTS);
    let known = Arc::new(Known { stamp, looked_at: now.into(), texts });
    let mut sources = lock();
    let all = sources.get_or_insert_default();
    let is_full = all.bytes + bytes > MOST_SOURCE_BYTES;
    let former = is_full.then(|| std::mem::take(all));
    all.bytes += bytes;
    all.files.insert(path.into_owned(), known.clone());
    drop(sources);
    drop(former);
    known
}

/// The current text of a file, and an earlier one if it was read through `linecache`.
fn read(
    file: &Bound<'_, PyString>,
    stamp: Option<Stamp>,
    globals: &Bound<'_, PyAny>,
) -> Vec<Arc<Text>> {
    let is_there = stamp.is_some();
    let text = file_text::read(file).or_else(|| by_name(file, globals, is_there));
    // Checked after reading, so that a change during reading is noticed.
    let is_of_the_beginning =
        !is_there || unchanged::is_of_the_beginning(Path::new(&*file.to_string_lossy()));
    let mut texts: Vec<_> =
        text.map(|text| Text::new(text, is_of_the_beginning)).into_iter().collect();
    if !is_of_the_beginning || texts.is_empty() {
        let earlier = cached(file).and_then(|(_, lines)| joined(lines));
        let earlier = earlier.filter(|it| texts.iter().all(|text| text.source.text() != it));
        texts.extend(earlier.map(|text| Text::new(text, false)));
    }
    texts
}

/// The text that `linecache` keeps, and whether it read that from a file.
fn cached<'py>(file: &Bound<'py, PyString>) -> Option<(bool, Bound<'py, PyList>)> {
    let py = file.py();
    let cache = raw::module(name!(py, "linecache")).ok()?.getattr(name!(py, "cache")).ok()?;
    let entry = cache.cast_into_exact::<PyDict>().ok()?.get_item(file).ok()??;
    let lines = entry.get_item(2).ok()?.cast_into::<PyList>().ok()?;
    Some((!entry.get_item(1).ok()?.is_none(), lines))
}

/// Sources without a file: notebook cells, which `linecache` keeps, and modules whose loader has
/// the source.
fn by_name(
    file: &Bound<'_, PyString>,
    globals: &Bound<'_, PyAny>,
    is_there: bool,
) -> Option<String> {
    let py = file.py();
    if let Some((was_file, lines)) = cached(file) {
        return if was_file && !is_there { None } else { joined(lines) };
    }
    if Path::new(&*file.to_string_lossy()).exists() {
        // A pipe, for example, which has been consumed by now.
        return None;
    }
    let module_file =
        globals.cast_exact::<PyDict>().ok()?.get_item(name!(py, "__file__")).ok()??;
    if !module_file.eq(file).ok()? {
        return None;
    }
    let global = |name| globals.cast_exact::<PyDict>().ok()?.get_item(name).ok()?;
    let spec = global(name!(py, "__spec__")).filter(|spec| !spec.is_none());
    let of_spec = |name| spec.as_ref().and_then(|spec| asked_for(spec, name));
    let module = of_spec(name!(py, "name")).or_else(|| global(name!(py, "__name__")))?;
    let loader = of_spec(name!(py, "loader")).or_else(|| global(name!(py, "__loader__")))?;
    let get = asked_for(&loader, name!(py, "get_source"))?;
    let text = raw::call(&get, &PyTuple::new(py, [module]).ok()?).ok()?;
    Some(text.cast_into::<PyString>().ok()?.to_string_lossy().into_owned())
}

/// An attribute of an object that may belong to the program.
fn asked_for<'py>(
    of: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
) -> Option<Bound<'py, PyAny>> {
    let get = known!("builtins", "getattr").get(of.py()).ok()?;
    raw::call(get, &PyTuple::new(of.py(), [of, name.as_any()]).ok()?).ok()
}

fn joined(lines: Bound<'_, PyList>) -> Option<String> {
    let py = lines.py();
    let joined = name!(py, "").call_method1(name!(py, "join"), (lines,)).ok()?;
    Some(joined.cast_into::<PyString>().ok()?.to_string_lossy().into_owned())
}

/// Whether there is such a file, possibly in an archive.
pub(crate) fn is_file(path: &Path) -> bool {
    stamp(path).is_some()
}

/// The current text of a file.
pub(crate) fn of_file(file: &Bound<'_, PyString>) -> Option<SourceFile> {
    file_text::read(file).map(SourceFile::new)
}

impl Known {
    fn text_of(
        &self,
        code: &Bound<'_, PyAny>,
        file: &Bound<'_, PyString>,
    ) -> Result<Option<Arc<SourceFile>>, NotNow> {
        if let [text] = &*self.texts
            && text.is_of_the_beginning
        {
            return Ok(Some(text.source.clone()));
        }
        for text in &self.texts {
            if !text.compiles_to(code, file)? {
                continue;
            }
            if text.is_of_the_beginning {
                return Ok(Some(text.source.clone()));
            }
            // The lines around it may be from another version.
            let lines = first_line(code).zip(last_line(code));
            return Ok(lines.map(|(first, last)| Arc::new(text.source.part(first, last))));
        }
        Ok(None)
    }
}

impl Text {
    fn new(text: String, is_of_the_beginning: bool) -> Arc<Self> {
        let source = Arc::new(SourceFile::new(text));
        Arc::new(Self { source, is_of_the_beginning, compiled: OnceLock::new() })
    }

    fn bytes(&self) -> usize {
        self.source.len() * if self.is_of_the_beginning { 1 } else { COMPILED }
    }

    fn compiles_to(
        &self,
        code: &Bound<'_, PyAny>,
        file: &Bound<'_, PyString>,
    ) -> Result<bool, NotNow> {
        if let Some(compiled) = self.compiled.get() {
            return Ok(compiled.has(code));
        }
        let size = self.source.len();
        if size > MOST_TO_COMPILE {
            return Ok(false);
        }
        let take = |left: usize| left.checked_sub(size);
        TO_COMPILE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).map_err(|_| NotNow)?;
        // Another thread may have done the same meanwhile.
        let _ = self.compiled.set(Compiled::of(self.source.text(), file));
        Ok(self.compiled.get().is_some_and(|compiled| compiled.has(code)))
    }
}

/// The state of a file, or of the archive that holds it; `None` when there is no such file.
fn stamp(path: &Path) -> Option<Stamp> {
    let found = path.ancestors().find_map(|path| std::fs::metadata(path).ok())?;
    found.is_file().then(|| Stamp {
        file: identity(&found),
        size: found.len(),
        modified: found.modified().ok(),
        changed: unchanged::changed(&found),
    })
}

/// Two files may have the same size and times.
#[cfg(unix)]
fn identity(found: &std::fs::Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (found.dev(), found.ino())
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> (u64, u64) {
    (0, 0)
}
