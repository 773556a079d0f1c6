//! Reads JSON as real programs write it: with lone surrogates, `NaN`, control characters, bytes that
//! are not UTF-8, and any depth. What cannot be kept is replaced, and the rest stays.
use serde_json::Value;

use crate::DecodeError;

/// Values deeper than this become null: nobody reads them.
const DEEPEST: usize = 64;

/// Reads a document.
///
/// # Errors
/// It is not JSON even so, such as one that is cut off.
pub fn read_json(bytes: &[u8]) -> Result<Value, DecodeError> {
    // Nearly every document is fine as it is.
    serde_json::from_slice(bytes)
        .or_else(|_| serde_json::from_str(&Repair::of(bytes)))
        .map_err(|error| DecodeError::new("JSON", error))
}

/// How many values a document has at most, without reading it.
pub fn nodes(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| matches!(byte, b',' | b':' | b'[' | b'{')).count() + 1
}

/// A pass over a document that writes it so that it can be read.
struct Repair<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    written: String,
    depth: usize,
}

impl Repair<'_> {
    fn of(bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}');
        let (rest, written) = (text.chars().peekable(), String::with_capacity(text.len()));
        let mut repair = Repair { rest, written, depth: 0 };
        while let Some(c) = repair.rest.next() {
            repair.outside(c);
        }
        repair.written
    }

    /// A character outside of strings.
    fn outside(&mut self, c: char) {
        match c {
            '"' => self.string(),
            '{' | '[' => {
                self.depth += 1;
                if self.depth > DEEPEST {
                    self.skip();
                    self.written.push_str("null");
                } else {
                    self.written.push(c);
                }
            }
            '}' | ']' => {
                self.depth = self.depth.saturating_sub(1);
                self.written.push(c);
            }
            '-' | '0'..='9' | 'I' | 'N' => self.number(c),
            c => self.written.push(c),
        }
    }

    /// Leaves out the rest of a value that is too deep.
    fn skip(&mut self) {
        let within = self.depth - 1;
        let kept = self.written.len();
        while let Some(c) = self.rest.next() {
            match c {
                '"' => self.string(),
                '{' | '[' => self.depth += 1,
                '}' | ']' => self.depth -= 1,
                _ => {}
            }
            if self.depth == within {
                break;
            }
            self.written.truncate(kept);
        }
        self.written.truncate(kept);
    }

    /// A number, or what some programs write in its place.
    fn number(&mut self, first: char) {
        let mut token = String::from(first);
        while let Some(c) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || "+-.".contains(*c)) {
            token.push(c);
        }
        let is_finite = token.parse::<f64>().is_ok_and(f64::is_finite);
        self.written.push_str(if is_finite { &token } else { "null" });
    }

    /// A string, after its opening quote.
    fn string(&mut self) {
        self.written.push('"');
        while let Some(c) = self.rest.next() {
            match c {
                '"' => {
                    self.written.push('"');
                    return;
                }
                '\\' => self.escape(),
                c if c.is_control() && c.is_ascii() => {
                    self.written.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                c => self.written.push(c),
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) {
        match self.rest.next() {
            Some('u') => self.code_unit(),
            Some(c) if "\"\\/bfnrt".contains(c) => self.written.extend(['\\', c]),
            // Not an escape of JSON: the backslash was meant.
            Some(c) => self.written.extend(['\\', '\\', c]),
            None => {}
        }
    }

    /// A character as one or two UTF-16 code units.
    fn code_unit(&mut self) {
        let Some(unit) = self.digits() else {
            self.written.push('\u{fffd}');
            return;
        };
        let mut next = self.rest.clone();
        let c = match unit {
            0xd800..=0xdbff if next.next() == Some('\\') && next.next() == Some('u') => {
                let before = std::mem::replace(&mut self.rest, next);
                match self.digits() {
                    Some(low @ 0xdc00..=0xdfff) => {
                        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00))
                    }
                    _ => {
                        self.rest = before;
                        None
                    }
                }
            }
            unit => char::from_u32(unit),
        };
        match c.unwrap_or('\u{fffd}') {
            '"' => self.written.push_str("\\\""),
            '\\' => self.written.push_str("\\\\"),
            c if c.is_control() && c.is_ascii() => {
                self.written.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => self.written.push(c),
        }
    }

    /// Four hexadecimal digits.
    fn digits(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.rest.next_if(char::is_ascii_hexdigit)?;
            unit = unit * 16 + digit.to_digit(16)?;
        }
        Some(unit)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_programs_write_is_read() {
        for (text, expected) in [
            (r#"{"a": 1.5}"#, json!({"a": 1.5})),
            ("\u{feff}[1]", json!([1])),
            (r#"["\ud800", "\udc00x", "\ud83d\ude00"]"#, json!(["\u{fffd}", "\u{fffd}x", "😀"])),
            (r#"["\ud800\u0041", "\ud800\n"]"#, json!(["\u{fffd}A", "\u{fffd}\n"])),
            (r#"["\\ud800", NaN]"#, json!(["\\ud800", null])),
            (r#"{"\ud800": NaN}"#, json!({"\u{fffd}": null})),
            ("[NaN, Infinity, -Infinity, 1e999, -0.5e3]", json!([null, null, null, null, -500.0])),
            ("[\"a\nb\tc\", NaN]", json!(["a\nb\tc", null])),
            (r#"["\q", "\u12"]"#, json!(["\\q", "\u{fffd}"])),
            (r#"["\u0022\u005c", NaN]"#, json!(["\"\\", null])),
            (r#"{"a": 1, "a": 2}"#, json!({"a": 2})),
        ] {
            assert_eq!(read_json(text.as_bytes()).expect(text), expected, "{text}");
        }
        assert_eq!(read_json(b"[\"gr\xfc\"]").expect("Latin-1"), json!(["gr\u{fffd}"]));
    }

    #[test]
    fn depth_is_bounded_and_what_follows_stays() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let inner = "{\"x\": [\"]}\\\"\"]}";
            let text = format!(
                "{{\"deep\": {}{inner}{}, \"after\": [1]}}",
                open.repeat(10_000),
                close.repeat(10_000)
            );
            let read = read_json(text.as_bytes()).expect("it is read");
            assert_eq!(read["after"], json!([1]));
            assert!(read["deep"].is_object() || read["deep"].is_array());
        }
        let fine = format!("{}1{}", "[".repeat(100), "]".repeat(100));
        assert!(read_json(fine.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "[1", "\"a", "{\"a\"}", "nothing", &deep, "\"\\", "\"\\u"] {
            assert!(read_json(text.as_bytes()).is_err(), "{text:.20}");
        }
    }
}
