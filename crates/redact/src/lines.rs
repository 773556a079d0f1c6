//! Consecutive source lines, which are redacted together because a private key spans several.

use std::borrow::Cow;

use super::{OneReport, SCRUBBED};

/// A line of source code and the lines around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SourceLines {
    /// The lines before, nearest last.
    pub before: Vec<String>,
    /// The line itself.
    pub line: String,
    /// The lines after, nearest first.
    pub after: Vec<String>,
}

impl OneReport<'_> {
    /// The lines without secrets; `None` when there are none. `own` is the index of the middle
    /// line. If a secret spans several lines, only that line is left.
    pub fn redact_lines(&self, lines: &[&str], own: usize) -> Option<SourceLines> {
        let text = lines.join("\n");
        let Cow::Owned(redacted) = self.redact_values(&text) else { return None };
        // A line may contain a line break of its own.
        let breaks = |text: &str| text.bytes().filter(|byte| *byte == b'\n').count();
        if breaks(&redacted) != breaks(&text) {
            // The other lines can no longer be matched.
            let own = lines.get(own).copied().unwrap_or_default();
            let is_left = redacted.split('\n').any(|line| line == own.trim_end_matches('\n'));
            let line = if is_left { own } else { SCRUBBED };
            return Some(SourceLines { line: line.to_owned(), ..SourceLines::default() });
        }
        let mut pieces = redacted.split('\n');
        let mut shown = lines.iter().map(|line| {
            let count = breaks(line) + 1;
            pieces.by_ref().take(count).collect::<Vec<_>>().join("\n")
        });
        let before = shown.by_ref().take(own).collect();
        let line = shown.next().unwrap_or_default();
        Some(SourceLines { before, line, after: shown.collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Redactor, Rules};

    fn redacted(lines: &[&str], own: usize) -> Option<SourceLines> {
        let redactor = Redactor::new(&Rules::default(), []).expect("built-in rules");
        redactor.one_report().redact_lines(lines, own)
    }

    #[test]
    fn key_in_a_line_is_replaced_and_other_lines_stay() {
        let key = ["AK", "IAIOSFODNN7ABCDEFG"].concat();
        let with_key = format!("use('{key}')\n");
        let lines = redacted(&["a = 1\n", &with_key, "b = 2\n", ""], 1).expect("a secret");
        assert_eq!(lines.before, ["a = 1\n"]);
        assert_eq!(lines.line, format!("use('{SCRUBBED}')\n"));
        assert_eq!(lines.after, ["b = 2\n", ""]);
        assert_eq!(redacted(&["a = 1", "b = 2"], 0), None);
    }

    #[test]
    fn private_key_over_several_lines_is_removed() {
        let begin = ["KEY = '-----BEGIN RSA PRI", "VATE KEY-----"].concat();
        let end = ["-----END RSA PRI", "VATE KEY-----'"].concat();
        let lines = [begin.as_str(), "MIIEowIBAAKCAQEA", "c29tZSBtb3JlIGJ5dGVz", &end, "use(KEY)"];
        let outside = redacted(&lines, 4).expect("a secret");
        assert_eq!(outside, SourceLines { line: "use(KEY)".into(), ..SourceLines::default() });
        let inside = redacted(&lines, 1).expect("a secret");
        assert_eq!(inside, SourceLines { line: SCRUBBED.into(), ..SourceLines::default() });
    }
}
