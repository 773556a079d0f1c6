//! A text without its escapes: a secret also counts in a query within a query, in JSON escaped by a
//! page, and in XML within JSON. Quotes with backslashes stay, because the other rules handle them.

use std::ops::Range;

use memchr::memchr3;

/// How many layers of encoding are read.
pub(super) const LAYERS: usize = 4;
/// The longest reference to a character, without its ampersand.
const LONGEST_REFERENCE: usize = 8;

/// A text with one layer of escapes removed.
pub(super) struct Decoded {
    pub(super) text: String,
    /// The position of each byte, and of the end, in the original text.
    places: Vec<u32>,
}

impl Decoded {
    /// `None` when it would read the same; some escapes only matter near names of secrets.
    pub(super) fn of(text: &str, with_names: bool) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(offset) = memchr3(b'%', b'&', b'\\', &bytes[at..]) {
            at += offset;
            at = match decode(bytes, at) {
                Some(escape) if escape.matters(bytes, at, with_names) => {
                    return u32::try_from(text.len()).is_ok().then(|| Self::whole(text));
                }
                Some(escape) => escape.end,
                None => behind(bytes, at),
            };
        }
        None
    }

    fn whole(text: &str) -> Self {
        let bytes = text.as_bytes();
        let mut decoded = Self {
            text: String::with_capacity(text.len()),
            places: Vec::with_capacity(text.len() + 1),
        };
        let mut at = 0;
        while let Some(offset) = memchr3(b'%', b'&', b'\\', &bytes[at..]) {
            decoded.keep(text, at..at + offset);
            at += offset;
            match decode(bytes, at) {
                Some(Escape { kept, byte, end }) => {
                    decoded.keep(text, at..at + kept);
                    decoded.text.push(char::from(byte));
                    decoded.places.push((at + kept) as u32);
                    at = end;
                }
                None => {
                    let end = behind(bytes, at);
                    decoded.keep(text, at..end);
                    at = end;
                }
            }
        }
        decoded.keep(text, at..text.len());
        decoded.places.push(text.len() as u32);
        decoded
    }

    fn keep(&mut self, text: &str, range: Range<usize>) {
        self.places.extend(range.clone().map(|at| at as u32));
        self.text.push_str(&text[range]);
    }

    /// The position of this part in the original text.
    pub(super) fn place(&self, part: &Range<usize>) -> Range<usize> {
        self.places[part.start] as usize..self.places[part.end] as usize
    }
}

/// Where to continue after something that is not an escape: backslashes are counted once.
fn behind(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|byte| **byte == b'\\').count().max(1)
}

/// An escape: a number of backslashes to keep, then the byte it stands for.
struct Escape {
    kept: usize,
    byte: u8,
    end: usize,
}

impl Escape {
    /// Whether decoding it may change the meaning of the text.
    fn matters(&self, text: &[u8], at: usize, with_names: bool) -> bool {
        match self.byte {
            b'"' | b'\'' | b'=' | b':' | b'<' | b'>' | b'@' | b'&' | b'%' | b'\\' => true,
            b' ' | b'(' => with_names,
            // A value on the next line.
            b'\n' | b'\r' => {
                let blanks = text[..at].iter().rev().take(8).take_while(|byte| **byte == b' ');
                with_names
                    && matches!(
                        text[..at - blanks.count()],
                        [.., b':'] | [.., b' ', b'|' | b'>'] | [.., b'|' | b'>', b'-' | b'+']
                    )
            }
            _ => false,
        }
    }
}

/// The escape that begins here, if it stands for a written ASCII character.
fn decode(text: &[u8], at: usize) -> Option<Escape> {
    let (kept, byte, end) = match text[at] {
        b'%' => (0, hex(text, at + 1, 2)?, at + 3),
        b'&' => {
            let (byte, end) = reference(text, at + 1)?;
            (0, byte, end)
        }
        _ => return backslashes(text, at),
    };
    is_written(byte).then_some(Escape { kept, byte, end })
}

fn is_written(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t')
}

/// `\u0022`, `\x22`, `\/`, `\n`, with any number of backslashes.
fn backslashes(text: &[u8], at: usize) -> Option<Escape> {
    let slashes = text[at..].iter().take_while(|byte| **byte == b'\\').count();
    let letter = at + slashes;
    let (byte, end) = match text.get(letter)? {
        b'u' => (hex(text, letter + 1, 4)?, letter + 5),
        b'x' => (hex(text, letter + 1, 2)?, letter + 3),
        b'n' => (b'\n', letter + 1),
        b'r' => (b'\r', letter + 1),
        b't' => (b'\t', letter + 1),
        b'/' => (b'/', letter + 1),
        _ => return None,
    };
    let is_character = matches!(text[letter], b'u' | b'x');
    // As with a quote, the backslashes before a character show how deep it is nested.
    let kept = if is_character { slashes - 1 } else { 0 };
    is_written(byte).then_some(Escape { kept, byte, end })
}

/// The given number of hexadecimal digits, if they form an ASCII character.
fn hex(text: &[u8], from: usize, digits: usize) -> Option<u8> {
    let digits = std::str::from_utf8(text.get(from..from + digits)?).ok()?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex)?;
    u8::try_from(number).ok().filter(u8::is_ascii)
}

/// The character that `quot;` or `#34;` stands for, and where the reference ends.
fn reference(text: &[u8], from: usize) -> Option<(u8, usize)> {
    let near = &text[from..text.len().min(from + LONGEST_REFERENCE)];
    let length = memchr::memchr(b';', near)?;
    let name = std::str::from_utf8(&near[..length]).ok()?;
    let byte = match name {
        "quot" | "QUOT" => b'"',
        "apos" => b'\'',
        "lt" | "LT" => b'<',
        "gt" | "GT" => b'>',
        "amp" | "AMP" => b'&',
        "equals" => b'=',
        "colon" => b':',
        "sol" => b'/',
        "num" => b'#',
        "nbsp" => b' ',
        name => {
            let number = name.strip_prefix('#')?;
            let number = match number.strip_prefix(['x', 'X']) {
                Some(number) => u32::from_str_radix(number, 16),
                None => number.parse(),
            };
            u8::try_from(number.ok()?).ok()?
        }
    };
    Some((byte, from + length + 1))
}
