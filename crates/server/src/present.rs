//! Text of strangers as people may see it, in mails and on pages alike.
use crate::issue_details::IssueDetails;
use crate::store::IssueRow;

/// Who wrote the line of an issue, by name and address: the author of its commit, be it automation.
pub fn author_of(issue: &IssueRow, details: &IssueDetails) -> String {
    match details.author.clone().or_else(|| issue.developer()) {
        Some(developer) => one_line(&format!("{} <{}>", developer.name, developer.email), 200),
        None => "automation".to_owned(),
    }
}

/// `text` without characters that change how other text is shown: control characters and marks
/// of writing direction become U+FFFD; line breaks and tabs stay.
pub fn plain(text: &str) -> String {
    let harmful = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(harmful) {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").replace(harmful, "\u{fffd}")
}

/// The same in one line, for headers and titles.
pub fn one_line(text: &str, max: usize) -> String {
    cut(&text.split_whitespace().collect::<Vec<_>>().join(" "), max)
}

/// The first `max` characters of it.
pub fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => plain(&text[..end]) + "…",
        None => plain(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_change_the_text_around_it() {
        assert_eq!(plain("a\u{61c}b\u{2066}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(plain("a\u{202e}b\u{1b}[31m\tc\r\nd"), "a\u{fffd}b\u{fffd}[31m\tc\nd");
        assert_eq!(one_line("a\r\nBcc: x\n\n y", 100), "a Bcc: x y");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }
}
