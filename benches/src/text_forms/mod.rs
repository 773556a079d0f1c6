//! The forms in which people log and paste tracebacks. Each renders an exception, with the
//! exceptions that a reader must find in it.

mod containers;
mod frameworks;
mod layouts;
mod prefixes;
mod related;

use flawless_protocol::text_traceback::{TextChained, TextException, TextFrame, TextRelation};

/// A text, and the exceptions in it.
#[derive(Debug)]
pub(crate) struct Rendered {
    pub(crate) bytes: Vec<u8>,
    pub(crate) exception: TextException,
    pub(crate) chain: Vec<TextChained>,
}

/// A named form. It renders the first exception; the second is a related one, for forms with two.
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) render: fn(&TextException, &TextException) -> Rendered,
}

/// All forms.
pub(crate) fn forms() -> Vec<Form> {
    [layouts::FORMS, prefixes::FORMS, containers::FORMS, frameworks::FORMS, related::FORMS]
        .concat()
        .into_iter()
        .map(|(name, render)| Form { name, render })
        .collect()
}

/// A form in a table.
type Entry = (&'static str, fn(&TextException, &TextException) -> Rendered);

/// Only the exception, in `text`.
fn alone(text: impl Into<Vec<u8>>, exception: &TextException) -> Rendered {
    Rendered { bytes: text.into(), exception: exception.clone(), chain: Vec::new() }
}

fn chained(
    exception: &TextException,
    relation: TextRelation,
    parent: Option<usize>,
) -> TextChained {
    TextChained { exception: exception.clone(), relation, parent }
}

const HEADER: &str = "Traceback (most recent call last):";

fn frame_line(frame: &TextFrame) -> String {
    format!("  File \"{}\", line {}, in {}", frame.path, frame.line, frame.function)
}

fn ending(exception: &TextException) -> String {
    format!("{}: {}", exception.exception_type, exception.exception_message)
}

/// The lines as the interpreter prints them.
fn plain_lines(exception: &TextException) -> Vec<String> {
    let mut lines = vec![HEADER.to_owned()];
    for frame in &exception.frames {
        lines.push(frame_line(frame));
        if !frame.text.is_empty() {
            lines.push(format!("    {}", frame.text));
        }
    }
    lines.push(ending(exception));
    lines
}

/// The same lines as one text.
fn plain_text(exception: &TextException) -> String {
    plain_lines(exception).join("\n") + "\n"
}

/// The lines as the interpreter prints them, each passed through `change`.
fn each_line(exception: &TextException, change: impl Fn(usize, &str) -> String) -> String {
    let lines = plain_lines(exception);
    let changed = lines.iter().enumerate().map(|(at, line)| change(at, line) + "\n");
    changed.collect()
}
