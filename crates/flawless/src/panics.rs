//! Panics.
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook, take_hook};
use std::sync::Once;
use std::time::Duration;

use crate::guard::client;
use crate::reporting::{Occurrence, occurred};

thread_local! {
    /// This thread is reporting a panic: one that happens meanwhile is not reported.
    static IS_REPORTING: Cell<bool> = const { Cell::new(false) };
}

/// How long a program that ends with its first panic waits until that is sent.
const BEFORE_ABORT: Duration = Duration::from_secs(2);

/// Reports panics from now on, and does what was done about them before.
pub(crate) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = take_hook();
        set_hook(Box::new(move |info| {
            if !IS_REPORTING.replace(true) {
                // Whatever goes wrong here must not end the program.
                let _ = catch_unwind(AssertUnwindSafe(|| panicked(info)));
                IS_REPORTING.set(false);
            }
            before(info);
        }));
    });
}

fn panicked(info: &PanicHookInfo<'_>) {
    let location = info.location();
    let occurrence = Occurrence {
        type_name: "panic",
        mechanism: "panic",
        handled: false,
        raised_at: location.map(|location| (location.file(), location.line())),
        frames: None,
    };
    occurred(occurrence, || (message(info), Vec::new()));
    if cfg!(panic = "abort")
        && let Some(client) = client()
    {
        client.flush(BEFORE_ABORT);
    }
}

fn message(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a value that is not text".to_owned())
}
