//! A generated file, such as a minified one: where its map is, and what it defines.
use std::sync::Arc;

use base64::prelude::{BASE64_STANDARD, Engine};

/// The text of a generated file, in which places can be looked at.
#[derive(Debug)]
pub struct Generated {
    text: Arc<str>,
    /// Where each line begins.
    lines: Vec<usize>,
    /// In a text that is not ASCII: for every [`STEP`]th character of each line, from its start, the
    /// column in UTF-16 and the place in the text.
    steps: Vec<(u32, u32, usize)>,
}

const STEP: usize = 512;

impl Generated {
    /// Looks at a text once.
    pub fn new(text: Arc<str>) -> Self {
        let ends = memchr::memchr_iter(b'\n', text.as_bytes()).map(|end| end + 1);
        let lines: Vec<usize> = std::iter::once(0).chain(ends).collect();
        let mut steps = Vec::new();
        if !text.is_ascii() {
            let (mut line, mut column, mut in_line) = (0, 0, 0);
            for (at, c) in text.char_indices() {
                if in_line % STEP == 0 {
                    steps.push((line, column, at));
                }
                column += if c.len_utf16() == 2 { 2 } else { 1 };
                in_line += 1;
                if c == '\n' {
                    (line, column, in_line) = (line + 1, 0, 0);
                }
            }
        }
        Self { text, lines, steps }
    }

    /// Bytes that it takes in memory.
    pub fn memory(&self) -> usize {
        self.text.len() + self.lines.len() * 8 + self.steps.len() * 16
    }

    /// The place of a line and a column, both from 0, in the text.
    fn place(&self, line: u32, column: u32) -> Option<usize> {
        let start = *self.lines.get(line as usize)?;
        if self.steps.is_empty() {
            return Some(start + column as usize);
        }
        let after = self.steps.partition_point(|(of, from, _)| (*of, *from) <= (line, column));
        let (of, from, mut place) = *self.steps.get(after.checked_sub(1)?)?;
        if of != line {
            return None;
        }
        let mut left = (column - from) as usize;
        for c in self.text[place..].chars() {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(c.len_utf16());
            place += c.len_utf8();
        }
        Some(place)
    }

    /// Whether a function with this name is defined at a line and a column, both from 0.
    pub(super) fn defines(&self, name: &str, line: u32, column: u32) -> bool {
        let parts = || {
            let place = self.place(line, column)?;
            let rest = self.text.get(place..)?.strip_prefix(name)?;
            Some((self.text.get(..place)?, rest))
        };
        let Some((before, rest)) = parts() else { return false };
        if name.is_empty() || rest.starts_with(is_identifier) {
            return false;
        }
        let before = before.trim_end_matches([' ', '*']);
        let is_declared = ["function", "class"].iter().any(|word| before.ends_with(word));
        let rest = rest.trim_start();
        let is_assigned =
            rest.starts_with(':') || (rest.starts_with('=') && !rest.starts_with("=="));
        is_declared || is_assigned
    }
}

fn is_identifier(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}

/// Bytes at the end of a file in which its comments are looked for.
const END: usize = 4 * 1024;

/// Where a generated file says its map is: the last `sourceMappingURL` that begins a comment.
pub fn map_reference(text: &str) -> Option<&str> {
    let comments = ["//# sourceMappingURL=", "//@ sourceMappingURL=", "/*# sourceMappingURL="];
    let at =
        comments.iter().filter_map(|comment| Some((text.rfind(comment)?, comment.len()))).max()?;
    let url = text[at.0 + at.1..].split([' ', '\t', '\r', '\n', '*', '"', '\'']).next()?;
    (!url.is_empty()).then_some(url)
}

/// The map that stands in a `data:` URL.
pub fn inline_map(url: &str) -> Option<Vec<u8>> {
    let (kind, data) = url.strip_prefix("data:")?.split_once(',')?;
    let is_base64 = kind.split(';').any(|part| part.eq_ignore_ascii_case("base64"));
    is_base64.then(|| BASE64_STANDARD.decode(data).ok()).flatten()
}

/// The debug id that a comment at the end of a generated file names.
pub fn debug_id_in(text: &str) -> Option<&str> {
    let mut from = text.len().saturating_sub(END);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let comment = "//# debugId=";
    let end = &text[from..];
    end[end.rfind(comment)? + comment.len()..].split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_told_from_uses() {
        let defines = |text: &str, at: u32| Generated::new(text.into()).defines("r", 0, at);
        for (text, at) in [
            ("function r(t){}", 9),
            ("async function*r(t){}", 15),
            ("class r{}", 6),
            ("const r=t=>1", 6),
            ("a={r:function(){}}", 3),
            ("var r = function(){}", 4),
        ] {
            assert!(defines(text, at), "{text}");
        }
        for (text, at) in [
            ("r(t)", 0),
            ("function rest(){}", 9),
            ("r==t", 0),
            ("x=r;", 2),
            ("r", 0),
            ("", 0),
            ("r=1", 700),
        ] {
            assert!(!defines(text, at), "{text}");
        }
    }

    #[test]
    fn columns_count_as_javascript_counts() {
        let long = "é🦀".repeat(2_000);
        let text = format!("var a=\"{long}\";function r(t){{}}\n/* ö */ function r(){{}}");
        let generated = Generated::new(text.as_str().into());
        let column = 7 + 2_000 * 3 + 2 + 9;
        assert!(generated.defines("r", 0, column));
        assert!(!generated.defines("r", 0, column + 1));
        assert!(generated.defines("r", 1, 17));
        assert!(!generated.defines("r", 2, 0));
        assert!(!generated.defines("r", 1, u32::MAX));
    }

    #[test]
    fn comments_of_a_file_are_read() {
        for (text, expected) in [
            ("a();\n//# sourceMappingURL=a.js.map\n\n//# debugId=10a2\n", Some("a.js.map")),
            ("//# sourceMappingURL=old.map\n//@ sourceMappingURL=b.map", Some("b.map")),
            ("a{}/*# sourceMappingURL=a.css.map */", Some("a.css.map")),
            ("//# sourceMappingURL=\n", None),
            ("a()", None),
        ] {
            assert_eq!(map_reference(text), expected, "{text}");
        }
        for (url, expected) in [
            ("data:application/json;charset=utf-8;base64,e30=", Some(&b"{}"[..])),
            ("data:application/json,{}", None),
            ("data:application/json;base64,e", None),
            ("app.js.map", None),
        ] {
            assert_eq!(inline_map(url).as_deref(), expected, "{url}");
        }
        assert_eq!(debug_id_in("a();\n//# debugId=10a2\r\n"), Some("10a2"));
        assert_eq!(debug_id_in(&format!("//# debugId=10a2\n{}", "ö".repeat(3_000))), None);
        assert_eq!(debug_id_in("//# debugId="), None);
    }
}
