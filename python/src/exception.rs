//! An exception with its stack, and those it came from.
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flawless_client::{Chained, Exception, Frame, Locals, MESSAGE, Relation, Source, VALUE};
use flawless_redact::{Redactor, SCRUBBED};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::code::{self, Code};
use crate::guard::{ToPrint, print_guarded};
use crate::names::{Name, name};
use crate::print::{Trust, as_it_is, print};
use crate::raw::{self, name};
use crate::stack::{self, Place};
use crate::{clock, kinds};

/// Frames whose locals are captured: the innermost of the exception, and of those it came from
/// all together.
const FRAMES_WITH_LOCALS: usize = 20;
const CHAINED_FRAMES_WITH_LOCALS: usize = 20;
/// Names of a frame, and attributes of its `self`.
const NAMES: usize = 100;
const CHAIN: usize = 20;
const NOTES: usize = 20;
/// For printing the values of one report.
const PRINTING: Duration = Duration::from_millis(30);
/// For printing what nobody knows, once for each of its types.
const GUARDED: Duration = Duration::from_millis(60);
const TOO_LATE: &str = "<not printed: the report took too long>";

/// Captures one report.
pub(crate) struct Capture<'a> {
    redactor: &'a Arc<Redactor>,
    deadline: Instant,
    /// What a guarded thread is to print, and where its text belongs.
    guarded: Vec<(Slot, ToPrint)>,
}

/// Exception (0 is the main one), frame and local of a text; without a frame: the message.
type Slot = (usize, Option<(usize, usize)>);

impl<'a> Capture<'a> {
    pub(crate) fn new(redactor: &'a Arc<Redactor>) -> Self {
        Self { redactor, deadline: clock::now() + PRINTING, guarded: Vec::new() }
    }

    /// The exception with these frames, and its chain.
    pub(crate) fn all(
        mut self,
        error: &Bound<'_, PyAny>,
        type_name: String,
        (before, places): (Vec<Frame>, Vec<Place<'_>>),
    ) -> (Exception, Vec<Chained>) {
        let py = error.py();
        let mut main = self.exception(0, error, type_name, (before, places), FRAMES_WITH_LOCALS);
        let mut chain = self.chain(error);
        let (slots, values): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.guarded).into_iter().unzip();
        if !values.is_empty() {
            let texts = print_guarded(py, values, self.redactor, GUARDED);
            for ((exception, place), text) in slots.into_iter().zip(texts) {
                let exception = match exception.checked_sub(1) {
                    None => &mut main,
                    Some(at) => &mut chain[at].exception,
                };
                match place {
                    None => exception.message = text,
                    Some((frame, local)) => {
                        if let Some(locals) = &mut exception.frames[frame].locals {
                            locals.set(local, &text);
                        }
                    }
                }
            }
        }
        (main, chain)
    }

    fn exception(
        &mut self,
        index: usize,
        error: &Bound<'_, PyAny>,
        type_name: String,
        (mut frames, places): (Vec<Frame>, Vec<Place<'_>>),
        with_locals: usize,
    ) -> Exception {
        frames.reserve(places.len());
        // The callers, and the function that caught it, go on; the frames within have ended.
        let caught_at = places.iter().position(|place| place.is_traceback);
        let shown: Vec<_> = places
            .iter()
            .enumerate()
            .filter_map(|(at, place)| {
                let code = code::code_of(&place.frame, &place.code).ok()?;
                let goes_on = caught_at.is_none_or(|caught_at| at <= caught_at);
                (!code.is_ours).then_some((place, code, goes_on))
            })
            .collect();
        let far = shown.len().saturating_sub(with_locals);
        for (at, (place, code, goes_on)) in shown.into_iter().enumerate() {
            let slot = (index, frames.len());
            let locals =
                (at >= far).then(|| self.locals(&place.frame, goes_on.then_some(&*code), slot));
            frames.push(Frame {
                path: code.path.clone(),
                line: place.line(),
                function: code.function.clone(),
                source: Source::File(code.source.clone()),
                locals,
            });
        }
        let mut message = String::new();
        self.print(&mut message, (index, None), error, MESSAGE);
        Exception { type_name, message, notes: notes(error), frames }
    }

    fn chain(&mut self, error: &Bound<'_, PyAny>) -> Vec<Chained> {
        let mut chain = Vec::new();
        let mut seen = vec![error.as_ptr() as usize];
        let mut next: VecDeque<_> =
            related(error).into_iter().map(|(relation, error)| (relation, None, error)).collect();
        let mut with_locals = CHAINED_FRAMES_WITH_LOCALS;
        while let Some((relation, parent, error)) = next.pop_front() {
            let address = error.as_ptr() as usize;
            if seen.contains(&address) {
                continue;
            }
            if chain.len() >= CHAIN {
                break;
            }
            seen.push(address);
            let index = chain.len();
            let places =
                stack::traceback(raw::get_plainly(&error, name!(error.py(), "__traceback__")));
            let frames = places.len();
            let type_name = kinds::full_type_name(&error.get_type());
            let exception =
                self.exception(index + 1, &error, type_name, (Vec::new(), places), with_locals);
            with_locals = with_locals.saturating_sub(frames);
            chain.push(Chained { exception, relation, parent });
            let further = related(&error).into_iter();
            next.extend(further.map(|(relation, error)| (relation, Some(index), error)));
        }
        chain
    }

    /// Prints a value; nothing when a guarded thread is to print it.
    fn print(&mut self, text: &mut String, slot: Slot, value: &Bound<'_, PyAny>, limit: usize) {
        if print(text, value, limit, Trust::OnlyKnown, self.redactor, &|_| ()).is_err() {
            self.guarded.push((slot, (value.clone().unbind(), limit)));
        }
    }

    fn locals(
        &mut self,
        frame: &Bound<'_, PyAny>,
        going_on: Option<&Code>,
        (exception, frame_at): (usize, usize),
    ) -> Locals {
        let py = frame.py();
        let Ok(all) = frame.getattr(name!(py, "f_locals")) else { return Locals::default() };
        let mut named = Named { redactor: self.redactor, locals: Vec::new(), owner: None };
        if let Ok(all) = all.cast_exact::<PyDict>() {
            all.iter().take(NAMES).for_each(|(name, value)| named.take(name, value));
            // Before 3.13 the frame keeps this copy, and with it what the program has let go
            // since. Nobody else has it when there are only the frame's reference and ours;
            // what `exec` has added is nowhere else, and a debugger writes the copy back.
            if let Some(code) = going_on
                && code.is_optimized
                && raw::references(all.as_any()) == 2
                && all.keys().iter().all(|name| code.has(&name))
                && !is_traced(frame)
            {
                all.clear();
            }
        } else if let Ok(items) = all.call_method0(name!(py, "items"))
            && let Ok(items) = items.try_iter()
        {
            for item in items.take(NAMES).map_while(Result::ok) {
                if let Ok((name, value)) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() {
                    named.take(name, value);
                }
            }
        }
        named.attributes(py);
        let mut locals = Locals::with_capacity(named.locals.len());
        for (at, (name, is_secret, value)) in named.locals.into_iter().enumerate() {
            locals.push_with(name, |text| {
                if is_secret {
                    text.push_str(SCRUBBED);
                } else if at % 16 == 0 && clock::now() > self.deadline {
                    text.push_str(TOO_LATE);
                } else {
                    self.print(text, (exception, Some((frame_at, at))), &value, VALUE);
                }
            });
        }
        locals
    }
}

/// The names of a frame that are worth being shown.
struct Named<'a, 'py> {
    redactor: &'a Redactor,
    locals: Vec<(Arc<str>, bool, Bound<'py, PyAny>)>,
    /// The object whose method it is.
    owner: Option<Bound<'py, PyAny>>,
}

impl<'py> Named<'_, 'py> {
    fn take(&mut self, text: Bound<'py, PyAny>, value: Bound<'py, PyAny>) {
        let Ok(text) = text.cast_into::<PyString>() else { return };
        let Name { text, is_secret, is_system } = name(&text, self.redactor);
        if is_system {
            return;
        }
        if &*text == "self" {
            self.owner = Some(value.clone());
        }
        self.locals.push((text, is_secret, value));
    }

    /// `self` gives way to its attributes, where it has some.
    fn attributes(&mut self, py: Python<'py>) {
        let Some(owner) = self.owner.take() else { return };
        let attributes = raw::get_plainly(&owner, name!(py, "__dict__"));
        let attributes = attributes.and_then(|all| all.cast_into_exact::<PyDict>().ok());
        let Some(attributes) = attributes else { return };
        self.locals.retain(|(name, ..)| &**name != "self");
        for (text, value) in attributes.iter().take(NAMES) {
            let Ok(text) = text.cast_into::<PyString>() else { continue };
            let name = name(&text, self.redactor);
            self.locals.push((format!("self.{}", name.text).into(), name.is_secret, value));
        }
    }
}

fn is_traced(frame: &Bound<'_, PyAny>) -> bool {
    let py = frame.py();
    let is_set = |found: PyResult<Bound<'_, PyAny>>| found.map_or(true, |found| !found.is_none());
    let tracer = || py.import(name!(py, "sys"))?.call_method0(name!(py, "gettrace"));
    is_set(frame.getattr(name!(py, "f_trace"))) || is_set(tracer())
}

/// What an exception came from, or holds.
fn related<'py>(error: &Bound<'py, PyAny>) -> Vec<(Relation, Bound<'py, PyAny>)> {
    let py = error.py();
    let get = |name: &Bound<'py, PyString>| {
        raw::get_plainly(error, name).filter(|found| !found.is_none())
    };
    let mut related = Vec::new();
    if let Some(cause) = get(name!(py, "__cause__")) {
        related.push((Relation::Cause, cause));
    } else if !get(name!(py, "__suppress_context__"))
        .is_some_and(|hide| hide.is_truthy().unwrap_or(false))
        && let Some(context) = get(name!(py, "__context__"))
    {
        related.push((Relation::Context, context));
    }
    if kinds::is_group(error)
        && let Some(members) = get(name!(py, "exceptions"))
        && let Ok(members) = members.cast_into::<PyTuple>()
    {
        related.extend(members.iter().take(CHAIN).map(|member| (Relation::Member, member)));
    }
    related
}

fn notes(error: &Bound<'_, PyAny>) -> Vec<String> {
    let notes = raw::own_attribute(error, name!(error.py(), "__notes__"));
    let Some(notes) = notes.and_then(|notes| notes.cast_into::<PyList>().ok()) else {
        return Vec::new();
    };
    let notes = notes.iter().take(NOTES).filter_map(|note| note.cast_into::<PyString>().ok());
    notes.filter_map(|note| as_it_is(&note, flawless_client::NOTE)).collect()
}
