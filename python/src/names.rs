//! Names of variables seen so far: their text, and whether they name a secret.
use std::sync::{Arc, Mutex, PoisonError};

use flawless_redact::Redactor;
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::address::{AddressMap, address};
use crate::raw;

/// A name of a variable.
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) text: Arc<str>,
    pub(crate) is_secret: bool,
    /// `__builtins__`, `__file__`, …: not worth showing.
    pub(crate) is_system: bool,
}

const MOST_NAMES: usize = 4_000;
/// Names set by a program can have any length.
const LONGEST_NAME: usize = 200;

/// Keyed by the address of the string, which is kept alive so that no other gets it.
static NAMES: Mutex<Option<Names>> = Mutex::new(None);

type Names = AddressMap<(Name, Py<PyString>)>;

/// The known facts about a name.
pub(crate) fn name(text: &Bound<'_, PyString>, redactor: &Redactor) -> Name {
    // A name of another type may run code when it is freed, and a long one is not worth keeping.
    let is_kept = text.is_exact_instance_of::<PyString>() && raw::length(text) <= LONGEST_NAME;
    if !is_kept {
        return make(text, redactor);
    }
    let address = address(text.as_any());
    let lock = || NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((name, _)) = lock().get_or_insert_default().get(&address) {
        return name.clone();
    }
    let name = make(text, redactor);
    let mut names = lock();
    let map = names.get_or_insert_default();
    let full = (map.len() >= MOST_NAMES).then(|| std::mem::take(map));
    map.insert(address, (name.clone(), text.clone().unbind()));
    drop(names);
    drop(full);
    name
}

fn make(text: &Bound<'_, PyString>, redactor: &Redactor) -> Name {
    let part = raw::substring(text, LONGEST_NAME);
    let part = part.as_ref().unwrap_or(text);
    let lossy;
    let utf8 = match raw::utf8(part) {
        Some(utf8) => utf8,
        None => {
            lossy = part.to_string_lossy();
            &lossy
        }
    };
    Name {
        text: utf8.into(),
        is_secret: redactor.is_secret_name(utf8),
        is_system: utf8.len() > 4 && utf8.starts_with("__") && utf8.ends_with("__"),
    }
}

/// Drops the cache, because the rules have changed.
pub(crate) fn forget() {
    let names = NAMES.lock().unwrap_or_else(PoisonError::into_inner).take();
    drop(names);
}
