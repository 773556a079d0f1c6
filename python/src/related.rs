//! Where an exception came from, and what it carries: its cause, its context, the members of a
//! group, and an exception that it only holds.
use flawless_client::Relation;
use pyo3::exceptions::PyBaseException;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::raw::{self, name};
use crate::stack::{self, Key};
use crate::{kinds, passive, syntax};

/// Exceptions of a chain, and members of a group.
pub(crate) const CHAIN: usize = 50;
/// Attributes among which a held exception is looked for.
const ATTRIBUTES: usize = 20;
/// Of a traceback that is a text: more than the server keeps.
const REMOTE: usize = 15 * 1024;
/// A longer text is not looked at.
const LONGEST: usize = 1024 * 1024;
/// Of its beginning, when it is longer.
const REMOTE_BEGINNING: usize = 1024;

type Related<'py> = Vec<(Relation, Bound<'py, PyAny>)>;

/// What an exception came from, or holds.
pub(crate) fn related<'py>(error: &Bound<'py, PyAny>) -> Related<'py> {
    let mut related = Vec::new();
    let context = raw::context_of(error).filter(|_| !passive::hides_context(error));
    if let Some(cause) = raw::cause_of(error) {
        related.push((Relation::Cause, cause));
    } else {
        // What is held is not told again as the context: it is named once.
        related.extend(held(error).map(|held| (Relation::Cause, held)));
        related.extend(context.map(|context| (Relation::Context, context)));
    }
    related.extend(members(error).into_iter().map(|member| (Relation::Member, member)));
    related
}

/// Adds to a key what an exception carries: two faults that reach the program by one carrier, at
/// one line, are told apart.
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

/// Whether it is worth being looked at more closely.
fn may_carry(error: &Bound<'_, PyAny>) -> bool {
    raw::cause_of(error).is_some() || kinds::type_info(error).may_carry
}

/// The members of a group, Python's own or a library's. What only holds exceptions like one is one
/// when these were raised.
fn members<'py>(error: &Bound<'py, PyAny>) -> Vec<Bound<'py, PyAny>> {
    let py = error.py();
    let info = kinds::type_info(error);
    let own = info.own_dict(error);
    // The backport keeps them where the second name says.
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

/// Here or, as its cause then says, in another process.
fn was_raised(error: &Bound<'_, PyAny>) -> bool {
    raw::traceback_of(error).is_some() || raw::cause_of(error).is_some()
}

fn is_exception(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyBaseException>()
}

/// The exception that another holds among its arguments or attributes, itself or in a future, as
/// those do that only tell that something else has failed.
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

/// The exception of a future of `concurrent.futures` or `asyncio`, or of what else stands for how
/// an attempt has ended.
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
            // As `sys.exc_info()` has it.
            Ok(info) => info.get_item(1).ok().filter(is_exception),
            Err(_) => Some(found).filter(is_exception),
        }
    })
}

const TRACEBACK: &str = "raceback (most recent call last)";

/// The traceback of another process, where an exception is nothing but that: it is told whole.
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

/// A text with a traceback in it, which an exception was made with.
pub(crate) fn told_traceback(error: &Bound<'_, PyAny>) -> Option<String> {
    let text = first_text(error)?;
    // Shorter ones are told whole anyway.
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
    // Its end says what failed, and where.
    let line_end = |from: usize| text.as_bytes()[from..].iter().position(|&byte| byte == b'\n');
    let beginning = line_end(REMOTE_BEGINNING)? + REMOTE_BEGINNING;
    let end = text.len() - REMOTE + REMOTE_BEGINNING;
    let end = (end + line_end(end)?).max(beginning);
    Some(format!("{}\n  [...]{}", &text[..beginning], &text[end..]))
}
