//! What the program was doing, for whom, and what happened before.
use std::sync::{Mutex, PoisonError};

use flawless_client::{Around, Breadcrumb};

use crate::clock;

static CONTEXT: Mutex<Option<Around>> = Mutex::new(None);

const MOST_BREADCRUMBS: usize = 100;
const MOST_VALUES: usize = 50;
/// Bytes of a value; longer ones are cut.
const MAX_VALUE: usize = 4 * 1024;

fn with(change: impl FnOnce(&mut Around)) {
    let mut context = CONTEXT.lock().unwrap_or_else(PoisonError::into_inner);
    change(context.get_or_insert_default());
}

/// Everything that was set, for a report.
pub(crate) fn current() -> Around {
    CONTEXT.lock().unwrap_or_else(PoisonError::into_inner).clone().unwrap_or_default()
}

fn cut(text: &str) -> String {
    let mut end = MAX_VALUE.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

fn put(values: &mut Vec<(String, String)>, name: &str, value: &str) {
    let known = values.iter().position(|(known, _)| known == name);
    match known {
        Some(at) => values[at].1 = cut(value),
        None if values.len() < MOST_VALUES => values.push((cut(name), cut(value))),
        None => {}
    }
}

/// Sets a short fact of all later reports of the process.
pub fn set_tag(name: &str, value: &str) {
    with(|context| put(&mut context.tags, name, value));
}

/// Sets a fact about the user that the process works for, such as `id` or `email`.
pub fn set_user(name: &str, value: &str) {
    with(|context| put(&mut context.user, name, value));
}

/// Names the command or task that the process runs.
pub fn set_transaction(name: &str) {
    with(|context| context.transaction = cut(name));
}

/// Notes something that happened; the last hundred are part of each report.
pub fn add_breadcrumb(category: &str, level: &str, message: &str) {
    let breadcrumb = Breadcrumb {
        at: clock::since_1970(),
        category: cut(category),
        level: cut(level),
        message: cut(message),
        data: Vec::new(),
    };
    with(|context| {
        if context.breadcrumbs.len() >= MOST_BREADCRUMBS {
            context.breadcrumbs.remove(0);
        }
        context.breadcrumbs.push(breadcrumb);
    });
}
