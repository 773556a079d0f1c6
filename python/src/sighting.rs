//! One exception may be seen many times. On its way up it passes several wrappers and hooks: that
//! is one occurrence. Keeping an exception and raising it again is another occurrence. Its
//! traceback only grows then: the new entries come above the older ones.
use std::hash::{DefaultHasher, Hasher};

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::code::{is_of_package, is_ours};
use crate::raise_point::{
    begins_here, called_by, hands_on, is_handling, is_raise, is_wrapper, removes_traceback,
    rewrites, unless_lent,
};
use crate::raw;
use crate::stack::{Place, place_of, within_ours};
use crate::statics::{StaticName, name};

/// The attribute in which the state of an exception is kept; 0.4.5 used the same name.
static MARK: StaticName = StaticName::new("_flawless_already_caught");

/// Number of remembered raises of one exception: threads may raise it simultaneously.
const REMEMBERED: usize = 64;
/// Number of entries that identify a traceback.
const FINGERPRINT: usize = 4;
/// A longer traceback is not walked to its end.
const MOST_ENTRIES: usize = 4_000;
/// Stands for the raise still to come of an exception that was reported before it was raised.
const NOT_RAISED: u64 = 0;

/// How an exception is seen.
pub(crate) enum Sighting<'py> {
    /// It was reported; holds the last sighting of this raise, if known.
    Seen(Option<Seen>),
    /// It was reported where it failed, and is raised here for a caller that waits for the outcome.
    HandedOn,
    /// It is to be reported with its whole traceback.
    First,
    /// It was raised again, and these entries belong to this raise.
    Again(Vec<Place<'py>>),
}

/// Determines how an exception with this traceback is seen by the current observer.
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
            if is_ours_alone(&places, &place) || is_by_same && lost_its_traceback(&place) {
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
    // Its handler has raised it again without its traceback.
    Sighting::Seen(None)
}

/// Whether the exception, as last seen, was on its way to this place.
fn leads_to((.., caller): &Seen, place: &Place<'_>) -> bool {
    *caller == NOBODY || *caller == place.frame.as_ptr() as u64
}

/// The case of a raise at the last of these places, or of an arrival there from outside the
/// traceback.
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
    // If threads share it, another one has replaced this one's traceback with its own.
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

/// The case of a raise at the last of these places; the entries after it are older.
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
            // The place of the failure, unless that is only another waiting caller.
            let failed_there = |innermost: &Place<'_>| !hands_on(innermost, None);
            if origin.last().is_some_and(failed_there) || places.iter().all(is_wrapper) {
                places.append(&mut origin);
            }
            break;
        };
        was_known |= is_known(&place);
        next = place.inner().and_then(unless_lent);
        let begins = begins_here(&place, next.as_ref());
        // It was reported where it failed, not where a caller waited for it.
        if begins && was_known && !hands_on(&place, next.as_ref()) {
            return Sighting::HandedOn;
        }
        origin.push(place);
        if begins && next.is_some() {
            // It was reported by another waiting caller.
            was_known = false;
            origin.clear();
        }
    }
    Sighting::Again(places)
}

/// Whether it was raised after its traceback was removed. New entries may then have the addresses
/// of older ones.
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

/// Whether the traceback has one entry, and that is ours: a function that is not written in Python
/// has raised the exception in it. Each of our frames looks once at an exception, so this is another
/// raise, and the new entry only has the address of an older one.
fn is_ours_alone(above: &[Place<'_>], place: &Place<'_>) -> bool {
    above.is_empty() && is_ours(&place.code) && place.inner().is_none()
}

/// Remembers that the exception was reported with this traceback. A known raise is updated with how
/// far it has come.
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
    // Since 3.11 our own entries are removed, if there are others.
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

/// A process id, and the sightings in that process.
type Mark = (u32, Vec<Seen>);

/// The outermost entry of its traceback, the observer, and the calling frame, which the exception
/// reaches next.
type Seen = (u64, u64, u64);

/// Stands for the address of no frame.
const NOBODY: u64 = 0;

/// The observer of an exception: a wrapper, or the line that calls one of our functions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Observer(u64);

/// The current observer.
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

/// Distinguishes a traceback entry from another at the same address, as happens when threads share
/// an exception.
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
