//! Captures an exception with its stack and its chain.
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use flawless_client::{Chained, Exception, Frame, Locals, MESSAGE, Source, VALUE};
use flawless_redact::Redactor;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};

use crate::clock::Allowance;
use crate::code::{self, Code};
use crate::elements::elements;
use crate::names::{Name, name};
use crate::print::{as_it_is, of_secret, print};
use crate::raw;
use crate::related::{CHAIN, related, remote_traceback, told_traceback};
use crate::stack::{self, Place};
use crate::statics::{known, name};
use crate::{kinds, passive, source, syntax};

/// Number of innermost frames whose locals are captured: for the exception, and again for its whole
/// chain.
const FRAMES_WITH_LOCALS: usize = 20;
const CHAINED_FRAMES_WITH_LOCALS: usize = 20;
/// Each exception of the chain gets at least this many, because the fault may be there.
const LEAST_FRAMES_WITH_LOCALS: usize = 2;
/// Most names of a frame, and most attributes of its `self`.
const NAMES: usize = 100;
const NOTES: usize = 20;
/// Time for printing the values of the exception, and again for those of its chain.
const PRINTING: Duration = Duration::from_millis(30);
const TOO_LATE: &str = "<not printed: the report took too long>";

/// Captures one report.
pub(crate) struct Capture<'a> {
    redactor: &'a Redactor,
    allowance: Allowance,
}

impl<'a> Capture<'a> {
    pub(crate) fn new(py: Python<'_>, redactor: &'a Redactor) -> Self {
        source::look_again();
        Self { redactor, allowance: Allowance::new(py, PRINTING) }
    }

    /// Captures the exception with these frames, and its chain.
    pub(crate) fn all(
        mut self,
        error: &Bound<'_, PyAny>,
        type_name: String,
        stack: (Vec<Frame>, Vec<Place<'_>>),
    ) -> (Exception, Vec<Chained>) {
        let main = self.exception(error, type_name, stack, FRAMES_WITH_LOCALS);
        self.allowance = Allowance::new(error.py(), PRINTING);
        (main, self.chain(error))
    }

    fn exception(
        &mut self,
        error: &Bound<'_, PyAny>,
        type_name: String,
        (mut frames, places): (Vec<Frame>, Vec<Place<'_>>),
        with_locals: usize,
    ) -> Exception {
        // The callers and the function that caught it are still running; the frames within have
        // ended.
        let caught_at = places.iter().position(|place| place.is_traceback);
        // The innermost first, because they should get the time for reading texts and for printing.
        let of_place = |(at, place)| {
            let place: &Place<'_> = place;
            let code = code::code_of(&place.frame, &place.code).ok()?;
            let goes_on = caught_at.is_none_or(|caught_at| at <= caught_at);
            (!code.is_ours).then_some((place, code, goes_on))
        };
        // Reading a source for the first time is slow, and must not take time from the values.
        let shown: Vec<_> = self
            .allowance
            .spare(error.py(), || places.iter().enumerate().rev().filter_map(of_place).collect());
        let message = self.message(error);
        let captured = shown.iter().enumerate().map(|(at, (place, code, goes_on))| {
            let locals =
                (at < with_locals).then(|| self.locals(&place.frame, goes_on.then_some(&**code)));
            Frame {
                path: code.path.clone(),
                line: place.line(),
                function: code.function.clone(),
                source: Source::File(code.source.clone()),
                locals,
            }
        });
        let mut captured: Vec<_> = captured.collect();
        captured.reverse();
        frames.append(&mut captured);
        frames.extend(syntax::frame(error));
        Exception { type_name, message, notes: notes(error), frames }
    }

    fn message(&self, error: &Bound<'_, PyAny>) -> String {
        if let Some(traceback) = remote_traceback(error) {
            return traceback;
        }
        let mut text = String::new();
        match told_traceback(error) {
            Some(told) => {
                let name = passive::type_name(&error.get_type());
                text.push_str(name.rsplit('.').next().unwrap_or_default());
                text.push('(');
                let told = PyString::new(error.py(), &told);
                print(&mut text, told.as_any(), usize::MAX / 2, self.allowance, self.redactor);
                text.push(')');
            }
            None => print(&mut text, error, MESSAGE, self.allowance, self.redactor),
        }
        text
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
            let places = stack::traceback(raw::traceback_of(&error));
            let frames = places.len();
            let type_name = passive::full_type_name(&error.get_type());
            let most = with_locals.max(LEAST_FRAMES_WITH_LOCALS);
            let exception = self.exception(&error, type_name, (Vec::new(), places), most);
            with_locals = with_locals.saturating_sub(frames);
            chain.push(Chained { exception, relation, parent });
            let further = related(&error).into_iter();
            next.extend(further.map(|(relation, error)| (relation, Some(index), error)));
        }
        chain
    }

    fn locals(&self, frame: &Bound<'_, PyAny>, going_on: Option<&Code>) -> Locals {
        let py = frame.py();
        let Ok(all) = frame.getattr(name!(py, "f_locals")) else { return Locals::default() };
        let mut named = Named { redactor: self.redactor, locals: Vec::new(), owner: None };
        // The namespace of a class body, or of `exec`, may have a type of the program's.
        if let Ok(all) = all.cast::<PyDict>() {
            all.iter().take(NAMES).for_each(|(name, value)| named.take(name, value));
            // Before 3.13 the frame keeps this copy, and with it objects that the program has
            // released since. Nobody else uses the copy when only the frame and we refer to it.
            // Names added by `exec` exist nowhere else, and a debugger writes the copy back.
            if let Some(code) = going_on
                && code.is_optimized
                && raw::references(all.as_any()) == 2
                && all.keys().iter().all(|name| code.has(&name))
                && !is_traced(frame)
            {
                all.clear();
            }
        } else if is_of_interpreter(&all)
            && let Ok(items) = all.call_method0(name!(py, "items"))
            && let Ok(items) = elements(&items)
        {
            for item in items.take(NAMES).map_while(Result::ok) {
                if let Ok((name, value)) = item.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() {
                    named.take(name, value);
                }
            }
        }
        named.attributes();
        let mut locals = Locals::with_capacity(named.locals.len());
        for (at, (name, is_secret, value)) in named.locals.into_iter().enumerate() {
            locals.push_with(name, |text| {
                if is_secret {
                    text.push_str(&of_secret(&value));
                } else if at % 16 == 0 && !self.allowance.is_left(py) {
                    text.push_str(TOO_LATE);
                } else {
                    print(text, &value, VALUE, self.allowance, self.redactor);
                }
            });
        }
        locals
    }
}

/// The names of a frame that are worth showing.
struct Named<'a, 'py> {
    redactor: &'a Redactor,
    locals: Vec<(Arc<str>, bool, Bound<'py, PyAny>)>,
    /// The object whose method the frame runs.
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

    /// Replaces `self` by its attributes, if it has any.
    fn attributes(&mut self) {
        let Some(owner) = self.owner.take() else { return };
        let info = kinds::type_info(&owner);
        let Some(attributes) = info.own_dict(&owner) else { return };
        let masked = info.masked(&owner.get_type());
        self.locals.retain(|(name, ..)| &**name != "self");
        for (text, value) in attributes.iter().take(NAMES) {
            let Ok(text) = text.cast_into::<PyString>() else { continue };
            let name = name(&text, self.redactor);
            // The class answers with something other than the stored value.
            if masked.iter().any(|masked| **masked == *name.text) {
                continue;
            }
            self.locals.push((format!("self.{}", name.text).into(), name.is_secret, value));
        }
    }
}

/// Whether the locals of a frame are the interpreter's own view, as they are since 3.13.
fn is_of_interpreter(all: &Bound<'_, PyAny>) -> bool {
    let items = passive::class_attribute(&all.get_type(), name!(all.py(), "items"));
    items.is_some_and(|(_, items)| known!("types", "MethodDescriptorType").is_type_of(&items))
}

fn is_traced(frame: &Bound<'_, PyAny>) -> bool {
    let py = frame.py();
    let is_set = |found: PyResult<Bound<'_, PyAny>>| found.map_or(true, |found| !found.is_none());
    let tracer = || raw::module(name!(py, "sys"))?.call_method0(name!(py, "gettrace"));
    is_set(frame.getattr(name!(py, "f_trace"))) || is_set(tracer())
}

fn notes(error: &Bound<'_, PyAny>) -> Vec<String> {
    let notes = raw::own_attribute(error, name!(error.py(), "__notes__"));
    let Some(notes) = notes.and_then(|notes| notes.cast_into::<PyList>().ok()) else {
        return Vec::new();
    };
    let notes = notes.iter().take(NOTES).filter_map(|note| note.cast_into::<PyString>().ok());
    notes.filter_map(|note| as_it_is(&note, flawless_client::NOTE)).collect()
}
