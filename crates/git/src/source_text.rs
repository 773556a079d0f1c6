//! The text of a source file in any encoding: UTF-8 with or without a byte order mark, or the one
//! named by a coding line in its first two lines.
use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Decodes a file, without its byte order mark. Bytes that cannot be decoded become U+FFFD.
pub fn source_text(content: &[u8]) -> Cow<'_, str> {
    decode(content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content), content)
}

/// Line `line` (from 1) of a file, as text and without its end; `None` when it does not exist.
pub(crate) fn line_of(content: &[u8], line: u32) -> Option<String> {
    let lines = content.strip_suffix(b"\n").unwrap_or(content).split(|byte| *byte == b'\n');
    let bytes = lines.skip(line.checked_sub(1)? as usize).take(1).next()?;
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    (!content.is_empty()).then(|| decode(bytes, content).into_owned())
}

/// Converts the line number `line` (from 1) of an interpreter to git's: Python, Ruby and JavaScript
/// end a line at a lone carriage return, git does not.
pub(crate) fn line_in_git(content: &[u8], line: u32) -> u32 {
    let (mut here, mut in_git) = (1, 1);
    for (at, byte) in content.iter().enumerate() {
        if here >= line {
            break;
        }
        match byte {
            b'\n' => (here, in_git) = (here + 1, in_git + 1),
            b'\r' if content.get(at + 1) != Some(&b'\n') => here += 1,
            _ => {}
        }
    }
    // A line beyond the end remains beyond the end.
    in_git + (line - here.min(line))
}

fn decode<'a>(bytes: &'a [u8], file: &[u8]) -> Cow<'a, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => match declared_encoding(file) {
            Some(encoding) => encoding.decode_without_bom_handling(bytes).0,
            None => String::from_utf8_lossy(bytes),
        },
    }
}

/// The encoding named by a comment in the first two lines: `# -*- coding: latin-1 -*-`, `#
/// encoding: gbk`.
fn declared_encoding(file: &[u8]) -> Option<&'static Encoding> {
    let mut lines = file.split(|byte| *byte == b'\n').take(2);
    let label = lines.find_map(|line| {
        // A coding line is short, and so is the part before the name.
        let line = String::from_utf8_lossy(&line[..line.len().min(200)]).into_owned();
        let (before, after) = line.split_once("coding")?;
        let name = after.strip_prefix([':', '='])?.trim_start();
        let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        before.contains(['#', '/', ';']).then(|| name[..end.unwrap_or(name.len())].to_owned())
    })?;
    let label = label.to_ascii_lowercase().replace('_', "-");
    let label = match label.as_str() {
        "latin-1" | "latin1-unix" | "iso-latin-1" | "iso-8859-1-unix" => "iso-8859-1",
        "latin-15" => "iso-8859-15",
        "cp932" | "ms932" | "mskanji" => "shift_jis",
        "cp936" => "gbk",
        "cp949" => "euc-kr",
        "cp950" => "big5",
        other => other,
    };
    Encoding::for_label(label.as_bytes()).filter(|encoding| *encoding != UTF_8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoding_comes_from_a_coding_line_or_byte_order_mark() {
        for (content, expected) in [
            (&b"x = 1\n"[..], "x = 1\n"),
            (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
            (b"# -*- coding: latin-1 -*-\ns = 'Gr\xfc\xdfe'\n", "s = 'Gr\u{fc}\u{df}e'\n"),
            (b"#!/bin/x\n# vim: set fileencoding=cp1252 :\ns = '\x80'\n", "s = '\u{20ac}'\n"),
            (b"# encoding: shift_jis\ns = '\x95\x5c'\n", "s = '\u{8868}'\n"),
            (b"s = 'Gr\xfc\xdfe'\n", "s = 'Gr\u{fffd}\u{fffd}e'\n"),
            (b"x\ny\n# coding: latin-1\ns = '\xfc'\n", "s = '\u{fffd}'\n"),
            (b"# coding: no-such\ns = '\xfc'\n", "s = '\u{fffd}'\n"),
            (b"s = coding: latin-1\n'\xfc'\n", "'\u{fffd}'\n"),
        ] {
            let text = source_text(content);
            assert!(text.ends_with(expected), "{text:?}");
            let last = u32::try_from(text.lines().count()).expect("few");
            assert_eq!(line_of(content, last).as_deref(), expected.strip_suffix('\n'));
        }
    }

    #[test]
    fn lines_are_counted_from_one_and_end_where_the_file_ends() {
        assert_eq!(line_of(b"a\nb", 2).as_deref(), Some("b"));
        assert_eq!(line_of(b"a\nb\n", 3), None);
        assert_eq!(line_of(b"a\n", 0), None);
        assert_eq!(line_of(b"", 1), None);
        assert_eq!(line_of(b"\n", 1).as_deref(), Some(""));
    }

    #[test]
    fn lone_carriage_return_ends_a_line_for_interpreters_only() {
        let content = b"# one\r# two\r\ndef half(n):\n    return n\r\rx = 1\n";
        for (line, in_git) in
            [(1, 1), (2, 1), (3, 2), (4, 3), (5, 3), (6, 3), (7, 4), (9, 6), (0, 1)]
        {
            assert_eq!(line_in_git(content, line), in_git, "{line}");
        }
        assert_eq!(line_in_git(b"a\nb\n", 2), 2);
    }
}
