//! The text of a frame, to be compared with lines of files. Clients redact secrets in it, so a part
//! of it may match any text; they cut it; and it may have been decoded differently than the file.
use std::borrow::Cow;
use std::fmt;

use encoding_rs::WINDOWS_1252;

use crate::text::fold_white_space;

/// What clients write in place of a secret.
pub const REDACTED: &str = "**scrubbed**";

/// Shorter texts (`return x`, `else:`, `main()`) are in any file and prove nothing.
const MIN_TELLING: usize = 9;
/// The ends that clients and the server give a text that they cut, and the minimum length of such a
/// text: a shorter one ends like this by itself.
const CUT: [&str; 2] = ["…", "..."];
const MIN_CUT: usize = 200;

/// The text of a frame, white space folded; a redacted part matches any text, and a cut matches any
/// end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedText<'a> {
    folded: Cow<'a, str>,
    is_redacted: bool,
    /// The text without the mark of a cut, if it may have been cut.
    start: Option<String>,
}

impl<'a> QuotedText<'a> {
    /// Takes the text as a frame contains it.
    pub fn of(text: &'a str) -> Self {
        let folded = fold_white_space(text);
        let start = CUT.iter().find_map(|mark| folded.strip_suffix(mark));
        let start =
            start.filter(|start| start.len() >= MIN_CUT).map(|start| start.trim_end().to_owned());
        Self { is_redacted: text.contains(REDACTED), start, folded }
    }

    /// Whether a part of it was redacted.
    pub fn is_redacted(&self) -> bool {
        self.is_redacted
    }

    /// Whether there is nothing to compare: no text, or only redacted parts and marks around them.
    pub fn is_blank(&self) -> bool {
        let says = |piece: &str| piece.contains(char::is_alphanumeric);
        self.folded.is_empty() || (self.is_redacted && !self.pieces().any(says))
    }

    /// Whether few lines have this text, so that it is evidence by itself.
    pub fn is_informative(&self) -> bool {
        self.pieces().map(|piece| piece.trim().len()).sum::<usize>() >= MIN_TELLING
    }

    /// Whether the rest of a redacted text is too short to identify a line; of a complete text the
    /// whole line has to agree.
    pub fn is_vague(&self) -> bool {
        self.is_blank() || (self.is_redacted && !self.is_informative())
    }

    /// Whether a line of a file agrees with it.
    pub fn reads(&self, line: &str) -> bool {
        self.reads_folded(&fold_white_space(line))
    }

    /// The same for a line whose white space is folded already.
    pub(crate) fn reads_folded(&self, line: &str) -> bool {
        agrees(&self.folded, line, false)
            || self.start.as_ref().is_some_and(|start| agrees(start, line, true))
    }

    /// Whether it only matches equal lines: otherwise each line has to be compared.
    pub(crate) fn is_plain(&self) -> bool {
        !self.is_redacted && self.start.is_none() && self.folded.is_ascii()
    }

    /// The parts around the redacted ones.
    fn pieces(&self) -> std::vec::IntoIter<&str> {
        self.folded.split(REDACTED).collect::<Vec<_>>().into_iter()
    }

    /// The text with white space folded, as it is compared.
    pub fn as_str(&self) -> &str {
        &self.folded
    }
}

/// Whether a quoted text agrees with a line, one of them perhaps decoded with a wrong encoding.
fn agrees(quoted: &str, line: &str, is_cut: bool) -> bool {
    if matches(quoted, line, is_cut) {
        return true;
    }
    if quoted.is_ascii() || line.is_ascii() {
        return false;
    }
    if is_misread(quoted) || is_misread(line) {
        return matches(&loosened(quoted), &loosened(line), is_cut);
    }
    // UTF-8 that was decoded as a single-byte encoding.
    let reread = |text: &str| -> Option<String> {
        let (bytes, _, had_errors) = WINDOWS_1252.encode(text);
        String::from_utf8(bytes.into_owned()).ok().filter(|_| !had_errors)
    };
    reread(quoted).is_some_and(|quoted| matches(&quoted, line, is_cut))
        || reread(line).is_some_and(|line| matches(quoted, &line, is_cut))
}

/// Whether a line agrees with `quoted`, in which redacted parts match any text.
fn matches(quoted: &str, line: &str, is_cut: bool) -> bool {
    let mut pieces: Vec<&str> = quoted.split(REDACTED).collect();
    if is_cut {
        pieces.push("");
    }
    let mut pieces = pieces.into_iter();
    let Some(mut rest) = pieces.next().and_then(|first| line.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = pieces.next_back() else { return rest.is_empty() };
    for piece in pieces {
        let Some(at) = rest.find(piece) else { return false };
        rest = &rest[at + piece.len()..];
    }
    rest.ends_with(last)
}

/// Whether a text has characters that replace bytes which could not be decoded.
fn is_misread(text: &str) -> bool {
    text.contains(|c| matches!(c, '\u{fffd}' | '\u{80}'..='\u{9f}'))
}

/// The text with each run of non-ASCII characters as one: which ones they are is unknown.
fn loosened(text: &str) -> String {
    let mut loose = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            loose.push(c);
        } else if !loose.ends_with('\u{fffd}') {
            loose.push('\u{fffd}');
        }
    }
    loose
}

impl fmt::Display for QuotedText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.folded)
    }
}

#[cfg(test)]
mod tests {
    use super::QuotedText;

    #[test]
    fn redacted_part_matches_any_text() {
        for (quoted, line) in [
            ("login('ann', '**scrubbed**')", "  login('ann',  'pa ss')"),
            ("key = \"**scrubbed**\"", "key = \"AKIA 123\"\n"),
            ("**scrubbed**", "anything"),
            ("f(**scrubbed**, g, **scrubbed**)", "f('a', g, 'b, g, c')"),
            ("x = **scrubbed** **scrubbed**", "x = a b"),
            ("x = **scrubbed**", "x = **scrubbed**"),
            ("plain(1)", "plain(1)"),
        ] {
            assert!(QuotedText::of(quoted).reads(line), "{quoted} {line}");
        }
        for (quoted, line) in [
            ("login('ann', '**scrubbed**')", "login('ben', 'x')"),
            ("login('ann', '**scrubbed**')", "login('ann', 'x', 1)"),
            ("key = \"**scrubbed**\"", "other_key = \"x\""),
            ("f(**scrubbed**, g, **scrubbed**)", "f('a', h, 'b')"),
            ("a**scrubbed**a", "a"),
            ("plain(1)", "plain(12)"),
            ("", "x"),
        ] {
            assert!(!QuotedText::of(quoted).reads(line), "{quoted} {line}");
        }
    }

    #[test]
    fn undecodable_bytes_match_any_character() {
        for (quoted, line) in [
            ("s = 'Grüße'", "s = 'Gr\u{fffd}\u{fffd}e'"),
            ("s = 'Gr\u{fffd}e'", "s = 'Grüße'"),
            ("s = '\u{80}'", "s = '€'"),
            ("s = 'GrÃ¼Ã\u{178}e â‚¬'", "s = 'Grüße €'"),
            ("s = 'Grüße'", "s = 'GrÃ¼Ã\u{178}e'"),
            ("f('Gr\u{fffd}e', **scrubbed**)", "f('Grüße', key)"),
        ] {
            assert!(QuotedText::of(quoted).reads(line), "{quoted} {line}");
        }
        for (quoted, line) in [
            ("s = 'müller'", "s = 'möller'"),
            ("print('你好')", "print('再见')"),
            ("s = 'Gr\u{fffd}e'", "s = 'Grasse'"),
            ("s = 'Gr\u{fffd}e'", "t = 'Grüße'"),
        ] {
            assert!(!QuotedText::of(quoted).reads(line), "{quoted} {line}");
        }
    }

    #[test]
    fn truncated_text_matches_any_end() {
        let start = format!("rows = [{}", "1, ".repeat(700));
        let line = format!("    {start}2, 3]  # all of them");
        for mark in ["…", "..."] {
            assert!(QuotedText::of(&format!("{start}{mark}")).reads(&line));
            assert!(QuotedText::of(&format!("{start}{mark}")).reads(&start));
            assert!(!QuotedText::of(&format!("{start}9{mark}")).reads(&line));
        }
        assert!(!QuotedText::of("rows = […").reads("rows = [1]"), "it ends so by itself");
        assert!(QuotedText::of("rows = [...").reads("rows = [..."));
        assert!(!QuotedText::of(&start).reads(&line), "it was not cut");
    }

    #[test]
    fn text_is_telling_if_enough_is_left_after_redaction() {
        // (blank, informative, vague)
        for (text, expected) in [
            ("", (true, false, true)),
            ("**scrubbed**", (true, false, true)),
            ("  \"**scrubbed**\",", (true, false, true)),
            ("**scrubbed** **scrubbed**", (true, false, true)),
            ("(((((((((**scrubbed**)))))))))", (true, true, true)),
            ("return **scrubbed**", (false, false, true)),
            ("password = '**scrubbed**'", (false, true, false)),
            ("return x", (false, false, false)),
            ("return sum(prices)", (false, true, false)),
        ] {
            let text = QuotedText::of(text);
            assert_eq!(
                (text.is_blank(), text.is_informative(), text.is_vague()),
                expected,
                "{text}"
            );
        }
    }
}
