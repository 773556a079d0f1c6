//! Fields that name themselves: `name="password"` with its value in a part of a form, in another
//! attribute, or under another key (`{'name': 'password', 'value': 'x'}`).

use std::ops::Range;

use memchr::memmem;

use super::pair_value::{self, Context};

/// How far behind the name the value may begin: other headers of the part.
const NEAR: usize = 120;

/// Is this the key under which a field gives its own name?
pub(super) fn is_key(name: &[u8]) -> bool {
    matches!(name, b"name" | b"key" | b"Name" | b"Key")
}

/// The name within the quotes of this value.
pub(super) fn given_name(text: &[u8], value: &Range<usize>) -> Option<Range<usize>> {
    let edge = |byte: &u8| !matches!(byte, b'\'' | b'"' | b'\\' | b' ' | b'b');
    let inner = &text[value.clone()];
    let from = inner.iter().position(|byte| matches!(byte, b'\'' | b'"'))? + 1;
    let to = inner.iter().rposition(edge)? + 1;
    (from < to && to - from <= 64).then(|| value.start + from..value.start + to)
}

/// The value of the field whose name ends here.
pub(super) fn value(text: &[u8], end: usize, level: usize) -> Option<Range<usize>> {
    let near = &text[end..text.len().min(end + NEAR)];
    for (blank, boundary) in
        [("\r\n\r\n", "\r\n--"), ("\n\n", "\n--"), (r"\r\n\r\n", r"\r\n--"), (r"\n\n", r"\n--")]
    {
        if let Some(gap) = memmem::find(near, blank.as_bytes()) {
            let start = end + gap + blank.len();
            let length = memmem::find(&text[start..], boundary.as_bytes());
            return Some(start..length.map_or(text.len(), |length| start + length));
        }
    }
    // The next key is `value`, with whatever quotes and separators.
    let key = near.iter().take(12).position(|byte| byte.eq_ignore_ascii_case(&b'v'))?;
    let between = near[..key].iter().all(|byte| b", '\"\\bu".contains(byte));
    let rest = near[key..].get(..5)?;
    if !between || !rest.eq_ignore_ascii_case(b"value") {
        return None;
    }
    let tail = &near[key + 5..];
    let separator = tail.iter().take(10).position(|byte| matches!(byte, b'=' | b':'))?;
    if !tail[..separator].iter().all(|byte| b" '\"\\".contains(byte)) {
        return None;
    }
    let after = end + key + 5 + separator + 1;
    let start = after + text[after..].iter().take(4).take_while(|byte| **byte == b' ').count();
    Some(start..pair_value::end(text, start, Context { level, ..Context::default() }))
}
