//! One exception may be seen many times. On its way up it passes several wrappers and hooks: that
//! is one occurrence. An exception that is kept and raised again is another one, and its traceback
//! only grows: what is new of it stands above what was there before.
use std::hash::{DefaultHasher, Hasher};

use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use crate::raise_point::{
    begins_here, called_by, hands_on, is_handling, is_raise, is_wrapper, text_of, unless_lent,
};
use crate::raw::{self, StaticName, name};
use crate::stack::{Place, place_of};
use crate::state;

/// What is known of an exception is kept with it; 0.4.5 used the same name.
static MARK: StaticName = StaticName::new("_flawless_already_caught");

/// Raises that are remembered of one exception: threads may raise it at once.
const REMEMBERED: usize = 8;
/// Entries of a traceback that tell it from another.
const FINGERPRINT: usize = 4;
/// A traceback that has grown further is not walked to its end.
const MOST_ENTRIES: usize = 4_000;
/// What an exception is seen as.
pub(crate) enum Sighting<'py> {
    /// It was reported.
    Seen,
    /// It was reported where it failed, and is raised for the one who waits for the outcome.
    HandedOn,
    /// It is to be reported with its whole traceback.
    First,
    /// It was raised again, and these entries are of this raise.
    Again(Vec<Place<'py>>),
}

/// What an exception with this traceback is, to whoever sees it now.
pub(crate) fn sighting<'py>(
    error: &Bound<'py, PyAny>,
    traceback: Option<&Bound<'py, PyAny>>,
    by: Observer,
) -> Sighting<'py> {
    let Some(mark) = raw::own_attribute(error, MARK.get(error.py())) else {
        return Sighting::First;
    };
    let Some(traceback) = traceback else { return Sighting::Seen };
    let Ok((process, heads)) = mark.extract::<Mark>() else { return Sighting::Seen };
    let known = |place: &Place<'py>| {
        let found = fingerprint(place);
        heads.iter().find(|(head, _)| *head == found)
    };
    let mut places: Vec<Place<'py>> = Vec::new();
    let mut next = place_of(traceback).and_then(unless_lent);
    while let Some(place) = next {
        if let Some((_, before)) = known(&place) {
            let is_same_observer = places.iter().all(is_wrapper) && *before == by.0;
            if !is_same_observer || !lost_its_traceback(&place) {
                return Sighting::Seen;
            }
        }
        next = place.inner().and_then(unless_lent);
        let begins = begins_here(&place, next.as_ref());
        places.push(place);
        if begins && !is_handling(&places, next.as_ref()) {
            return again(places, next, process, |place| known(place).is_some());
        }
        if places.len() > MOST_ENTRIES {
            break;
        }
    }
    // Whoever handled it has raised it without its traceback.
    Sighting::Seen
}

/// It was raised at the last of these places; what follows was there before.
fn again<'py>(
    mut places: Vec<Place<'py>>,
    older: Option<Place<'py>>,
    process: u32,
    is_known: impl Fn(&Place<'py>) -> bool,
) -> Sighting<'py> {
    if !places.last().is_some_and(|raiser| hands_on(raiser, older.as_ref())) {
        return Sighting::Again(places);
    }
    if process != std::process::id() {
        return Sighting::HandedOn;
    }
    let (mut origin, mut was_known) = (Vec::new(), false);
    let mut next = older;
    for _ in 0..MOST_ENTRIES {
        let Some(place) = next else {
            // Where it failed, unless that was only another who waited.
            if origin.last().is_some_and(|innermost| !hands_on(innermost, None)) {
                places.append(&mut origin);
            }
            break;
        };
        was_known |= is_known(&place);
        next = place.inner().and_then(unless_lent);
        let begins = begins_here(&place, next.as_ref());
        // It was told where it failed, not where somebody waited for that.
        if begins && was_known && !hands_on(&place, next.as_ref()) {
            return Sighting::HandedOn;
        }
        origin.push(place);
        if begins && next.is_some() {
            // Another who waited was told of it.
            was_known = false;
            origin.clear();
        }
    }
    Sighting::Again(places)
}

/// Whether it was raised after its traceback was taken off: then what is new may lie at the very
/// addresses of what was there before.
fn lost_its_traceback(place: &Place<'_>) -> bool {
    let mut innermost = place.inner();
    for _ in 0..MOST_ENTRIES {
        let Some(inner) = innermost.as_ref().and_then(Place::inner) else { break };
        innermost = Some(inner);
    }
    let place = innermost.as_ref().unwrap_or(place);
    let source = text_of(&place.frame, &place.code);
    let line = source.as_ref().and_then(|source| source.line(place.line()));
    line.is_some_and(|line| line.contains("with_traceback")) && is_raise(place)
}

/// The exception has been reported with this traceback.
pub(crate) fn remember(
    error: &Bound<'_, PyAny>,
    traceback: Option<&Bound<'_, PyAny>>,
    by: Observer,
) {
    let py = error.py();
    let mark = MARK.get(py);
    let process = std::process::id();
    let former = raw::own_attribute(error, mark).and_then(|mark| mark.extract::<Mark>().ok());
    let former = former.filter(|(of, _)| *of == process);
    let mut heads = former.map(|(_, heads)| heads).unwrap_or_default();
    // The wrapper's own entry is taken off.
    let mut head = traceback.and_then(place_of).and_then(unless_lent);
    while let Some(place) = head.take_if(|place| is_wrapper(place)) {
        head = place.inner().and_then(unless_lent);
    }
    heads.extend(head.map(|head| (fingerprint(&head), by.0)));
    let oldest = heads.len().saturating_sub(REMEMBERED);
    heads.drain(..oldest);
    let heads = PyTuple::new(py, heads);
    if let Ok(known) = heads.and_then(|heads| (process, heads).into_pyobject(py)) {
        raw::set_plainly(error, mark, &known);
    }
}

/// A process, and the places at which the exception was seen there, each with who saw it.
type Mark = (u32, Vec<(u64, u64)>);

/// Who sees an exception: a wrapper, or the line that calls one of our functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observer(u64);

/// Who sees one now.
pub(crate) fn observer(py: Python<'_>) -> Observer {
    let mut hasher = DefaultHasher::new();
    let sys = raw::module(name!(py, "sys"));
    let mut next = sys.and_then(|sys| sys.call_method0(name!(py, "_getframe"))).ok();
    while let Some(frame) = next {
        let Ok(code) = frame.getattr(name!(py, "f_code")) else { break };
        if !is_of_package(&code) {
            let at = frame.getattr(name!(py, "f_lasti")).and_then(|at| at.extract());
            hasher.write_usize(code.as_ptr() as usize);
            hasher.write_i64(at.unwrap_or(0));
            break;
        }
        next = called_by(&frame);
    }
    Observer(hasher.finish())
}

fn is_of_package(code: &Bound<'_, PyAny>) -> bool {
    let file = code.getattr(name!(code.py(), "co_filename")).ok();
    let file = file.and_then(|file| file.cast_into::<PyString>().ok());
    file.as_ref().and_then(raw::utf8).is_some_and(|file| file.starts_with(state::package_folder()))
}

/// Tells an entry of a traceback from another that may come to lie at the same address.
fn fingerprint(place: &Place<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_usize(place.frame.as_ptr() as usize);
    hasher.write_i64(place.instruction());
    let mut next = Some(place.at.clone());
    for _ in 0..FINGERPRINT {
        let Some(entry) = next.filter(|entry| !entry.is_none()) else { break };
        hasher.write_usize(entry.as_ptr() as usize);
        next = entry.getattr(name!(entry.py(), "tb_next")).ok();
    }
    hasher.finish()
}
