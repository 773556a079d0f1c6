//! The text of source files as it ran. A file may say something else by now, or another may stand
//! at its path: a text counts where it is known to be what runs. Either nothing has been put there
//! since the program began, or what it compiles to is equal to the code that runs.
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use flawless_client::SourceFile;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::compiled::{Compiled, first_line, last_line};
use crate::raw::{self, known, name};
use crate::{file_text, unchanged};

/// Of all source files together.
const MOST_SOURCE_BYTES: usize = 16 * 1024 * 1024;
/// What a text takes with all that it compiles to, in times its length.
const COMPILED: usize = 5;
/// Of the texts that are compiled for one report: the interpreter stands still meanwhile, for about
/// a microsecond a byte.
const MOST_TO_COMPILE: usize = 256 * 1024;
/// Texts of one file that are kept: what runs may be older than what was read last.
const MOST_TEXTS: usize = 4;

/// Counts reports: for each, a file is looked at once.
static REPORT: AtomicU64 = AtomicU64::new(0);
/// Bytes that may be compiled for this report.
static TO_COMPILE: AtomicUsize = AtomicUsize::new(MOST_TO_COMPILE);
static SOURCES: Mutex<Option<Sources>> = Mutex::new(None);

#[derive(Debug, Default)]
struct Sources {
    files: HashMap<String, Arc<Known>>,
    bytes: usize,
}

/// A file that was read.
#[derive(Debug)]
struct Known {
    stamp: Option<Stamp>,
    /// The report for which the stamp was looked at.
    looked_at: AtomicU64,
    /// What it has said, as far as that was read, the last first.
    texts: Vec<Arc<Text>>,
}

/// One state of a file.
#[derive(Debug)]
struct Text {
    source: Arc<SourceFile>,
    /// It read so when the program began.
    is_of_the_beginning: bool,
    compiled: OnceLock<Compiled>,
}

/// Tells one state of a file from another.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stamp {
    file: (u64, u64),
    size: u64,
    modified: Option<SystemTime>,
    changed: SystemTime,
}

/// There is text, but to find out whether it is what runs would take too long for one report.
#[derive(Debug)]
pub(crate) struct NotNow;

/// A report begins: files may have changed since the last one.
pub(crate) fn look_again() {
    REPORT.fetch_add(1, Ordering::Relaxed);
    TO_COMPILE.store(MOST_TO_COMPILE, Ordering::Relaxed);
}

/// The text that a code object was made of, or at least its own lines; `None` when it is not
/// known, or may be another by now.
pub(crate) fn source_of(
    code: &Bound<'_, PyAny>,
    globals: &Bound<'_, PyAny>,
) -> Option<Arc<SourceFile>> {
    look_up(code, globals).ok()?
}

/// The same, which also tells whether it is worth while to ask again.
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

/// What is known of a file, as it is now.
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

/// What a file says, and what it has said as far as somebody has read it by `linecache`.
fn read(
    file: &Bound<'_, PyString>,
    stamp: Option<Stamp>,
    globals: &Bound<'_, PyAny>,
) -> Vec<Arc<Text>> {
    let is_there = stamp.is_some();
    let text = file_text::read(file).or_else(|| by_name(file, globals, is_there));
    // Asked after it was read: it has not changed meanwhile then.
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

/// What `linecache` keeps of a file, and whether it has read that from one.
fn cached<'py>(file: &Bound<'py, PyString>) -> Option<(bool, Bound<'py, PyList>)> {
    let py = file.py();
    let cache = raw::module(name!(py, "linecache")).ok()?.getattr(name!(py, "cache")).ok()?;
    let entry = cache.cast_into_exact::<PyDict>().ok()?.get_item(file).ok()??;
    let lines = entry.get_item(2).ok()?.cast_into::<PyList>().ok()?;
    Some((!entry.get_item(1).ok()?.is_none(), lines))
}

/// What is no file: cells of notebooks, which `linecache` keeps, and what the loader of a module
/// has the source of.
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
        // A pipe, for example: it has been read by now.
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

/// An attribute of an object that may be of the program's.
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

/// Whether there is such a file, in an archive perhaps.
pub(crate) fn is_file(path: &Path) -> bool {
    stamp(path).is_some()
}

/// The text of a file as it is now.
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
            // What stands around it may be of another time.
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
        // Another thread may do the same meanwhile.
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
