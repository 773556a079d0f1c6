//! Finds `name=value`, `'name': value`, `Name: value`, `('name', value)` and `['name', value]`, and
//! takes the values that are named like secrets.

use std::ops::Range;

use super::bytes::ByteSet;
use super::fields::Fields;
use super::names::When;
use super::pair_name::{Name, Pair, Place};
use super::report::Names;
use super::{blocks, elements, message, nothing, options, pair_value, random};

static SEPARATOR: ByteSet = ByteSet::of(b"=:,");

/// Adds the values of all secrets named in the text.
pub(super) fn find(text: &str, names: Names<'_>, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    elements::find(bytes, names, found);
    options::find(bytes, names, found);
    let mut fields = Fields::default();
    let mut at = 0;
    let mut tuples_from = 0;
    while let Some(offset) = bytes[at..].iter().position(|byte| SEPARATOR.has(*byte)) {
        let separator = at + offset;
        at = separator + 1;
        let Some(name) = Name::before(bytes, separator) else { continue };
        if bytes[separator] == b',' && (separator < tuples_from || name.quote.is_none()) {
            continue;
        }
        let Some(pair) = name.pair(bytes, separator, names) else {
            // `if name == "SECRET_KEY"` does not name a value.
            if bytes[separator] != b','
                && bytes.get(separator + 1) != Some(&b'=')
                && let Some(value) = fields.value(bytes, separator, &name, names)
            {
                at = at.max(value.end);
                found.push(value);
            }
            continue;
        };
        // If it is not a secret, its text is searched again, so look only as far as secrets reach.
        let far = match pair.when {
            When::Always => bytes.len(),
            _ => bytes.len().min(at + random::LONGEST),
        };
        let (value, end) = value_of(&bytes[..far], separator, &name, &pair);
        if pair.place != Place::Free && !closes(bytes, end) {
            tuples_from = end;
            continue;
        }
        let is_cut = end == bytes.len();
        if random::fits(pair.when, &bytes[value.clone()], is_cut) {
            let is_harmless = nothing::hides_nothing(&bytes[value.clone()])
                || is_directory(bytes, &name, &value)
                || pair.place == Place::List && is_label(&bytes[value.clone()], names)
                || bytes[separator] == b':'
                    && message::begins_message(&bytes[value.clone()], &bytes[value.end..]);
            if !is_harmless {
                found.push(value);
            }
            at = end.max(at);
        }
    }
}

/// The value after the separator, and where to continue.
fn value_of(text: &[u8], separator: usize, name: &Name, pair: &Pair) -> (Range<usize>, usize) {
    let start = value_start(text, separator);
    if text[separator] == b':'
        && let Some(block) = blocks::value(text, name, start)
    {
        let end = block.end;
        return (block, end);
    }
    // Skip YAML tags, although a tag may also be the beginning of a password.
    let begin = if text[separator] == b':' { blocks::behind_tags(text, start) } else { start };
    let end = match text[separator] {
        // `input('Password: ')` asks for one.
        b':' if name.quote.is_none() && asks(text, start) => start,
        b':' if name.quote.is_none() => {
            let end = pair_value::end(text, begin, pair.context);
            // `def login(password: str = 'x')`
            match text[end..].starts_with(b" = ") {
                true => pair_value::end(text, end + 3, pair.context),
                false => end,
            }
        }
        _ => pair_value::end(text, begin, pair.context),
    };
    match behind_key(text, end, pair) {
        Some(start) => {
            let end = pair_value::end(text, start, pair.context.within());
            (start..trimmed(text, start, end), end)
        }
        None => (start..trimmed(text, start, end), end),
    }
}

/// The start of the value, if the text taken for it belongs to the key:
/// `"ConnectionStrings:Default": "x"`.
fn behind_key(text: &[u8], end: usize, pair: &Pair) -> Option<usize> {
    let quote = end + text[end..].iter().take_while(|byte| **byte == b'\\').count();
    let is_closed = pair.context.opened.is_some_and(|opened| text.get(quote) == Some(&opened));
    let separator = quote + 1 + text.get(quote + 1..)?.iter().take_while(|b| **b == b' ').count();
    (is_closed && matches!(text.get(separator), Some(b':' | b'=')))
        .then(|| value_start(text, separator))
}

/// The start of the value after a separator.
pub(super) fn value_start(text: &[u8], separator: usize) -> usize {
    let mut at = separator + 1;
    // `==`, `:=`, `=>`
    while at < separator + 3 && matches!(text.get(at), Some(b'=' | b'>')) {
        at += 1;
    }
    while at < text.len() && matches!(text[at], b' ' | b'\t') {
        at += 1;
    }
    // A form writes a blank as a plus.
    at + usize::from(matches!(text[at..], [b'+', b'"' | b'\'', ..]))
}

/// Whether only the end of a string follows.
fn asks(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), Some(b'\'' | b'"')) && pair_value::closes_string(text, at)
}

fn trimmed(text: &[u8], start: usize, end: usize) -> usize {
    text[start..end]
        .iter()
        .rposition(|byte| !matches!(byte, b' ' | b'\t'))
        .map_or(start, |at| start + at + 1)
}

/// Whether the tuple ends after its second value.
fn closes(text: &[u8], end: usize) -> bool {
    let rest = &text[end..];
    let next = rest.iter().take(4).find(|byte| **byte != b' ');
    matches!(next, None | Some(b')' | b']'))
}

/// Whether the value beside a name in a list is only another name: `['password', 'email']`.
fn is_label(value: &[u8], names: Names<'_>) -> bool {
    let is_edge = |byte: &u8| matches!(byte, b'\'' | b'"' | b'\\');
    let Some(start) = value.iter().position(is_edge) else { return true };
    let inner = &value[start + value[start..].iter().take_while(|byte| is_edge(byte)).count()..];
    let inner = &inner[..inner.iter().position(is_edge).unwrap_or(inner.len())];
    // `password2`
    let stem = match inner {
        [stem @ .., b'0'..=b'9'] if names.is_secret(inner) => stem,
        inner => inner,
    };
    stem.split(|byte| b" _-.".contains(byte)).all(|word| {
        let rest = word.get(1..).unwrap_or_default();
        word.iter().all(u8::is_ascii_alphabetic)
            && (!rest.iter().any(u8::is_ascii_uppercase) || word.iter().all(u8::is_ascii_uppercase))
    })
}

/// The working directory is called `PWD`, as are passwords elsewhere.
fn is_directory(text: &[u8], name: &Name, value: &Range<usize>) -> bool {
    let value = &text[value.clone()];
    let inner = value.strip_prefix(b"'").or(value.strip_prefix(b"\"")).unwrap_or(value);
    inner.starts_with(b"/") && text[name.place.clone()].ends_with(b"PWD")
}
