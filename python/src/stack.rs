//! The frames of a traceback, and the callers that led there.
use std::hash::{DefaultHasher, Hasher};

use crate::raw::name;
use flawless_client::StackKey;
use pyo3::prelude::*;
use pyo3::types::PyTraceback;

/// One place of the stack, as the interpreter has it.
pub(crate) struct Place<'py> {
    /// Traceback or frame: what knows the line.
    at: Bound<'py, PyAny>,
    pub(crate) is_traceback: bool,
    pub(crate) frame: Bound<'py, PyAny>,
    pub(crate) code: Bound<'py, PyAny>,
}

/// A deeper stack is cut in the middle: outermost and innermost places stay.
const OUTERMOST: usize = 200;
const INNERMOST: usize = 800;
/// Callers that tell one stack from another.
const KEY_CALLERS: usize = 60;

impl Place<'_> {
    /// Its line, 0 when the interpreter does not know it.
    pub(crate) fn line(&self) -> u32 {
        let py = self.at.py();
        let name = match self.is_traceback {
            true => name!(py, "tb_lineno"),
            false => name!(py, "f_lineno"),
        };
        self.at.getattr(name).and_then(|line| line.extract()).unwrap_or(0)
    }

    fn instruction(&self) -> i64 {
        let py = self.at.py();
        let name = match self.is_traceback {
            true => name!(py, "tb_lasti"),
            false => name!(py, "f_lasti"),
        };
        self.at.getattr(name).and_then(|at| at.extract()).unwrap_or(0)
    }
}

/// The places of a traceback, outermost first.
pub(crate) fn traceback<'py>(traceback: Option<Bound<'py, PyAny>>) -> Vec<Place<'py>> {
    let mut places: Vec<Place<'py>> = Vec::with_capacity(32);
    let mut next = traceback;
    // Anything else with these attributes might never end.
    while let Some(at) = next.take().filter(|at| at.is_exact_instance_of::<PyTraceback>()) {
        let py = at.py();
        let Ok(frame) = at.getattr(name!(py, "tb_frame")) else { break };
        let Ok(code) = frame.getattr(name!(py, "f_code")) else { break };
        next = at.getattr(name!(py, "tb_next")).ok();
        places.push(Place { at, is_traceback: true, frame, code });
        if places.len() > OUTERMOST + 2 * INNERMOST {
            places.drain(OUTERMOST..OUTERMOST + INNERMOST);
        }
    }
    if places.len() > OUTERMOST + INNERMOST {
        places.drain(OUTERMOST..places.len() - INNERMOST);
    }
    places
}

/// The frame and those that called it, innermost first.
pub(crate) fn callers<'py>(frame: Option<Bound<'py, PyAny>>) -> Vec<Place<'py>> {
    let mut places = Vec::new();
    let mut next = frame;
    while let Some(frame) = next.take().filter(|frame| !frame.is_none()) {
        let py = frame.py();
        let Ok(code) = frame.getattr(name!(py, "f_code")) else { break };
        next = frame.getattr(name!(py, "f_back")).ok();
        places.push(Place { at: frame.clone(), is_traceback: false, frame, code });
        if places.len() >= INNERMOST {
            break;
        }
    }
    places
}

/// The frame that called the outermost one of a traceback.
pub(crate) fn caller_of<'py>(places: &[Place<'py>]) -> Option<Bound<'py, PyAny>> {
    let frame = &places.first()?.frame;
    frame.getattr(name!(frame.py(), "f_back")).ok()
}

/// What tells this stack from others, known before anything is read: the instruction each
/// frame is at.
pub(crate) fn key(callers: &[Place<'_>], places: &[Place<'_>]) -> StackKey {
    let mut hasher = DefaultHasher::new();
    for place in callers.iter().take(KEY_CALLERS).chain(places) {
        hasher.write_usize(place.code.as_ptr() as usize);
        hasher.write_i64(place.instruction());
    }
    StackKey(hasher.finish())
}
