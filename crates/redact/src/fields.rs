//! Fields that contain their own name: `name="password"` with the value in a part of a form, in
//! another attribute, or under another key, before or after it (`{'value': 'x', 'name':
//! 'password'}`).

use std::ops::Range;

use memchr::memmem;

use super::bytes::DOTTED;
use super::nothing::hides_nothing;
use super::pair_name::Name;
use super::pair_value::{self, Context};
use super::pairs::value_start;
use super::report::Names;

/// How far the value may be from the name.
const NEAR: usize = 300;
const LONGEST_NAME: usize = 80;

/// The parts of the current field seen so far.
#[derive(Default)]
pub(super) struct Fields {
    /// The end of a secret's name, and its level.
    named: Option<(usize, usize)>,
    /// The start of a value that has no name yet, and its level.
    value: Option<(usize, usize)>,
}

impl Fields {
    /// The value of a secret field whose second half begins here.
    pub(super) fn value(
        &mut self,
        text: &[u8],
        separator: usize,
        name: &Name,
        names: Names<'_>,
    ) -> Option<Range<usize>> {
        let key = &text[name.place.clone()];
        let start = value_start(text, separator);
        let value = if gives_name(key) {
            self.named(text, start, name, names)
        } else if gives_value(key) {
            self.valued(text, start, name)
        } else if key == b"input_value" {
            (is_of_secret(text, name.place.start, names) && !is_missing(text, name.place.start))
                .then(|| start..pair_value::end(text, start, Context::default()))
        } else {
            None
        };
        value.filter(|value| !value.is_empty() && !hides_nothing(&text[value.clone()]))
    }

    fn named(
        &mut self,
        text: &[u8],
        start: usize,
        name: &Name,
        names: Names<'_>,
    ) -> Option<Range<usize>> {
        self.named = None;
        let near = &text[..text.len().min(start + LONGEST_NAME)];
        let context = Context { level: name.level, ..Context::default() };
        let given = start..pair_value::end(near, start.min(near.len()), context);
        let is_secret = given_name(&text[given.clone()]).is_some_and(|own| names.is_secret(own));
        let before = self.value.take();
        if !is_secret {
            return None;
        }
        if let Some(part) = part_of_form(text, name.place.start, given.end) {
            return Some(part);
        }
        if let Some((value, level)) = before
            && is_same_field(text, value, name.place.start)
        {
            let context = Context { level, ..Context::default() };
            let end = pair_value::end(&text[..name.place.start], value, context);
            return Some(value..end);
        }
        self.named = Some((given.end, name.level));
        None
    }

    fn valued(&mut self, text: &[u8], start: usize, name: &Name) -> Option<Range<usize>> {
        if let Some((end, level)) = self.named.take()
            && is_same_field(text, end, name.place.start)
        {
            if is_missing(text, name.place.start) {
                return None;
            }
            let context = Context { level, ..Context::default() };
            return Some(start..pair_value::end(text, start, context));
        }
        self.value = Some((start, name.level));
        None
    }
}

/// Whether a field gives its own name under this key.
fn gives_name(key: &[u8]) -> bool {
    matches!(
        key,
        b"name"
            | b"Name"
            | b"key"
            | b"Key"
            | b"field"
            | b"Field"
            | b"param"
            | b"Param"
            | b"parameter"
            | b"Parameter"
            | b"loc"
            | b"Loc"
            | b"header"
            | b"Header"
            | b"variable"
            | b"Variable"
            | b"var"
            | b"Var"
            | b"env"
            | b"Env"
            | b"property"
            | b"Property"
            | b"attribute"
            | b"Attribute"
            | b"column"
            | b"Column"
            | b"path"
            | b"Path"
            | b"id"
            | b"Id"
            | b"label"
            | b"Label"
    )
}

/// Whether a field gives its value under this key.
fn gives_value(key: &[u8]) -> bool {
    matches!(
        key,
        b"value"
            | b"Value"
            | b"val"
            | b"Val"
            | b"input"
            | b"Input"
            | b"content"
            | b"Content"
            | b"default"
            | b"Default"
            | b"rawValue"
            | b"raw_value"
            | b"stringValue"
    )
}

/// Whether it is still the same field: near, and without the end of an object or of a part of a
/// form in between.
fn is_same_field(text: &[u8], from: usize, to: usize) -> bool {
    let Some(between) = text.get(from..to).filter(|between| between.len() <= NEAR) else {
        return false;
    };
    !between.contains(&b'}') && memmem::find(between, b"\n\n").is_none()
}

/// Whether the field itself is missing. What pydantic shows as its input is then everything that
/// was given instead: `[type=missing, input_value=…`, `{'type': 'missing', …, 'input': …`.
fn is_missing(text: &[u8], at: usize) -> bool {
    let near = &text[at.saturating_sub(NEAR)..at];
    if near.ends_with(b"[type=missing, ") {
        return true;
    }
    let object = &near[memchr::memrchr2(b'{', b'}', near).map_or(0, |brace| brace + 1)..];
    let is_kind = |word: usize| {
        let before = object[..word].rsplitn(2, |byte| *byte == b':').nth(1).unwrap_or_default();
        let key = before.iter().rposition(u8::is_ascii_alphabetic).map_or(0, |last| last + 1);
        before[..key].ends_with(b"type")
    };
    memmem::find_iter(object, b"missing").any(is_kind)
}

/// The name that a field gives itself, with or without its quotes: `('password',)`.
fn given_name(value: &[u8]) -> Option<&[u8]> {
    let is_quote = |byte: &u8| matches!(byte, b'\'' | b'"');
    let name = match value.iter().position(is_quote) {
        Some(first) => {
            let last = value.iter().rposition(is_quote).filter(|last| *last > first);
            &value[first + 1..last.unwrap_or(value.len())]
        }
        // A call or a subscript would be code.
        None if value.iter().all(|byte| DOTTED.has(*byte)) => value,
        None => return None,
    };
    let end = name.iter().rposition(|byte| *byte != b'\\').map_or(0, |last| last + 1);
    (!name.is_empty() && end <= LONGEST_NAME).then_some(&name[..end])
}

/// The content of the part of a form named here.
fn part_of_form(text: &[u8], start: usize, end: usize) -> Option<Range<usize>> {
    memmem::find(&text[start.saturating_sub(LONGEST_NAME)..start], b"form-data")?;
    let near = &text[end..text.len().min(end + NEAR)];
    let ends =
        [("\r\n\r\n", "\r\n--"), ("\n\n", "\n--"), (r"\r\n\r\n", r"\r\n--"), (r"\n\n", r"\n--")];
    ends.into_iter().find_map(|(blank, boundary)| {
        let gap = memmem::find(near, blank.as_bytes())?;
        let start = end + gap + blank.len();
        let length = memmem::find(&text[start..], boundary.as_bytes());
        Some(start..length.map_or(text.len(), |length| start + length))
    })
}

/// Whether the line before this one is only a secret's name: pydantic names the field of an
/// `input_value` like that. Line ends may be escaped.
fn is_of_secret(text: &[u8], at: usize, names: Names<'_>) -> bool {
    let near = &text[at.saturating_sub(NEAR)..at];
    let line_end = |text: &[u8]| {
        let raw = text.iter().rposition(|byte| *byte == b'\n');
        raw.or_else(|| memmem::rfind(text, br"\n")).unwrap_or(0)
    };
    let before = &near[..line_end(near)];
    let field = before[line_end(before)..].trim_ascii();
    let field = field.strip_prefix(br"\n").unwrap_or(field);
    let last = field.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    !field.contains(&b' ') && (names.is_secret(last) || names.is_secret(field))
}
