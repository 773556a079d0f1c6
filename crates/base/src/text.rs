//! Makes text from outside safe to show, in mails and on pages alike.

/// `text` without characters that change how other text is shown: control characters and marks
/// of writing direction become U+FFFD; line breaks and tabs stay.
pub fn plain(text: &str) -> String {
    if !text.contains(harmful) {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").replace(harmful, "\u{fffd}")
}

fn harmful(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || turns_text(c)
}

/// Whether a character changes the direction of the text around it.
fn turns_text(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Makes text safe for a terminal: as [`plain`], but lines of JSON keep their content as escapes.
pub fn for_terminal(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let is_json = line.trim_start().starts_with(['{', '[', '"']);
        for c in line.chars() {
            match (harmful(c), is_json) {
                (false, _) => safe.push(c),
                (true, true) => safe.push_str(&format!("\\u{:04x}", u32::from(c))),
                (true, false) => safe.push('\u{fffd}'),
            }
        }
    }
    safe
}

/// Makes text safe for a log: marks of writing direction and the control characters that terminals
/// interpret become U+FFFD; the colours of the log itself stay.
pub fn for_log(text: &str) -> String {
    text.replace(|c| turns_text(c) || matches!(c, '\u{80}'..='\u{9f}'), "\u{fffd}")
}

/// Makes text safe in one line, for headers and titles.
pub fn one_line(text: &str, max: usize) -> String {
    cut(&text.split_whitespace().collect::<Vec<_>>().join(" "), max)
}

/// The first `max` characters of `text`.
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
    fn terminal_gets_no_commands_and_json_keeps_its_meaning() {
        let text = "a\u{1b}[2Jb\u{202e}c\u{9b}d\n{\"a\": \"b\u{202e}c\u{9b}\"}\n";
        let safe = for_terminal(text);
        assert_eq!(safe, "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d\n{\"a\": \"b\\u202ec\\u009b\"}\n");
        assert_eq!(for_log("\u{1b}[31mred\u{202e}\u{9b}2J"), "\u{1b}[31mred\u{fffd}\u{fffd}2J");
    }

    #[test]
    fn text_cannot_change_the_text_around_it() {
        assert_eq!(plain("a\u{61c}b\u{2066}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(plain("a\u{202e}b\u{1b}[31m\tc\r\nd"), "a\u{fffd}b\u{fffd}[31m\tc\nd");
        assert_eq!(one_line("a\r\nBcc: x\n\n y", 100), "a Bcc: x y");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }
}
