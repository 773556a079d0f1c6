//! The frames of a traceback, and their callers.
use std::hash::{DefaultHasher, Hasher};

use crate::code;
use crate::statics::name;
use flawless_client::StackKey;
use pyo3::prelude::*;
use pyo3::types::PyTraceback;

/// A place in the stack, as the interpreter represents it.
pub(crate) struct Place<'py> {
    /// The traceback or frame that knows the line.
    pub(crate) at: Bound<'py, PyAny>,
    pub(crate) is_traceback: bool,
    pub(crate) frame: Bound<'py, PyAny>,
    pub(crate) code: Bound<'py, PyAny>,
}

/// A deeper stack is cut in the middle: the outermost and innermost places stay.
const OUTERMOST: usize = 200;
pub(crate) const INNERMOST: usize = 800;
/// Number of callers that identify a stack.
const KEY_CALLERS: usize = 60;

impl<'py> Place<'py> {
    /// The next entry of the traceback.
    pub(crate) fn inner(&self) -> Option<Self> {
        place_of(&self.at.getattr(name!(self.at.py(), "tb_next")).ok()?)
    }

    /// Its line number, 0 when the interpreter does not know it.
    pub(crate) fn line(&self) -> u32 {
        let py = self.at.py();
        let name = match self.is_traceback {
            true => name!(py, "tb_lineno"),
            false => name!(py, "f_lineno"),
        };
        self.at.getattr(name).and_then(|line| line.extract()).unwrap_or(0)
    }

    /// The offset of its current instruction.
    pub(crate) fn instruction(&self) -> i64 {
        let py = self.at.py();
        let name = match self.is_traceback {
            true => name!(py, "tb_lasti"),
            false => name!(py, "f_lasti"),
        };
        self.at.getattr(name).and_then(|at| at.extract()).unwrap_or(0)
    }
}

/// The outermost place of a traceback.
pub(crate) fn place_of<'py>(traceback: &Bound<'py, PyAny>) -> Option<Place<'py>> {
    // Another object with these attributes might form an endless chain.
    if !traceback.is_exact_instance_of::<PyTraceback>() {
        return None;
    }
    let py = traceback.py();
    let frame = traceback.getattr(name!(py, "tb_frame")).ok()?;
    let code = frame.getattr(name!(py, "f_code")).ok()?;
    Some(Place { at: traceback.clone(), is_traceback: true, frame, code })
}

/// The first place of a traceback that is not ours, if ours come before it.
pub(crate) fn within_ours<'py>(outermost: &Place<'py>) -> Option<Place<'py>> {
    if !code::is_ours(&outermost.code) {
        return None;
    }
    let mut next = outermost.inner();
    while let Some(place) = next.take_if(|place| code::is_ours(&place.code)) {
        next = place.inner();
    }
    next
}

/// The places of a traceback, outermost first.
pub(crate) fn traceback<'py>(traceback: Option<Bound<'py, PyAny>>) -> Vec<Place<'py>> {
    let mut places: Vec<Place<'py>> = Vec::with_capacity(32);
    let mut next = traceback.as_ref().and_then(place_of);
    while let Some(place) = next.take() {
        next = place.inner();
        places.push(place);
        if places.len() > OUTERMOST + 2 * INNERMOST {
            places.drain(OUTERMOST..OUTERMOST + INNERMOST);
        }
    }
    if places.len() > OUTERMOST + INNERMOST {
        places.drain(OUTERMOST..places.len() - INNERMOST);
    }
    places
}

/// The frame and its callers, innermost first, at most `most`.
pub(crate) fn callers<'py>(frame: Option<Bound<'py, PyAny>>, most: usize) -> Vec<Place<'py>> {
    let mut places = Vec::new();
    let mut next = frame;
    while let Some(frame) = next.take().filter(|frame| !frame.is_none()) {
        let py = frame.py();
        let Ok(code) = frame.getattr(name!(py, "f_code")) else { break };
        next = frame.getattr(name!(py, "f_back")).ok();
        places.push(Place { at: frame.clone(), is_traceback: false, frame, code });
        if places.len() >= most {
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

/// Identifies a stack before anything is read, by the instruction of each frame.
#[derive(Debug, Default)]
pub(crate) struct Key(DefaultHasher);

impl Key {
    /// Adds the callers, innermost first.
    pub(crate) fn callers(&mut self, callers: &[Place<'_>]) {
        self.places(&callers[..callers.len().min(KEY_CALLERS)]);
    }

    pub(crate) fn places(&mut self, places: &[Place<'_>]) {
        for place in places {
            self.0.write_usize(place.code.as_ptr() as usize);
            self.0.write_i64(place.instruction());
        }
    }

    /// Adds an object by its address; something else must keep it alive.
    pub(crate) fn object(&mut self, object: &Bound<'_, PyAny>) {
        self.0.write_usize(object.as_ptr() as usize);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.0.write(text.as_bytes());
    }

    pub(crate) fn number(&mut self, number: u32) {
        self.0.write_u32(number);
    }

    pub(crate) fn finish(self) -> StackKey {
        StackKey(self.0.finish())
    }
}
