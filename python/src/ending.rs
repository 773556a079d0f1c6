//! The shutdown of the interpreter. A thread that acquires the interpreter while it shuts down is
//! ended within our frames, which aborts the whole process, so none of our code may run in another
//! thread then.
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use pyo3::prelude::*;

use crate::clock;

static IS_ENDING: AtomicBool = AtomicBool::new(false);
static RUNNING: AtomicUsize = AtomicUsize::new(0);
static MAIN: OnceLock<Thread> = OnceLock::new();

/// How long the shutdown waits for running calls.
const PATIENCE: Duration = Duration::from_secs(1);

/// Does the work of a call from Python, unless the interpreter is shutting down. A panic is not the
/// program's error: it is printed to stderr and not propagated.
pub(crate) fn call<T>(otherwise: T, work: impl FnOnce() -> T) -> T {
    RUNNING.fetch_add(1, Ordering::SeqCst);
    let may_run = !IS_ENDING.load(Ordering::SeqCst) || is_main();
    let done = may_run.then(|| catch_unwind(AssertUnwindSafe(work)).ok());
    RUNNING.fetch_sub(1, Ordering::SeqCst);
    if IS_ENDING.load(Ordering::SeqCst)
        && let Some(main) = MAIN.get()
    {
        main.unpark();
    }
    done.flatten().unwrap_or(otherwise)
}

/// From now on only this thread runs our code.
pub(crate) fn begin(py: Python<'_>) {
    let _ = MAIN.set(thread::current());
    IS_ENDING.store(true, Ordering::SeqCst);
    py.detach(|| {
        let until = clock::now() + PATIENCE;
        while RUNNING.load(Ordering::SeqCst) > 0 && clock::now() < until {
            thread::park_timeout(until - clock::now());
        }
    });
}

fn is_main() -> bool {
    MAIN.get().is_some_and(|main| main.id() == thread::current().id())
}
