//! One exception may be seen many times. On its way up it passes several wrappers and hooks: that
//! is one occurrence. An exception that is kept and raised again is another one, and its traceback
//! only grows: what is new of it stands above what was there before.
use std::hash::{DefaultHasher, Hasher};

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::code::is_of_package;
use crate::raise_point::{
    begins_here, called_by, hands_on, is_handling, is_raise, is_wrapper, removes_traceback,
    rewrites, unless_lent,
};
use crate::raw::{self, StaticName, name};
use crate::stack::{Place, place_of, within_ours};

/// What is known of an exception is kept with it; 0.4.5 used the same name.
static MARK: StaticName = StaticName::new("_flawless_already_caught");

/// Raises that are remembered of one exception: threads may raise it at once.
const REMEMBERED: usize = 64;
/// Entries of a traceback that tell it from another.
const FINGERPRINT: usize = 4;
/// A traceback that has grown further is not walked to its end.
const MOST_ENTRIES: usize = 4_000;
/// In place of the raise that is still to come, of an exception that was reported before it.
const NOT_RAISED: u64 = 0;

/// What an exception is seen as.
pub(crate) enum Sighting<'py> {
    /// It was reported; if it is known, when this raise of it was seen last.
    Seen(Option<Seen>),
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
    let Some(traceback) = traceback else { return Sighting::Seen(None) };
    let Ok((process, all)) = mark.extract::<Mark>() else { return Sighting::Seen(None) };
    let seen_at = |place: &Place<'py>| {
        let found = fingerprint(place);
        all.iter().filter(move |seen| seen.0 == found)
    };
    let mut places: Vec<Place<'py>> = Vec::new();
    let mut goes_on = true;
    let mut next = place_of(traceback).and_then(unless_lent);
    while let Some(place) = next {
        let mut went_elsewhere = false;
        for seen in seen_at(&place) {
            let is_by_same = places.iter().all(is_wrapper) && seen.1 == by.0;
            if is_by_same && lost_its_traceback(&place) {
                continue;
            }
            if goes_on || places.last().is_none_or(|above| leads_to(seen, above)) {
                return Sighting::Seen(Some(*seen));
            }
            went_elsewhere = true;
        }
        if went_elsewhere && !is_handling(&places, Some(&place)) {
            return raised(places, Some(place), process, &all);
        }
        next = place.inner().and_then(unless_lent);
        let begins = begins_here(&place, next.as_ref());
        places.push(place);
        goes_on = begins && is_handling(&places, next.as_ref());
        goes_on |= places.last().is_some_and(rewrites);
        if begins && !goes_on {
            return raised(places, next, process, &all);
        }
        if places.len() > MOST_ENTRIES {
            break;
        }
    }
    // Whoever handled it has raised it without its traceback.
    Sighting::Seen(None)
}

/// Whether what was seen was on its way to this place.
fn leads_to((.., caller): &Seen, place: &Place<'_>) -> bool {
    *caller == NOBODY || *caller == place.frame.as_ptr() as u64
}

/// It was raised at the last of these places, or came there out of what is not in the traceback.
fn raised<'py>(
    places: Vec<Place<'py>>,
    older: Option<Place<'py>>,
    process: u32,
    all: &[Seen],
) -> Sighting<'py> {
    if older.is_none()
        && let Some(seen) = all.iter().find(|seen| seen.0 == NOT_RAISED)
    {
        return Sighting::Seen(Some(*seen));
    }
    // Where threads share it, another one has put its own traceback in the place of this one's.
    let raiser = places.last().filter(|raiser| !is_raise(raiser));
    let raiser = raiser.map(|raiser| raiser.frame.as_ptr() as u64);
    if let Some(seen) = all.iter().find(|seen| raiser.is_some_and(|raiser| seen.2 == raiser)) {
        return Sighting::Seen(Some(*seen));
    }
    let is_known = |place: &Place<'py>| {
        let found = fingerprint(place);
        all.iter().any(|seen| seen.0 == found)
    };
    again(places, older, process, is_known)
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
            let failed_there = |innermost: &Place<'_>| !hands_on(innermost, None);
            if origin.last().is_some_and(failed_there) || places.iter().all(is_wrapper) {
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
    let mut removes = removes_traceback(&place.code);
    let mut innermost = place.inner();
    for _ in 0..MOST_ENTRIES {
        let Some(place) = innermost.as_ref() else { break };
        removes |= removes_traceback(&place.code);
        let Some(inner) = place.inner() else { break };
        innermost = Some(inner);
    }
    removes && is_raise(innermost.as_ref().unwrap_or(place))
}

/// The exception has been reported with this traceback. A raise that is known already is from now
/// on known by how far it has come.
pub(crate) fn remember(
    error: &Bound<'_, PyAny>,
    traceback: Option<&Bound<'_, PyAny>>,
    by: Observer,
    known: Option<Seen>,
) {
    let py = error.py();
    let mark = MARK.get(py);
    let process = std::process::id();
    let former = raw::own_attribute(error, mark).and_then(|mark| mark.extract::<Mark>().ok());
    let former = former.filter(|(of, _)| *of == process);
    let mut all = former.map(|(_, all)| all).unwrap_or_default();
    if let Some(at) = known.and_then(|known| all.iter().position(|seen| *seen == known)) {
        all.remove(at);
    }
    let mut head = traceback.and_then(place_of).and_then(unless_lent);
    let caller = head.as_ref().and_then(|place| called_by(&place.frame));
    let caller = caller.map_or(NOBODY, |caller| caller.as_ptr() as u64);
    // Since 3.11 our own entries are taken off, if there are others.
    if py.version_info() >= (3, 11)
        && let Some(inner) = head.as_ref().and_then(within_ours).and_then(unless_lent)
    {
        head = Some(inner);
    }
    let head = head.map_or(NOT_RAISED, |head| fingerprint(&head));
    all.push((head, by.0, caller));
    let oldest = all.len().saturating_sub(REMEMBERED);
    all.drain(..oldest);
    let all = PyTuple::new(py, all);
    if let Ok(known) = all.and_then(|all| (process, all).into_pyobject(py)) {
        raw::set_plainly(error, mark, &known);
    }
}

/// A process, and how the exception was seen there.
type Mark = (u32, Vec<Seen>);

/// The outermost entry of its traceback, who saw it, and the frame that had called where that was:
/// there it goes next.
type Seen = (u64, u64, u64);

/// The address of no frame.
const NOBODY: u64 = 0;

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

/// Tells an entry of a traceback from another that may come to lie at the same address, as those of
/// threads do that share an exception.
fn fingerprint(place: &Place<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut next = Some(place.at.clone());
    for _ in 0..FINGERPRINT {
        let Some(entry) = next.as_ref().and_then(place_of) else { break };
        hasher.write_usize(entry.at.as_ptr() as usize);
        hasher.write_usize(entry.frame.as_ptr() as usize);
        hasher.write_i64(entry.instruction());
        next = entry.at.getattr(name!(entry.at.py(), "tb_next")).ok();
    }
    hasher.finish()
}
