//! In source code, most values beside a secret's name are names of other things. Only literals that
//! do not look like words are secrets.

use std::ops::Range;

use super::nothing::hides_nothing;

const SHORTEST: usize = 8;
const LONGEST: usize = 512;

/// Keeps only the values in string literals, of the values beside secrets' names in text order.
pub(super) fn written_out(text: &[u8], mut values: Vec<Range<usize>>) -> Vec<Range<usize>> {
    values.sort_unstable_by_key(|value| value.start);
    let mut strings = Strings { text, at: 0, open: None };
    values.retain(|value| {
        let said = &text[value.clone()];
        let inner = within_quotes(said);
        (inner.len() < said.len() || strings.has(value.start)) && is_secret(inner)
    });
    values
}

/// The value without its quotes and their prefix: `b'…'`, `\"…\"`.
fn within_quotes(value: &[u8]) -> &[u8] {
    let is_edge = |byte: &u8| matches!(byte, b'\'' | b'"' | b'\\');
    let prefix = value.iter().take(2).take_while(|byte| b"bBrRuUfF".contains(byte)).count();
    let prefix = if value.get(prefix).is_some_and(is_edge) { prefix } else { 0 };
    let inner = &value[prefix..];
    let start = inner.iter().take_while(|byte| is_edge(byte)).count();
    let end = inner.len() - inner[start..].iter().rev().take_while(|byte| is_edge(byte)).count();
    &inner[start..end]
}

/// Letters and digits, or letters and marks that do not occur in names, paths or addresses.
fn is_secret(value: &[u8]) -> bool {
    let has = |is: fn(u8) -> bool| value.iter().any(|byte| is(*byte));
    let is_other = |byte: u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<')
    };
    (SHORTEST..=LONGEST).contains(&value.len())
        && has(|byte| byte.is_ascii_alphabetic())
        && has(|byte| byte.is_ascii_digit() || b"!?@$".contains(&byte))
        && !has(is_other)
        && !is_numbered_name(value)
        && !matches!(value, [b'/' | b'.' | b'$' | b'%', ..])
        && !value.windows(3).any(|three| three == b"://")
        && !hides_nothing(value)
}

/// `password2`, `0001_initial`: a name with a number before or after its words.
fn is_numbered_name(value: &[u8]) -> bool {
    let is_part =
        |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-.".contains(byte);
    let turns = value.windows(2).filter(|pair| {
        pair.iter().all(u8::is_ascii_alphanumeric)
            && pair[0].is_ascii_digit() != pair[1].is_ascii_digit()
    });
    value.iter().all(is_part) && turns.count() < 3
}

/// Finds strings, line by line.
struct Strings<'a> {
    text: &'a [u8],
    at: usize,
    open: Option<u8>,
}

impl Strings<'_> {
    /// Whether this position is within a string. Positions must be asked for in order.
    fn has(&mut self, place: usize) -> bool {
        while self.at < place {
            match (self.text[self.at], self.open) {
                (b'\n', _) => self.open = None,
                (b'\\', _) => self.at += 1,
                (quote @ (b'\'' | b'"'), None) => self.open = Some(quote),
                (quote, Some(open)) if quote == open => self.open = None,
                _ => {}
            }
            self.at += 1;
        }
        self.open.is_some()
    }
}
