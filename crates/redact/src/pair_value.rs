//! Finds the end of the value beside a secret's name: a string, a bracket, a word, a header's line;
//! whole, or cut off by the end of the text.

use super::bytes::ByteSet;

/// The most backslashes before a quote, for strings nested in strings.
pub(super) const DEEPEST: usize = 64;

/// How a value is written, as far as its name shows.
#[derive(Clone, Copy, Default)]
pub(super) struct Context {
    /// Backslashes before each quote: the pair is in a string within a string.
    pub(super) level: usize,
    /// `?name=value&`: only an ampersand ends it.
    pub(super) query: bool,
    /// A header: the rest of the line.
    pub(super) line: bool,
    /// The quote right before an unquoted name: the pair ends where that string ends.
    pub(super) opened: Option<u8>,
}

impl Context {
    /// The context of the value for a key that is a string.
    pub(super) fn within(self) -> Self {
        Self { level: self.level, ..Self::default() }
    }
}

static WORD_END: ByteSet = ByteSet::of(b" \t\r\n'\"\\<>&,;()[]{}");

/// The end of the value that begins here, which may be empty.
pub(super) fn end(text: &[u8], start: usize, context: Context) -> usize {
    if context.line {
        return line_end(text, start, context);
    }
    let (quote, level) = quote_at(text, start);
    match quote {
        Some(quote)
            if match context.opened {
                Some(opened) if opened == text[quote] && level <= context.level => {
                    !closes_string(text, quote)
                }
                Some(_) => true,
                None => level >= context.level,
            } =>
        {
            strings_end(text, quote, level)
        }
        // The string around the pair ends: the value is empty.
        Some(_) => start,
        None => word_end(text, start, context),
    }
}

/// The position of the quote of a string that begins here (`'`, `b'`, `\"`), and its backslashes.
fn quote_at(text: &[u8], start: usize) -> (Option<usize>, usize) {
    let mut at = start;
    // Prefixes of Python, and SQL's `N'…'`, `E'…'`.
    while at < start + 2 && text.get(at).is_some_and(|byte| b"bBrRufNE".contains(byte)) {
        at += 1;
    }
    let slashes = text[at..].iter().take(DEEPEST).take_while(|byte| **byte == b'\\').count();
    let is_quote = matches!(text.get(at + slashes), Some(b'\'' | b'"'));
    (is_quote.then_some(at + slashes), slashes)
}

/// Whether this quote ends a string rather than beginning one, judged by the text after it.
pub(super) fn closes_string(text: &[u8], quote: usize) -> bool {
    text.get(quote + 1).is_none_or(|next| b" )],}.:;+%&\n\r\t".contains(next))
}

/// The position after adjacent strings, which count as one: `'it''s'`, `'a' 'b'`, `'''a'''`.
fn strings_end(text: &[u8], quote: usize, level: usize) -> usize {
    let mark = text[quote];
    let mut end = string_end(text, quote, level);
    if level > 0 {
        return end;
    }
    loop {
        let next = end + usize::from(text.get(end) == Some(&b' '));
        if text.get(next) != Some(&mark) || text[end - 1] != mark {
            return end;
        }
        end = string_end(text, next, 0);
    }
}

/// The position after the quote that closes the string opened here.
fn string_end(text: &[u8], quote: usize, level: usize) -> usize {
    let mark = text[quote];
    let mut at = quote + 1;
    let mut slashes = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match byte {
            b'\\' => slashes += 1,
            byte => {
                let closes = if level == 0 { slashes % 2 == 0 } else { slashes <= level };
                if byte == mark && closes {
                    // With fewer backslashes the string around it ends here and keeps its quote.
                    return if slashes < level { at - 1 - slashes } else { at };
                }
                slashes = 0;
            }
        }
    }
    text.len()
}

/// The position after the bracket that closes this one; strings in it are skipped.
fn bracket_end(text: &[u8], open: usize, context: Context) -> usize {
    let angle = text[open] == b'<';
    let mut depth = 0usize;
    let mut at = open;
    while let Some(&byte) = text.get(at) {
        match byte {
            b'\'' | b'"' => {
                let slashes = text[..at].iter().rev().take(DEEPEST + 1);
                let slashes = slashes.take_while(|byte| **byte == b'\\').count();
                if slashes < context.level || context.opened == Some(byte) && slashes == 0 {
                    return at - slashes;
                }
                // An apostrophe within a word does not open a string.
                let in_word = byte == b'\''
                    && at > open
                    && text[at - 1].is_ascii_alphabetic()
                    && !string_prefix(text, at);
                if !in_word {
                    at = string_end(text, at, slashes);
                    continue;
                }
            }
            b'(' | b'[' | b'{' => depth += 1,
            b'<' if angle => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            b'>' if angle => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Whether the letter before this quote is a string prefix, as in `b'…'`.
fn string_prefix(text: &[u8], quote: usize) -> bool {
    matches!(text[quote - 1], b'b' | b'r' | b'u' | b'f')
        && !text.get(quote.wrapping_sub(2)).is_some_and(u8::is_ascii_alphanumeric)
}

/// A word, a number, a call such as `Secret('x')`, or `Bearer x`.
fn word_end(text: &[u8], start: usize, context: Context) -> usize {
    let mut at = start;
    loop {
        at += text[at..].iter().position(|byte| WORD_END.has(*byte)).unwrap_or(text.len() - at);
        let Some(&byte) = text.get(at) else { return at };
        match byte {
            b' ' if is_scheme(&text[start..at]) && at + 1 < text.len() => {
                return word_end(text, at + 1, context);
            }
            b'(' | b'[' | b'{' if !context.query => {
                at = bracket_end(text, at, context);
                continue;
            }
            b'<' if at == start => return bracket_end(text, at, context),
            b'\\' => match text.get(at + 1) {
                Some(b'n' | b'r' | b't' | b'\'' | b'"' | b'\\') | None => return at,
                Some(_) => {}
            },
            b',' | b';' if context.query => {}
            b',' | b';' if !separates(text, at + 1) => {}
            b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' if context.query => {}
            _ => return at,
        }
        at += 1;
    }
}

fn is_scheme(word: &[u8]) -> bool {
    [b"bearer" as &[u8], b"basic", b"token", b"digest", b"negotiate", b"apikey"]
        .iter()
        .any(|scheme| scheme.eq_ignore_ascii_case(word))
}

/// Whether the text after a comma is something new, rather than the rest of a password with a
/// comma.
fn separates(text: &[u8], from: usize) -> bool {
    let rest = &text[from..];
    let name = rest.iter().take(64).take_while(|byte| super::bytes::DOTTED.has(**byte)).count();
    match rest.get(name) {
        None => name == 0,
        Some(b'=' | b':') => name > 0,
        Some(byte) => {
            name == 0 && (byte.is_ascii_whitespace() || matches!(byte, b'\'' | b'"' | b'\\'))
        }
    }
}

/// The end of a header's line, raw or escaped, or of the string that holds only the header.
fn line_end(text: &[u8], start: usize, context: Context) -> usize {
    let mut slashes = 0;
    for (at, &byte) in text.iter().enumerate().skip(start) {
        match byte {
            b'\\' => slashes += 1,
            b'\r' | b'\n' => return at - slashes,
            b'r' | b'n' if slashes > context.level || slashes > 0 && slashes % 2 == 1 => {
                return at - slashes;
            }
            quote if context.opened == Some(quote) && slashes <= context.level => {
                return at - slashes;
            }
            _ => slashes = 0,
        }
    }
    text.len()
}
