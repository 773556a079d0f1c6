//! The lines of a function, found by its name and its indentation: enough to search a text in the
//! function it was reported from, in any language.
use std::ops::Range;

use flawless_core::QuotedText;

/// Keywords before a function's name in its definition.
const DEFINING: [&str; 8] = ["def", "class", "function", "func", "fn", "fun", "sub", "proc"];

/// The line (from 1) nearest to `reported` that agrees with `wanted` within a function named
/// `function`. Without a name that can be found (`<module>`, `<lambda>`) the text must occur only
/// once in the file; a redacted text, which may match other lines too, must occur only once in the
/// function and be informative.
pub(crate) fn same_text_in_function(
    content: &str,
    function: &str,
    wanted: &QuotedText<'_>,
    reported: u32,
) -> Option<u32> {
    if wanted.is_vague() {
        return None;
    }
    let lines: Vec<&str> = content.lines().collect();
    let reads_so = |at: &usize| wanted.reads(lines[*at]);
    if function.is_empty() || function.starts_with('<') {
        let mut found = (0..lines.len()).filter(reads_so);
        let only = found.next()?;
        return found.next().is_none().then_some(only as u32 + 1);
    }
    let number = |at: usize| at as u32 + 1;
    let mut found: Vec<u32> = definitions(&lines, function)
        .flat_map(|start| body(&lines, start))
        .filter(reads_so)
        .map(number)
        .collect();
    found.sort_unstable();
    found.dedup();
    if wanted.is_redacted() && found.len() > 1 {
        return None;
    }
    let nearest = found.iter().copied().min_by_key(|line| line.abs_diff(reported))?;
    let distance = nearest.abs_diff(reported);
    // Another match is as near on the other side: it is unknown which one ran.
    let is_tie = found.iter().filter(|line| line.abs_diff(reported) == distance).count() > 1;
    (!is_tie).then_some(nearest)
}

fn definitions<'a>(lines: &'a [&str], function: &'a str) -> impl Iterator<Item = usize> + 'a {
    let defines = move |line: &&str| {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let mut words = line.split(|c| !is_word(c)).filter(|word| !word.is_empty());
        words.any(|word| DEFINING.contains(&word)) && words.next() == Some(function)
    };
    (0..lines.len()).filter(move |&at| defines(&lines[at]))
}

/// From the definition to the next line that is indented no deeper and does not continue it.
fn body(lines: &[&str], start: usize) -> Range<usize> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(lines[start]);
    let ends = |line: &&str| {
        let text = line.trim_start();
        let goes_on = text.is_empty() || text.starts_with([')', ']', '}', '{', '#']);
        !goes_on && indent(line) <= own
    };
    let length = lines[start + 1..].iter().position(ends);
    start..length.map_or(lines.len(), |length| start + 1 + length)
}

#[cfg(test)]
mod tests {
    use flawless_core::QuotedText;

    use super::same_text_in_function;

    const SOURCE: &str = "\
import x

def pay(
    card,
):
    total = 1
    send(total)

    send(total)
    return total

class Till:
    def close(self):
        send(total)

    async def pay(self):
        log('a')
        once()
";

    #[test]
    fn nearest_equal_line_of_the_function_is_found() {
        let find = |function, text, line| {
            same_text_in_function(SOURCE, function, &QuotedText::of(text), line)
        };
        assert_eq!(find("pay", "total = 1", 40), Some(6));
        assert_eq!(find("pay", "send(total)", 10), Some(9), "the nearer of two");
        assert_eq!(find("pay", "send(total)", 8), None, "as near on both sides");
        assert_eq!(find("close", "send(total)", 3), Some(14));
        assert_eq!(find("pay", "once()", 3), Some(18), "a method of the same name");
        assert_eq!(find("close", "once()", 18), None, "another function");
        assert_eq!(find("gone", "total = 1", 6), None);
        assert_eq!(find("<module>", "import x", 9), Some(1));
        assert_eq!(find("<module>", "send(total)", 7), None, "more than once");
        assert_eq!(find("pay", "return **scrubbed**tal", 40), Some(10), "redacted");
        assert_eq!(find("pay", "send(**scrubbed**total)", 9), None, "redacted, and more than once");
        assert_eq!(find("close", "send(**scrubbed**)", 14), None, "redacted, and tells too little");
        assert_eq!(find("pay", "**scrubbed**", 6), None, "nothing but redacted");
    }
}
