//! The program's wishes about its reports: ignored exceptions, `before_send`, and whether to send
//! the address of a web client.
use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyType;

use crate::passive;

/// The wishes of the last `init`.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) ignore_classes: Vec<Py<PyType>>,
    /// With or without their module.
    pub(crate) ignore_names: Vec<String>,
    pub(crate) before_send: Option<Py<PyAny>>,
    pub(crate) send_client_address: bool,
}

static WISHES: Mutex<Option<Wishes>> = Mutex::new(None);

fn with<T>(work: impl FnOnce(&mut Wishes) -> T) -> T {
    work(WISHES.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

pub(crate) fn set(wishes: Wishes) {
    let former = with(|known| std::mem::replace(known, wishes));
    // Dropping it may run code of the program.
    drop(former);
}

/// Whether the program ignores such exceptions.
pub(crate) fn ignores(kind: &Bound<'_, PyType>) -> bool {
    let py = kind.py();
    let (classes, names) = with(|wishes| {
        let classes: Vec<_> =
            wishes.ignore_classes.iter().map(|class| class.clone_ref(py)).collect();
        (classes, wishes.ignore_names.clone())
    });
    if classes.is_empty() && names.is_empty() {
        return false;
    }
    let mro = passive::mro(kind);
    let is_class = |of: &Bound<'_, PyType>| classes.iter().any(|class| class.is(of));
    let is_named = |of: &Bound<'_, PyType>| {
        let full = passive::full_type_name(of);
        let plain = full.rsplit('.').next().unwrap_or_default();
        names.iter().any(|name| *name == full || name == plain)
    };
    mro.iter().any(|of| is_class(of) || is_named(of))
}

pub(crate) fn before_send(py: Python<'_>) -> Option<Py<PyAny>> {
    with(|wishes| wishes.before_send.as_ref().map(|call| call.clone_ref(py)))
}

/// Whether the program wants the client address of a web request reported.
#[pyfunction]
pub(crate) fn tells_client_address() -> bool {
    with(|wishes| wishes.send_client_address)
}
