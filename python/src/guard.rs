//! Calls of `__repr__` that nobody knows: in a thread of their own, for a limited time. What a
//! type has proven to be quick is called directly later.
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flawless_redact::Redactor;
use pyo3::prelude::*;

use crate::ending;
use crate::kinds::TypeInfo;
use crate::print::{Trust, print};
use crate::raw::name;

/// A value, and how many characters its text may have.
pub(crate) type ToPrint = (Py<PyAny>, usize);

/// What a guarded thread prints, and what came of it.
#[pyclass(frozen)]
#[derive(Debug)]
struct Job {
    values: Vec<ToPrint>,
    redactor: Arc<Redactor>,
    done: Mutex<Done>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Done {
    texts: Vec<Option<String>>,
    /// All is printed, or nobody waits any more.
    is_over: bool,
    /// The type whose `__repr__` runs now.
    calling: Option<Arc<TypeInfo>>,
}

#[pymethods]
impl Job {
    fn __call__(&self, py: Python<'_>) {
        ending::call((), || self.run(py));
    }
}

impl Job {
    fn run(&self, py: Python<'_>) {
        for (at, (value, limit)) in self.values.iter().enumerate() {
            let calling = |info: Option<&Arc<TypeInfo>>| self.done().calling = info.cloned();
            let mut text = String::new();
            let value = value.bind(py);
            let printed = print(&mut text, value, *limit, Trust::All, &self.redactor, &calling);
            let mut done = self.done();
            if done.is_over {
                return;
            }
            done.texts[at] = printed.ok().map(|()| text);
        }
        self.done().is_over = true;
        self.bell.notify_all();
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the type now: a lock is held meanwhile, and the program may fork later.
pub(crate) fn prepare(py: Python<'_>) {
    let _ = py.get_type::<Job>();
}

/// Prints all values. It takes at most this long; what is not printed then is described by its
/// type, and what kept the thread is not called again.
pub(crate) fn print_guarded(
    py: Python<'_>,
    values: Vec<ToPrint>,
    redactor: &Arc<Redactor>,
    limit: Duration,
) -> Vec<String> {
    let done = Done { texts: vec![None; values.len()], ..Done::default() };
    let job = Job { values, redactor: redactor.clone(), done: done.into(), bell: Condvar::new() };
    let Ok(job) = Bound::new(py, job) else { return Vec::new() };
    let texts = match start(&job) {
        Ok(()) => wait(py, job.get(), limit),
        Err(_) => vec![None; job.get().values.len()],
    };
    let described = |(text, (value, limit)): (Option<String>, &ToPrint)| {
        text.unwrap_or_else(|| {
            let mut text = String::new();
            let _ = print(&mut text, value.bind(py), *limit, Trust::Never, redactor, &|_| ());
            text
        })
    };
    texts.into_iter().zip(&job.get().values).map(described).collect()
}

/// A thread of Python: should it hang, the interpreter knows how to end without it. It has the
/// context variables of the program.
fn start(job: &Bound<'_, Job>) -> PyResult<()> {
    let py = job.py();
    let context = py.import(name!(py, "contextvars"))?.call_method0(name!(py, "copy_context"))?;
    let run = context.getattr(name!(py, "run"))?;
    new_thread(py)?.call1((run, (job,)))?;
    Ok(())
}

/// What starts a real thread, also where gevent has put another in its place.
fn new_thread(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let modules = py.import(name!(py, "sys"))?.getattr(name!(py, "modules"))?;
    let name = name!(py, "start_new_thread");
    if let Ok(monkey) = modules.get_item(name!(py, "gevent.monkey")) {
        return monkey.call_method1(name!(py, "get_original"), ("_thread", name));
    }
    py.import(name!(py, "_thread"))?.getattr(name)
}

fn wait(py: Python<'_>, job: &Job, limit: Duration) -> Vec<Option<String>> {
    py.detach(|| {
        let is_busy = |done: &mut Done| !done.is_over;
        let waited = job.bell.wait_timeout_while(job.done(), limit, is_busy);
        let (mut done, _) = waited.unwrap_or_else(PoisonError::into_inner);
        done.is_over = true;
        if let Some(stuck) = done.calling.take() {
            stuck.is_stuck();
        }
        std::mem::take(&mut done.texts)
    })
}
