//! Determines from indents whether a line of Python runs while an exception is handled.
use flawless_client::SourceFile;

/// Most lines that are examined.
const MOST_LINES: u32 = 500;

/// Whether a line is within `except` or `finally`.
pub(crate) fn is_in_handler(source: &SourceFile, line: u32) -> bool {
    let Some(text) = source.line(line) else { return false };
    let begins = |text: &str, words: &[&str]| {
        let word = text.trim_start().split(|c: char| !c.is_alphanumeric() && c != '_').next();
        word.is_some_and(|word| words.contains(&word))
    };
    if begins(text, &["except", "finally"]) {
        return true;
    }
    let indent = |text: &str| text.len() - text.trim_start().len();
    let mut within = indent(text);
    for number in (line.saturating_sub(MOST_LINES).max(1)..line).rev() {
        let Some(text) = source.line(number) else { return false };
        let is_empty = text.trim_start().is_empty() || text.trim_start().starts_with('#');
        if is_empty || indent(text) >= within {
            continue;
        }
        within = indent(text);
        if begins(text, &["except", "finally"]) {
            return true;
        }
        if begins(text, &["def", "class"]) || text.trim_start().starts_with("async def") {
            return false;
        }
    }
    false
}
