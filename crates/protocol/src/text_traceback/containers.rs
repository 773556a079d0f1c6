//! Lines of a text to the lines that were wrapped up in them: strings of JSON and of `key=value`
//! logs, whatever escapes line breaks, HTML, and lone carriage returns.
use std::borrow::Cow;
use std::collections::VecDeque;

use super::escapes::{Escapes, has_escaped_traceback};
use super::html;

/// A line as it was before it was wrapped up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The line of the input that it stands in, from 1.
    pub(super) number: u32,
    pub(super) text: Cow<'a, str>,
    /// It begins a message of its own: what stands before it does not go on here.
    pub(super) begins: bool,
}

/// A longer line is read as it is: no log keeps such a message.
const MAX_WRAPPED: usize = 8 * 1024 * 1024;
/// How often a text may be wrapped up: a log's JSON in a collector's JSON in a ticket's.
const MAX_DEPTH: usize = 6;

/// All lines of `text`.
pub(super) fn lines(text: &str) -> Lines<'_> {
    Lines { rest: text, number: 0, ready: VecDeque::new(), state: State::default() }
}

pub(super) struct Lines<'a> {
    rest: &'a str,
    number: u32,
    /// Lines that came out of the last line of the input.
    ready: VecDeque<Line<'a>>,
    state: State,
}

/// What the lines before tell of a line.
#[derive(Debug, Default)]
struct State {
    /// They were escaped as HTML.
    is_html: bool,
    /// They were the strings of a list, one a line.
    is_list: bool,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Some(line);
            }
            if self.rest.is_empty() {
                return None;
            }
            let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
            self.rest = rest;
            self.number = self.number.saturating_add(1);
            let line = line.trim_end_matches('\r');
            for piece in line.split('\r') {
                self.state.unwrap(piece, self.number, &mut self.ready);
            }
        }
    }
}

impl State {
    fn unwrap<'a>(&mut self, text: &'a str, number: u32, ready: &mut VecDeque<Line<'a>>) {
        let may_be_wrapped = text.len() <= MAX_WRAPPED;
        let is_of_list = is_list_item(text) && (self.is_list || is_traceback_text(text));
        if may_be_wrapped && (is_of_list || Escapes::of(text).is_some()) {
            let mut inner = Vec::new();
            unwrap(text, MAX_DEPTH, is_of_list, &mut inner);
            let is_item = is_list_item(text);
            for (at, (text, begins)) in inner.into_iter().enumerate() {
                let begins = begins && !(at == 0 && is_item && self.is_list);
                self.push(text.into(), number, begins, ready);
            }
            self.is_list = is_item;
        } else {
            self.is_list = is_list_item(text) && is_traceback_text(text);
            self.push(text.into(), number, false, ready);
        }
    }

    fn push<'a>(
        &mut self,
        text: Cow<'a, str>,
        number: u32,
        begins: bool,
        ready: &mut VecDeque<Line<'a>>,
    ) {
        let text = self.without_html(text);
        if !text.contains('\n') {
            ready.push_back(Line { number, text, begins });
            return;
        }
        for (at, text) in text.split('\n').enumerate() {
            let text = text.to_owned().into();
            ready.push_back(Line { number, text, begins: begins && at == 0 });
        }
    }

    fn without_html<'a>(&mut self, text: Cow<'a, str>) -> Cow<'a, str> {
        self.is_html = html::is_escaped(&text).unwrap_or(self.is_html);
        if self.is_html { html::without(text) } else { text }
    }
}

/// Unwraps `text` until lines of a traceback appear; each line with whether it begins a message.
fn unwrap(text: &str, depth: usize, whole_list: bool, lines: &mut Vec<(String, bool)>) {
    let escapes = Escapes::of(text);
    let unwrapped = match escapes {
        _ if depth == 0 => None,
        None if !whole_list => None,
        None | Some(Escapes::Backslash) => strings_or_whole(text, whole_list),
        // The fields of a form are messages of their own.
        Some(Escapes::Percent) => {
            Some(text.split('&').map(|field| (Escapes::Percent.decode(field), true)).collect())
        }
        Some(Escapes::Octal) => Some(vec![(Escapes::Octal.decode(text), true)]),
    };
    let Some(unwrapped) = unwrapped else {
        lines.push((text.to_owned(), false));
        return;
    };
    for (text, begins) in unwrapped {
        let from = lines.len();
        for line in text.split(['\n', '\r']) {
            if Escapes::of(line).is_some() {
                unwrap(line, depth - 1, false, lines);
            } else {
                lines.push((line.to_owned(), false));
            }
        }
        if let Some(first) = lines.get_mut(from) {
            first.1 |= begins;
        }
    }
}

/// The strings of a line from the first one on that has to do with a traceback, without their
/// escapes; the whole line where that is in no string. What is separated by commas alone is one
/// list of lines.
fn strings_or_whole(text: &str, is_list: bool) -> Option<Vec<(String, bool)>> {
    let strings = quoted_strings(text);
    let first = strings.iter().position(|string| {
        let is_item = string.is_item && (is_list || is_traceback_text(string.raw));
        is_item || has_escaped_traceback(string.raw)
    });
    // What begins before the first string is in none: the quotes are those of its paths.
    let mentioned_at =
        ["(most recent call last)", "File"].iter().filter_map(|w| text.find(w)).min();
    let is_inside = |first: &usize| {
        let from = strings[*first].raw.as_ptr() as usize - text.as_ptr() as usize;
        mentioned_at.is_none_or(|mentioned_at| mentioned_at >= from)
    };
    let first = first.filter(|first| is_list || is_inside(first));
    let Some(first) = first else {
        return Some(vec![(Escapes::Backslash.decode(text), true)]);
    };
    let mut unwrapped: Vec<(String, bool)> = Vec::new();
    for (at, string) in strings.iter().enumerate().skip(first) {
        let goes_on = at > first && string.follows_comma;
        if !goes_on && !is_list && !is_traceback_text(string.raw) {
            continue;
        }
        let mut decoded = Escapes::Backslash.decode(string.raw);
        if decoded.ends_with('\n') {
            decoded.pop();
        }
        unwrapped.push((decoded, !goes_on));
    }
    Some(unwrapped)
}

fn is_traceback_text(text: &str) -> bool {
    text.contains("Traceback (most recent") || text.contains("File ")
}

fn is_list_item(text: &str) -> bool {
    let text = text.trim().trim_end_matches(',');
    text.len() > 1 && text.starts_with('"') && text.ends_with('"')
}

struct Quoted<'a> {
    raw: &'a str,
    /// Nothing but a comma stands between it and the string before it.
    follows_comma: bool,
    /// It is the item of a list: a bracket or a comma stands before it, and no colon after it.
    is_item: bool,
}

/// The strings in quotes of `text`. A quote within a word is none, as in `can't`.
fn quoted_strings(text: &str) -> Vec<Quoted<'_>> {
    let bytes = text.as_bytes();
    let mut strings = Vec::new();
    let (mut at, mut last_end) = (0, 0);
    while at < bytes.len() {
        let quote = bytes[at];
        let in_word = at > 0 && quote == b'\'' && (bytes[at - 1].is_ascii_alphanumeric());
        let is_prefix = in_word
            && matches!(&bytes[..at], [.., before, b'b' | b'u' | b'r'] if !before.is_ascii_alphanumeric());
        let is_escaped = at > 0 && bytes[at - 1] == b'\\';
        if !matches!(quote, b'"' | b'\'') || (in_word && !is_prefix) || is_escaped {
            at += 1;
            continue;
        }
        let from = at + 1;
        let mut end = from;
        while end < bytes.len() && bytes[end] != quote {
            end += 1 + usize::from(bytes[end] == b'\\');
        }
        let end = end.min(bytes.len());
        let between = text[last_end..at].trim();
        let is_key = text[end..].get(1..).is_some_and(|after| after.trim_start().starts_with(':'));
        let follows_comma = !strings.is_empty() && between == "," && !is_key;
        let is_item = follows_comma || between.ends_with('[') || between.is_empty();
        strings.push(Quoted { raw: &text[from..end], follows_comma, is_item });
        last_end = (end + 1).min(bytes.len());
        at = end + 1;
    }
    strings
}
