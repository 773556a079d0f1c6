//! The text before the lines of a traceback that does not belong to it: a logger's prefix, the name
//! of a container, quote marks, the drawing of an exception group.

/// The text before a frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Lead {
    /// The part up to the last letter or digit. Times in it change from line to line.
    margin: String,
    /// The marks after it, without the white space between them.
    marks: Vec<char>,
}

/// Marks that quote, draw or separate.
fn is_mark(c: char) -> bool {
    c.is_whitespace() || "|>+*#:]│┃║❱▶-".contains(c)
}

impl Lead {
    /// Splits `prefix`, the text before a frame.
    pub(super) fn of(prefix: &str) -> Self {
        let margin = prefix.trim_end_matches(is_mark);
        let marks = prefix[margin.len()..].chars().filter(|c| !c.is_whitespace()).collect();
        Self { margin: margin.to_owned(), marks }
    }

    /// Whether only white space precedes the frame.
    pub(super) fn is_plain(&self) -> bool {
        self.margin.is_empty() && self.marks.is_empty()
    }

    /// Whether only marks precede the frame.
    pub(super) fn is_marks(&self) -> bool {
        self.margin.is_empty()
    }

    /// The rest of `line` after a lead with the same margin, whatever its marks.
    pub(super) fn strip_margin<'a>(&self, line: &'a str) -> Option<&'a str> {
        after_margin(line, &self.margin)
    }

    /// The rest of `line` after the same lead; `None` when its lead differs.
    pub(super) fn strip<'a>(&self, line: &'a str) -> Option<&'a str> {
        let mut rest = self.strip_margin(line)?;
        for mark in &self.marks {
            rest = rest.trim_start().strip_prefix(*mark)?;
        }
        Some(rest)
    }
}

/// The rest of `line` after `margin`. Words with digits (times, counters, ids) may differ, and so
/// may the width of white space.
fn after_margin<'a>(line: &'a str, margin: &str) -> Option<&'a str> {
    if let Some(rest) = line.strip_prefix(margin) {
        return Some(rest);
    }
    let (mut line, mut margin) = (line, margin);
    loop {
        let Some(c) = margin.chars().next() else { return Some(line) };
        if c.is_alphanumeric() {
            let (expected, found) = (word(margin), word(line));
            let has_digit = |word: &str| word.contains(|c: char| c.is_ascii_digit());
            if found.is_empty() || (found != expected && !(has_digit(expected) && has_digit(found)))
            {
                return None;
            }
            margin = &margin[expected.len()..];
            line = &line[found.len()..];
            // A time that falls on a full second is printed without its fraction.
            let (of_margin, of_line) = (fraction(margin), fraction(line));
            if has_digit(expected) && (of_margin.is_empty() || of_line.is_empty()) {
                margin = &margin[of_margin.len()..];
                line = &line[of_line.len()..];
            }
        } else if c.is_whitespace() {
            let rest = line.trim_start();
            if rest.len() == line.len() {
                return None;
            }
            (margin, line) = (margin.trim_start(), rest);
        } else {
            line = line.strip_prefix(c)?;
            margin = &margin[c.len_utf8()..];
        }
    }
}

fn word(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len())]
}

/// `.123Z` or `,123` at the start of `text`.
fn fraction(text: &str) -> &str {
    let Some(digits) = text.strip_prefix(['.', ',']) else { return "" };
    let digits = word(digits);
    if digits.starts_with(|c: char| c.is_ascii_digit()) { &text[..=digits.len()] } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefix_is_recognized_when_its_times_and_counters_change() {
        for (prefix, line, rest) in [
            ("2026-11-29T10:00:00.12346Z   ", "2026-11-29T10:00:01.1Z     x()", Some("     x()")),
            ("2026-11-29T10:00:00.12346Z   ", "2026-11-29T10:00:01Z     x()", Some("     x()")),
            ("2026-11-29T10:00:00Z   ", "2026-11-29T10:00:01.5Z     x()", Some("     x()")),
            ("web-1  |   ", "web-1  |     x()", Some("     x()")),
            ("web-1  |   ", "db-1   | LOG:  checkpoint", None),
            (
                "Nov 29 10:00:00 web app[12]:   ",
                "Nov 29 10:00:01 web app[13]:     x",
                Some("     x"),
            ),
            ("> >   ", ">>     x()", Some("     x()")),
            ("> ", "    x()", None),
            ("ERROR|   ", "ERROR|     x()", Some("     x()")),
            ("  ", "    x()", Some("    x()")),
        ] {
            assert_eq!(Lead::of(prefix).strip(line), rest, "{prefix:?} {line:?}");
        }
    }
}
