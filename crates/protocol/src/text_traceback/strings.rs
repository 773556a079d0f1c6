//! Quoted strings, as in JSON, `key="value"` logs and Python's `repr`.

/// A string in quotes, with its escapes.
pub(super) struct Quoted<'a> {
    pub(super) raw: &'a str,
    /// Only a comma separates it from the string before it, and it is not a key.
    pub(super) follows_comma: bool,
    /// It may be a list item: a bracket or a comma precedes it.
    pub(super) is_item: bool,
    /// The string before it, if that is its key.
    pub(super) key: Option<&'a str>,
}

/// The value of `key` in a line of JSON.
pub(super) fn value_of<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    if !line.trim_start().starts_with('{') || !line.contains(key) {
        return None;
    }
    let found = quoted_strings(line).into_iter().find(|string| string.key == Some(key))?;
    Some(found.raw)
}

/// The quoted strings of `text`. A quote within a word, as in `can't`, does not count.
pub(super) fn quoted_strings(text: &str) -> Vec<Quoted<'_>> {
    let bytes = text.as_bytes();
    let mut strings: Vec<Quoted<'_>> = Vec::new();
    let (mut at, mut last_end) = (0, 0);
    while at < bytes.len() {
        let quote = bytes[at];
        let in_word = at > 0 && quote == b'\'' && bytes[at - 1].is_ascii_alphanumeric();
        let is_prefix = in_word
            && matches!(&bytes[..at], [.., before, b'b' | b'u' | b'r'] if !before.is_ascii_alphanumeric());
        let is_escaped = at > 0 && bytes[at - 1] == b'\\';
        if !matches!(quote, b'"' | b'\'') || (in_word && !is_prefix) || is_escaped {
            at += 1;
            continue;
        }
        let from = at + 1;
        let mut end = from;
        while end < bytes.len() && bytes[end] != quote {
            end += 1 + usize::from(bytes[end] == b'\\');
        }
        let end = end.min(bytes.len());
        let between = text[last_end..at].trim();
        let is_key = text[end..].get(1..).is_some_and(|after| after.trim_start().starts_with(':'));
        let follows_comma = !strings.is_empty() && between == "," && !is_key;
        strings.push(Quoted {
            raw: &text[from..end],
            follows_comma,
            is_item: follows_comma || between.ends_with('[') || between.is_empty(),
            key: strings.last().filter(|_| between == ":").map(|key| key.raw),
        });
        last_end = (end + 1).min(bytes.len());
        at = end + 1;
    }
    strings
}
