//! Values on the lines below their name, as in YAML, and in JSON or Python data printed over
//! several lines.

use std::ops::Range;

use super::bytes::ByteSet;
use super::pair_name::Name;
use super::pair_value::{self, Context, DEEPEST};

/// Length limit of the text before the name in its line.
const LONGEST_START: usize = 200;
static BLANK: ByteSet = ByteSet::of(b" \t");

/// The value below the name whose separator ends before `start`, if its line holds nothing else.
pub(super) fn value(text: &[u8], name: &Name, start: usize) -> Option<Range<usize>> {
    let mut at = behind_marks(text, start);
    if !matches!(text.get(at), Some(b'\n' | b'\r')) {
        return None;
    }
    let line = Line::of(text, name.place.start)?;
    let mut first = at;
    while let Some(b'\n' | b'\r' | b' ' | b'\t') = text.get(at) {
        if matches!(text[at], b'\n' | b'\r') {
            first = at + 1;
        }
        at += 1;
    }
    let width = at - first;
    let is_list = text[at..].starts_with(b"- ");
    let is_below = width > line.indent || is_list && width >= line.indent;
    let slashes = text[at..].iter().take(DEEPEST).take_while(|byte| **byte == b'\\').count();
    match text.get(at + slashes)? {
        // Quotes and brackets show where the value ends.
        b'\'' | b'"' | b'[' | b'{' | b'('
            if is_quoted_key(text, name) || name.quote.is_none() && line.is_key && is_below =>
        {
            let context = Context { level: name.level, ..Context::default() };
            Some(at..pair_value::end(text, at, context))
        }
        b'\'' | b'"' | b'[' | b'{' | b'(' => None,
        _ if name.quote.is_none() && line.is_key && is_below => {
            Some(at..block_end(text, at, width, line))
        }
        _ => None,
    }
}

/// Whether the quoted name is a key of data, rather than the type that a function returns.
fn is_quoted_key(text: &[u8], name: &Name) -> bool {
    let before = text[..name.place.start].iter().rev().take(64);
    let mut before = before.skip_while(|byte| matches!(byte, b'\'' | b'"' | b'\\' | b'b' | b'u'));
    let place = before.find(|byte| !matches!(byte, b' ' | b'\t'));
    name.quote.is_some() && matches!(place, None | Some(b'{' | b',' | b'[' | b'(' | b'\n' | b'\r'))
}

/// Skips the indicators of a block: `|`, `>-`, `!!str`, `&anchor`.
fn behind_marks(text: &[u8], start: usize) -> usize {
    let mut at = start;
    // An anchor, a tag, and the kind of block.
    for _ in 0..3 {
        if !matches!(text.get(at), Some(b'|' | b'>' | b'!' | b'&')) {
            break;
        }
        let end = text[at..].iter().take(64).position(u8::is_ascii_whitespace);
        let Some(end) = end else { return start };
        at = BLANK.run(text, at + end);
    }
    at
}

/// Skips tags and anchors before a value on the same line: `!!str x`, `&anchor x`.
pub(super) fn behind_tags(text: &[u8], start: usize) -> usize {
    static TAG: ByteSet = ByteSet::alphanumeric_and(b"!_-:/.");
    let mut at = start;
    for _ in 0..2 {
        if !matches!(text.get(at), Some(b'!' | b'&')) {
            break;
        }
        let end = TAG.run(&text[..text.len().min(at + 64)], at + 1);
        let next = BLANK.run(text, end);
        let is_tag = end > at + 1 && next > end;
        if !is_tag || matches!(text.get(next), None | Some(b'\n' | b'\r' | b'#' | b'|' | b'>')) {
            break;
        }
        at = next;
    }
    at
}

/// The line of a name.
#[derive(Clone, Copy)]
struct Line {
    indent: usize,
    /// Only YAML syntax precedes the name.
    is_key: bool,
    /// The end of the text that begins with the name: the quote of a string, the tag of an element.
    ends_with: Option<u8>,
}

impl Line {
    fn of(text: &[u8], name: usize) -> Option<Self> {
        let floor = name.saturating_sub(LONGEST_START);
        let start = match text[floor..name].iter().rposition(|byte| *byte == b'\n') {
            Some(found) => floor + found + 1,
            None if floor == 0 => 0,
            None => return None,
        };
        let before = &text[start..name];
        let begun = before.iter().rposition(|byte| !matches!(byte, b' ' | b'\t' | b'-'));
        // A text may begin with the key: a string, the content of an element, a part of a query.
        let ends_with = match before {
            _ if begun.is_none() => None,
            [.., quote @ (b'\'' | b'"')] => Some(*quote),
            [b'<', .., b'>'] => Some(b'<'),
            [.., b'=', b'='] => None,
            [.., b'='] => Some(b'&'),
            _ => None,
        };
        let is_key = begun.is_none() || ends_with.is_some() || before.ends_with(b": ");
        let indent = match begun {
            Some(_) => 0,
            None => before.iter().take_while(|byte| BLANK.has(**byte)).count(),
        };
        Some(Self { indent, is_key, ends_with })
    }
}

/// The end of the lines indented as far as the first one of the block.
fn block_end(text: &[u8], first: usize, width: usize, line: Line) -> usize {
    let mut end = first;
    let mut at = first;
    loop {
        let rest = &text[at..];
        let length = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
        let stop = at + length.unwrap_or(rest.len());
        if let Some(mark) = line.ends_with
            && let Some(found) = text[at..stop].iter().position(|byte| *byte == mark)
        {
            let before = text[at..at + found].iter().rev();
            return at + found - before.take_while(|byte| **byte == b'\\').count();
        }
        if stop > at {
            end = stop;
        }
        let breaks = text[stop..].iter().take_while(|byte| matches!(byte, b'\n' | b'\r'));
        let next = stop + breaks.count();
        let start = BLANK.run(text, next);
        let is_in =
            start - next > line.indent || text[start..].starts_with(b"- ") && start - next >= width;
        if next == stop || start >= text.len() || !is_in {
            return end;
        }
        at = start;
    }
}
