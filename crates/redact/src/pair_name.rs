//! The name before a separator, and what it implies about the value after it.

use std::ops::Range;

use super::bytes::ByteSet;
use super::names::When;
use super::pair_value::{Context, DEEPEST};
use super::report::Names;
use super::rule::Rule;

static NAME: ByteSet = ByteSet::alphanumeric_and(b"_-.%");
const LONGEST: usize = 64;

/// A name before a separator.
pub(super) struct Name {
    pub(super) place: Range<usize>,
    /// The quote after it, if it is quoted.
    pub(super) quote: Option<u8>,
    /// The number of backslashes before that quote.
    pub(super) level: usize,
}

/// The name of a secret, and how its value is written.
pub(super) struct Pair {
    pub(super) context: Context,
    pub(super) when: When,
    pub(super) place: Place,
}

/// The construct that holds the name and its value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Anything else may follow.
    Free,
    /// A tuple of the two, or the last arguments of a call.
    Tuple,
    /// A list of the two, which may also be a list of two names.
    List,
}

impl Name {
    pub(super) fn before(text: &[u8], separator: usize) -> Option<Self> {
        if let Some(asked) = Self::asked(text, separator) {
            return Some(asked);
        }
        let mut end = separator;
        let mut back = |bytes: &[u8], most: usize| {
            let floor = end.saturating_sub(most);
            while end > floor && bytes.contains(&text[end - 1]) {
                end -= 1;
            }
            end
        };
        back(b" \t", 8);
        back(b"!", 1);
        back(b" ", 1);
        // `form[password]=`, and `Key (api_key)=(…)` of a database.
        if text[separator..].starts_with(b"=(") {
            back(b")", 1);
        }
        back(b"]", 1);
        let after_quote = back(b"'\"", 1);
        let quote = text.get(after_quote).copied().filter(|byte| matches!(byte, b'\'' | b'"'));
        let quote = quote.filter(|_| after_quote < separator);
        let end = if quote.is_some() { back(b"\\", DEEPEST) } else { after_quote };
        let level = after_quote - end;
        let run = text[..end].iter().rev().take(LONGEST).take_while(|byte| NAME.has(**byte));
        let length = run.count();
        let mut start = end - length;
        // The letter of an escape does not belong to the name: `\nCookie: …`.
        if start > 0
            && text[start - 1] == b'\\'
            && length > 1
            && matches!(text[start], b'n' | b'r' | b't')
        {
            start += 1;
        }
        while start < end && matches!(text[start], b'.' | b'-') {
            start += 1;
        }
        (start < end).then_some(Self { place: start..end, quote, level })
    }

    /// The YAML key on the line above: `? password`, `: x`.
    fn asked(text: &[u8], separator: usize) -> Option<Self> {
        if !text[separator..].starts_with(b": ") {
            return None;
        }
        let back = |end: usize, over: &[u8], most: usize| {
            let run = text[..end].iter().rev().take(most);
            end - run.take_while(|byte| over.contains(byte)).count()
        };
        let line = back(separator, b" ", LONGEST);
        let end = match text[..line] {
            [.., b'\n'] => back(line - 1, b"\r", 1),
            // The line end may be escaped.
            [.., b'\\', b'n'] => back(line - 1, b"\\", DEEPEST),
            _ => return None,
        };
        let run = text[..end].iter().rev().take(LONGEST).take_while(|byte| NAME.has(**byte));
        let start = end - run.count();
        (start < end && text[..start].ends_with(b"? ")).then_some(Self {
            place: start..end,
            quote: None,
            level: 0,
        })
    }

    /// Whether this is the name of a secret in a place where a value follows.
    pub(super) fn pair(&self, text: &[u8], separator: usize, names: Names<'_>) -> Option<Pair> {
        let start = self.place.start;
        let before = start.checked_sub(1).map(|at| text[at]);
        let place = match text[separator] {
            b',' => self.position(text)?,
            _ => Place::Free,
        };
        // `lambda token: token.type`, `argument --password: expected one argument`
        if text[separator] == b':' && self.quote.is_none() && self.is_of_code(text) {
            return None;
        }
        let (rule, when) = self.judged(text, names)?;
        let opened = before.filter(|byte| matches!(byte, b'\'' | b'"') && self.quote.is_none());
        let header = text[separator] == b':'
            && self.quote.is_none()
            && (rule == Some(Rule::Cookie)
                || rule == Some(Rule::Authorization)
                    && text[self.place.clone()].to_ascii_lowercase().ends_with(b"authorization"));
        let level = match opened {
            Some(_) => {
                let slashes = text[..start - 1].iter().rev().take(DEEPEST);
                slashes.take_while(|byte| **byte == b'\\').count()
            }
            None => self.level,
        };
        let query = text[separator] == b'=' && matches!(before, Some(b'?' | b'&'));
        Some(Pair { context: Context { level, query, line: header, opened }, when, place })
    }

    /// Whether this quoted name comes first in a tuple or list, is a command line option, or is set
    /// by `setattr(x, 'name', value)`.
    fn position(&self, text: &[u8]) -> Option<Place> {
        let mut at = self.place.start;
        let dashed = at >= 2 && text[at - 1] == b'-' && matches!(text[at - 2], b'-' | b'\'' | b'"');
        if dashed {
            return Some(Place::Free);
        }
        let mut before = || {
            at = at.checked_sub(1)?;
            Some(text[at])
        };
        let mut byte = before().filter(|byte| matches!(byte, b'\'' | b'"'));
        byte?;
        byte = before();
        while byte == Some(b'\\') {
            byte = before();
        }
        if matches!(byte, Some(b'b' | b'u')) {
            byte = before();
        }
        match byte? {
            b'(' => Some(Place::Tuple),
            b'[' => {
                let next = before();
                let mut outer = next;
                while outer == Some(b' ') {
                    outer = before();
                }
                match outer {
                    Some(b'[' | b',' | b'(') => Some(Place::Tuple),
                    // `form['password', 'x']`
                    _ if next.is_some_and(|byte| byte.is_ascii_alphanumeric()) => None,
                    _ => Some(Place::List),
                }
            }
            b' ' | b',' => {
                while byte == Some(b' ') {
                    byte = before();
                }
                byte.filter(|byte| *byte == b',')?;
                let near = &text[at.saturating_sub(LONGEST)..at];
                let open = memchr::memrchr(b'(', near)?;
                let sets: [&[u8]; 3] = [b"setattr", b"__setattr__", b".set"];
                sets.iter().any(|call| near[..open].ends_with(call)).then_some(Place::Tuple)
            }
            _ => None,
        }
    }

    /// Whether a colon after this name begins something other than a value.
    fn is_of_code(&self, text: &[u8]) -> bool {
        let start = self.place.start;
        match start.checked_sub(1).map(|at| text[at]) {
            Some(b'-') => true,
            Some(b' ') => {
                let words: [&[u8]; 6] = [b"lambda", b"class", b"if", b"elif", b"while", b"not"];
                words.contains(&word_before(text, start))
            }
            _ => false,
        }
    }

    /// The rule that makes this a secret's name (none for a pattern of the user), and the values it
    /// applies to.
    fn judged(&self, text: &[u8], names: Names<'_>) -> Option<(Option<Rule>, When)> {
        let mut own = &text[self.place.clone()];
        if own.contains(&b'%') {
            own = form_key(own);
        }
        let start = self.place.start;
        // `list[key] = …` is code, `card[number]=…` a form.
        let spaced = match start.checked_sub(1).map(|at| text[at]) {
            Some(b' ') => true,
            Some(b'[') => text[self.place.end..].starts_with(b"]=") || self.quote.is_some(),
            _ => false,
        };
        let mut judged = names.named(own);
        if spaced
            && let Some(named) = judged
            && named.rule == Rule::Token
            && is_parsers(word_before(text, start))
        {
            return None;
        }
        if names.has_own() && judged.is_none_or(|named| named.when != When::Always) {
            let last = own.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
            if names.own(own) || names.own(last) {
                return Some((None, When::Always));
            }
        }
        // `API key: …`, `card[number]=…`
        if judged.is_none() && spaced {
            let first = start - 1 - word_before(text, start).len();
            let is_tag = first > 0 && text[first - 1] == b'<';
            if first < start - 1 && !is_tag {
                judged = names.named(&text[first..self.place.end]);
            }
        }
        judged.map(|named| (Some(named.rule), named.when))
    }
}

/// `user%5Bpassword%5D` is the key `user[password]`: its inner name.
fn form_key(name: &[u8]) -> &[u8] {
    let [inner @ .., b'%', b'5', b'D' | b'd'] = name else { return name };
    let open = inner.iter().rposition(|byte| *byte == b'%');
    &inner[open.map_or(0, |at| (at + 3).min(inner.len()))..]
}

pub(super) fn word_before(text: &[u8], start: usize) -> &[u8] {
    let end = start - 1;
    let letters = text[..end].iter().rev().take(32);
    let length = letters.take_while(|byte| byte.is_ascii_alphanumeric()).count();
    &text[end - length..end]
}

/// A parser's message: `Unexpected token: }`.
pub(super) fn is_parsers(word: &[u8]) -> bool {
    [b"unexpected" as &[u8], b"expected", b"next", b"previous", b"illegal"]
        .iter()
        .any(|said| said.eq_ignore_ascii_case(word))
}
