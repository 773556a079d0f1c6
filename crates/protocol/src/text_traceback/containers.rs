//! Unwraps the lines of a text: JSON strings, `key=value` logs, escaped line breaks, HTML, and lone
//! carriage returns.
use std::borrow::Cow;
use std::collections::VecDeque;

use super::escapes::{Escapes, has_escaped_frame, has_escaped_traceback};
use super::html;
use super::strings::{quoted_strings, value_of};

/// A line as it was before it was wrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// The line of the input that contains it, from 1.
    pub(super) number: u32,
    pub(super) text: Cow<'a, str>,
    /// It begins a message of its own: the message before it does not continue here.
    pub(super) begins: bool,
}

/// Line ends besides `\n`: a terminal's carriage return, and Unicode's line ends.
const ENDS: [char; 5] = ['\r', '\u{b}', '\u{85}', '\u{2028}', '\u{2029}'];
/// A longer line is not unwrapped: no log keeps such a message.
const MAX_WRAPPED: usize = 8 * 1024 * 1024;
/// How often a text may be wrapped: a log's JSON in a collector's JSON in a ticket's.
const MAX_DEPTH: usize = 6;

/// All lines of `text`.
pub(super) fn lines(text: &str) -> Lines<'_> {
    Lines { rest: text, number: 0, ready: VecDeque::new(), state: State::default() }
}

pub(super) struct Lines<'a> {
    rest: &'a str,
    number: u32,
    /// Lines unwrapped from the last line of the input.
    ready: VecDeque<Line<'a>>,
    state: State,
}

/// What is known from earlier lines.
#[derive(Debug, Default)]
struct State {
    /// They were escaped as HTML.
    is_html: bool,
    /// They were the strings of a list, one per line.
    is_list: bool,
    /// They were lines of JSON that each hold one line of the traceback under this key.
    key: Option<String>,
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
            for piece in line.split(ENDS) {
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
            self.key = key_of_line(text);
            let mut inner = Vec::new();
            unwrap(text, MAX_DEPTH, is_of_list, &mut inner);
            let is_item = is_list_item(text);
            for (at, (text, begins)) in inner.into_iter().enumerate() {
                let begins = begins && !(at == 0 && is_item && self.is_list);
                self.push(text.into(), number, begins, ready);
            }
            self.is_list = is_item;
        } else if let Some(value) = self.key.as_deref().and_then(|key| value_of(text, key)) {
            let value = Escapes::Backslash.decode(value);
            self.push(value.trim_end().to_owned().into(), number, false, ready);
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

/// The unescaped strings of a line, starting with the first that looks like part of a traceback, or
/// the whole line if the traceback is not in a string. Strings separated only by commas are one
/// list of lines.
fn strings_or_whole(text: &str, is_list: bool) -> Option<Vec<(String, bool)>> {
    let strings = quoted_strings(text);
    let first = strings.iter().position(|string| {
        let is_item = string.is_item && (is_list || is_traceback_text(string.raw));
        is_item || has_escaped_traceback(string.raw)
    });
    // A traceback that begins before the first string is not in a string: the quotes belong to its
    // paths.
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
        let is_traceback = is_traceback_text(string.raw) || has_escaped_frame(string.raw);
        if !goes_on && !is_list && !is_traceback {
            continue;
        }
        let mut decoded = Escapes::Backslash.decode(string.raw);
        if decoded.ends_with('\n') {
            decoded.pop();
        }
        // A string of one line may be a line of a longer message.
        let begins = !goes_on && decoded.contains('\n');
        unwrapped.push((decoded, begins));
    }
    Some(unwrapped)
}

/// The key under which a line of JSON holds one line of a traceback.
fn key_of_line(text: &str) -> Option<String> {
    let strings = quoted_strings(text);
    let string = strings.iter().find(|string| is_traceback_text(string.raw))?;
    let line = Escapes::Backslash.decode(string.raw);
    let is_one = text.trim_start().starts_with('{') && !line.trim_end().contains('\n');
    string.key.filter(|_| is_one).map(str::to_owned)
}

fn is_traceback_text(text: &str) -> bool {
    text.contains("Traceback (most recent") || text.contains("File ")
}

fn is_list_item(text: &str) -> bool {
    let text = text.trim().trim_end_matches(',');
    text.len() > 1 && text.starts_with('"') && text.ends_with('"')
}
