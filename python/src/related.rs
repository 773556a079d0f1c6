//! The exceptions related to another: its cause, its context, the members of a group, and an
//! exception that it merely holds.
use flawless_client::Relation;
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::raw;
use crate::stack::{self, Key};
use crate::statics::name;
use crate::{kinds, passive, syntax};

/// Most exceptions in a chain, and most members of a group.
pub(crate) const CHAIN: usize = 50;
/// Most attributes that are searched for a held exception.
const ATTRIBUTES: usize = 20;
/// Length of a traceback kept as text: more than the server keeps.
const REMOTE: usize = 15 * 1024;
/// A longer text is not searched.
const LONGEST: usize = 1024 * 1024;
/// How much of its beginning is kept when it is longer.
const REMOTE_BEGINNING: usize = 1024;

type Related<'py> = Vec<(Relation, Bound<'py, PyAny>)>;

/// The exceptions that an exception came from or holds.
pub(crate) fn related<'py>(error: &Bound<'py, PyAny>) -> Related<'py> {
    let mut related = Vec::new();
    let context = raw::context_of(error).filter(|_| !passive::hides_context(error));
    if let Some(cause) = raw::cause_of(error) {
        related.push((Relation::Cause, cause));
    } else {
        // A held exception is not repeated as the context.
        related.extend(held(error).map(|held| (Relation::Cause, held)));
        related.extend(context.map(|context| (Relation::Context, context)));
    }
    related.extend(members(error).into_iter().map(|member| (Relation::Member, member)));
    related
}

/// Adds a carried exception to a key, so that two faults that reach the program through one carrier
/// at one line are told apart.
pub(crate) fn add_to(key: &mut Key, error: &Bound<'_, PyAny>) {
    syntax::add_to(key, error);
    if !may_carry(error) {
        return;
    }
    let mut seen = vec![error.as_ptr() as usize];
    let mut next = related(error);
    while let Some((relation, error)) = next.pop() {
        let is_new = !seen.contains(&(error.as_ptr() as usize));
        if relation == Relation::Context || !is_new || seen.len() > CHAIN {
            continue;
        }
        seen.push(error.as_ptr() as usize);
        key.object(error.get_type().as_any());
        key.places(&stack::traceback(raw::traceback_of(&error)));
        syntax::add_to(key, &error);
        if let Some(traceback) = remote_traceback(&error) {
            key.text(&traceback);
        }
        next.extend(related(&error));
    }
}

/// Whether it is worth a closer look.
fn may_carry(error: &Bound<'_, PyAny>) -> bool {
    raw::cause_of(error).is_some() || kinds::type_info(error).may_carry
}

/// The members of a group, built-in or from a library. A type that merely holds exceptions like a
/// group counts as one if they were raised.
fn members<'py>(error: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
    let py = error.py();
    let info = kinds::type_info(error);
    let own = info.own_dict(error);
    // The backport keeps them under the second name.
    let names = [name!(py, "exceptions"), name!(py, "_exceptions")];
    let found = names.into_iter().find_map(|name| own.as_ref()?.get_item(name).ok()?);
    let found = found.or_else(|| {
        info.is_group.then(|| passive::own_attribute(error, name!(py, "exceptions")))?
    });
    let Some(found) = found else { return Vec::new() };
    let all: Vec<_> = match (found.cast_exact::<PyTuple>(), found.cast_exact::<PyList>()) {
        (Ok(all), _) => all.iter().take(CHAIN).collect(),
        (_, Ok(all)) => all.iter().take(CHAIN).collect(),
        _ => Vec::new(),
    };
    all.into_iter()
        .filter(|member| is_exception(member) && (info.is_group || was_raised(member)))
        .collect()
}

/// Whether it was raised: here or, as its cause then shows, in another process.
fn was_raised(error: &Bound<'_, PyAny>) -> bool {
    raw::traceback_of(error).is_some() || raw::cause_of(error).is_some()
}

fn is_exception(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyBaseException>()
}

/// The exception that another one holds in its arguments or attributes, directly or in a future,
/// when it only reports the failure of something else.
fn held<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let own = kinds::type_info(error).own_dict(error);
    let own = own.iter().flat_map(|own| own.iter().take(ATTRIBUTES)).map(|(_, value)| value);
    let arguments = passive::arguments(error);
    let arguments = arguments.iter().flat_map(|all| all.iter().take(ATTRIBUTES));
    let values: Vec<_> = own.chain(arguments).collect();
    values.into_iter().find_map(|value| {
        let found = if is_exception(&value) { Some(value) } else { of_outcome(&value) };
        found.filter(|found| !found.is(error) && was_raised(found))
    })
}

/// The exception of a future of `concurrent.futures` or `asyncio`, or of another object that
/// represents the outcome of an attempt.
fn of_outcome<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = value.py();
    let name = name!(py, "_exception");
    let (_, module) = passive::name_and_module(&value.get_type());
    if module == "_asyncio" {
        let (_, getter) = passive::class_attribute(&value.get_type(), name)?;
        return passive::read(&getter, value).filter(is_exception);
    }
    [name, name!(py, "exception"), name!(py, "value")].into_iter().find_map(|name| {
        let found = passive::own_attribute(value, name)?;
        match found.cast_exact::<PyTuple>() {
            // A tuple like that of `sys.exc_info()`.
            Ok(info) => info.get_item(1).ok().filter(is_exception),
            Err(_) => Some(found).filter(is_exception),
        }
    })
}

const TRACEBACK: &str = "raceback (most recent call last)";

/// The traceback of another process, if an exception carries nothing else.
pub(crate) fn remote_traceback(error: &Bound<'_, PyAny>) -> Option<String> {
    let py = error.py();
    let info = kinds::type_info(error);
    let own = info.own_dict(error);
    let text = |name| {
        let text = own.as_ref()?.get_item(name).ok()??;
        whole(&text.cast_into_exact::<PyString>().ok()?)
    };
    if info.is_remote_traceback {
        return text(name!(py, "tb")).or_else(|| whole(&first_text(error)?));
    }
    text(name!(py, "traceback_str")).filter(|text| text.contains("  File \""))
}

/// A text with a traceback that was passed to an exception as an argument.
pub(crate) fn told_traceback(error: &Bound<'_, PyAny>) -> Option<String> {
    let text = first_text(error)?;
    // Shorter ones are reported in full anyway.
    let is_long = raw::length(&text) > flawless_client::MESSAGE / 2;
    if is_long { whole(&text).filter(|text| text.contains(TRACEBACK)) } else { None }
}

fn first_text<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyString>> {
    passive::arguments(error)?.get_item(0).ok()?.cast_into().ok()
}

fn whole(text: &Bound<'_, PyString>) -> Option<String> {
    if raw::length(text) > LONGEST {
        return None;
    }
    let text = text.to_string_lossy();
    if text.len() <= REMOTE {
        return Some(text.into_owned());
    }
    // Its end shows what failed, and where.
    let line_end = |from: usize| text.as_bytes()[from..].iter().position(|&byte| byte == b'\n');
    let beginning = line_end(REMOTE_BEGINNING)? + REMOTE_BEGINNING;
    let end = text.len() - REMOTE + REMOTE_BEGINNING;
    let end = (end + line_end(end)?).max(beginning);
    Some(format!("{}\n  [...]{}", &text[..beginning], &text[end..]))
}
