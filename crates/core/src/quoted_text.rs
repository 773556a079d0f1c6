//! The text of a frame, to be compared with lines of files. Clients redact secrets in it, so a
//! part of it may stand for any text.
use std::borrow::Cow;
use std::fmt;

use crate::text::fold_white_space;

/// What clients put in the place of a secret.
pub const REDACTED: &str = "**scrubbed**";

/// Shorter texts (`return x`, `else:`, `main()`) stand in any file and tell nothing.
const MIN_TELLING: usize = 9;

/// The text of a frame, white space folded; where something was redacted any text agrees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuotedText<'a> {
    folded: Cow<'a, str>,
    is_redacted: bool,
}

impl<'a> QuotedText<'a> {
    /// The text as a frame has it.
    pub fn of(text: &'a str) -> Self {
        Self { folded: fold_white_space(text), is_redacted: text.contains(REDACTED) }
    }

    /// Whether a part of it was redacted.
    pub fn is_redacted(&self) -> bool {
        self.is_redacted
    }

    /// Whether there is nothing to compare: no text, or nothing but what was redacted and marks
    /// around it.
    pub fn is_blank(&self) -> bool {
        let says = |piece: &str| piece.contains(char::is_alphanumeric);
        self.folded.is_empty() || (self.is_redacted && !self.pieces().any(says))
    }

    /// Whether the text is one that few lines have, so that it says something by itself.
    pub fn is_telling(&self) -> bool {
        self.pieces().map(|piece| piece.trim().len()).sum::<usize>() >= MIN_TELLING
    }

    /// Whether what is left of a redacted text is too little to know a line by; of a text that is
    /// all there the whole line has to agree.
    pub fn is_vague(&self) -> bool {
        self.is_blank() || (self.is_redacted && !self.is_telling())
    }

    /// Whether a line of a file reads so.
    pub fn reads(&self, line: &str) -> bool {
        self.reads_folded(&fold_white_space(line))
    }

    /// The same for a line whose white space is folded already.
    pub(crate) fn reads_folded(&self, line: &str) -> bool {
        if !self.is_redacted {
            return self.folded == line;
        }
        let mut pieces = self.pieces();
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

    /// What is left around the redacted parts.
    fn pieces(&self) -> std::vec::IntoIter<&str> {
        self.folded.split(REDACTED).collect::<Vec<_>>().into_iter()
    }

    /// White space folded, as it is compared.
    pub fn as_str(&self) -> &str {
        &self.folded
    }
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
    fn a_redacted_part_stands_for_any_text() {
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
    fn what_is_left_of_a_text_says_whether_it_tells_anything() {
        // (blank, telling, vague)
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
            assert_eq!((text.is_blank(), text.is_telling(), text.is_vague()), expected, "{text}");
        }
    }
}
