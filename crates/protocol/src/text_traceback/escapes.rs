//! How line breaks and quotes are escaped in logs, and how to undo that.

use std::borrow::Cow;

/// A way of escaping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Escapes {
    /// `\n`, `\"`, `\u0022`: JSON, `key="value"`, Python's `repr`.
    Backslash,
    /// `#012`: syslog daemons, for control characters.
    Octal,
    /// `%0A`, `%22`: URLs and forms.
    Percent,
}

impl Escapes {
    /// How a traceback in `text` is escaped, if it is.
    pub(super) fn of(text: &str) -> Option<Self> {
        if !text.contains("File") && !text.contains("Traceback") {
            return has_escaped_frame(text).then_some(Self::Backslash);
        }
        if text.contains("#012") {
            Some(Self::Octal)
        } else if text.contains("File%20%22") || text.contains("File+%22") {
            Some(Self::Percent)
        } else if has_escaped_traceback(text) {
            Some(Self::Backslash)
        } else {
            None
        }
    }

    /// `text` without one layer of escapes. Anything else is left unchanged.
    pub(super) fn decode(self, text: &str) -> String {
        let mark = match self {
            Self::Backslash => '\\',
            Self::Octal => '#',
            Self::Percent => '%',
        };
        let mut bytes = Vec::with_capacity(text.len());
        let is_form = self == Self::Percent && !text.contains(' ');
        let text = if is_form { Cow::from(text.replace('+', " ")) } else { text.into() };
        let mut rest = &*text;
        while let Some(at) = rest.find(mark) {
            bytes.extend_from_slice(&rest.as_bytes()[..at]);
            let after = &rest[at + 1..];
            let length = match self {
                Self::Backslash => backslash(after, &mut bytes),
                Self::Octal => octal(after, &mut bytes),
                Self::Percent => percent(after, &mut bytes),
            };
            if length == 0 {
                bytes.push(mark as u8);
            }
            rest = &after[length..];
        }
        bytes.extend_from_slice(rest.as_bytes());
        match String::from_utf8(bytes) {
            Ok(decoded) => decoded,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }
}

/// Whether `text` holds a header or a frame whose line break or quotes are escaped by backslashes.
pub(super) fn has_escaped_traceback(text: &str) -> bool {
    let header = "(most recent call last):";
    let is_break = |rest: &str| {
        let rest = rest.strip_prefix('\\').map(|rest| rest.trim_start_matches('\\'));
        rest.is_some_and(|rest| {
            rest.starts_with('n') || rest.starts_with("u000a") || rest.starts_with("r\\")
        })
    };
    let after_header = |(at, _)| is_break(&text[at + header.len()..]);
    let around_file = |(at, found): (usize, &str)| {
        let before = text[..at].trim_end_matches([' ', '|', '>', '+', '\t']);
        let after = text[at + found.len()..].trim_start_matches(' ');
        let quote = after.strip_prefix('\\').map(|rest| rest.trim_start_matches('\\'));
        quote.is_some_and(|rest| rest.starts_with(['"', '\'']) || rest.starts_with("u0022"))
            || (after.starts_with(['"', '\''])
                && (before.ends_with("\\n") || before.ends_with("\\t")))
    };
    has_escaped_frame(text)
        || text.contains('\\')
            && (text.match_indices(header).any(after_header)
                || text.match_indices("File").any(around_file))
}

/// Whether `text` holds a frame of another language behind an escaped line break.
pub(super) fn has_escaped_frame(text: &str) -> bool {
    const FRAMES: [&str; 7] = ["at ", "\\tat ", "\\tfrom ", "from ", "#0 ", "\\t/", "goroutine "];
    let is_frame = |(at, found): (usize, &str)| {
        let rest = text[at + found.len()..].trim_start_matches(' ');
        FRAMES.iter().any(|frame| rest.starts_with(frame))
    };
    text.contains('\\') && text.match_indices("\\n").any(is_frame)
}

/// Decodes the escape after a backslash. Returns its length in bytes, 0 if it is not an escape.
fn backslash(after: &str, to: &mut Vec<u8>) -> usize {
    let simple = match after.as_bytes().first() {
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(quote @ (b'"' | b'\'' | b'\\' | b'/')) => *quote,
        Some(b'x') => return code(after, 2, to),
        Some(b'u') => return code(after, 4, to),
        Some(b'U') => return code(after, 8, to),
        Some(b'0'..=b'3') => return octal(after, to),
        _ => return 0,
    };
    to.push(simple);
    1
}

/// `x1b`, `u001b`, also two of them that make one character.
fn code(after: &str, digits: usize, to: &mut Vec<u8>) -> usize {
    let number = |text: &str| {
        let digits = text.get(1..=digits)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hex.then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let Some(first) = number(after) else { return 0 };
    // Several escaped bytes may form one character.
    if digits == 2
        && let Ok(byte) = u8::try_from(first)
    {
        to.push(byte);
        return 3;
    }
    let mut length = 1 + digits;
    let mut character = char::from_u32(first);
    if (0xd800..0xdc00).contains(&first)
        && let Some(low) = after[length..].strip_prefix('\\')
        && low.starts_with('u')
        && let Some(second @ 0xdc00..0xe000) = number(low)
    {
        character = char::from_u32(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        length += 2 + digits;
    }
    let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
    to.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    length
}

/// `012`: only control characters are escaped this way.
fn octal(after: &str, to: &mut Vec<u8>) -> usize {
    let digits = after.get(..3).filter(|digits| digits.bytes().all(|d| (b'0'..=b'7').contains(&d)));
    match digits.and_then(|digits| u8::from_str_radix(digits, 8).ok()) {
        Some(control) if control < 0x20 => to.push(control),
        _ => return 0,
    }
    3
}

fn percent(after: &str, to: &mut Vec<u8>) -> usize {
    let digits = after.get(..2).filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()));
    match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
        Some(byte) => to.push(byte),
        None => return 0,
    }
    2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_layer_of_escapes_is_removed() {
        for (escapes, text, expected) in [
            (
                Escapes::Backslash,
                r#"a\n\tb\"c\\n\u00e9\ud83d\ude00\x41\/\q\033"#,
                "a\n\tb\"c\\né😀A/\\q\u{1b}",
            ),
            (Escapes::Backslash, r"\ud83dx\u12\xc3\xbc\xe9", "\u{fffd}x\\u12ü\u{fffd}"),
            (Escapes::Octal, "a#012b#033#134#1", "a\nb\u{1b}#134#1"),
            (Escapes::Percent, "a%0Ab+%22%C3%A9%x", "a\nb \"é%x"),
        ] {
            assert_eq!(escapes.decode(text), expected, "{text}");
        }
    }
}
