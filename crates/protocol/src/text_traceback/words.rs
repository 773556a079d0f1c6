//! The sentences and drawings around frames: headers, sentences that join the exceptions of a
//! chain, borders of exception groups, and marks for omitted lines.
use super::TextRelation;

/// The line that begins a traceback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    /// Its start and end in its line.
    pub(super) at: usize,
    pub(super) end: usize,
    /// The innermost frame comes first.
    pub(super) is_reversed: bool,
    /// It says that the traceback comes from elsewhere, such as another process.
    pub(super) is_remote: bool,
    /// No exception is printed below it, because none was raised.
    pub(super) is_dump: bool,
}

const HEADERS: [&str; 2] = ["Traceback (most recent", "Traceback (innermost last)"];

pub(super) fn header(line: &str) -> Option<Header> {
    let found = HEADERS.iter().find_map(|words| Some((line.find(words)?, words.len())));
    let (at, length) = match found.or_else(|| bare(line)) {
        Some(found) => found,
        None => return dump(line),
    };
    let after = &line[at + length..];
    let end = match after.find(')') {
        Some(close) if close <= " call first".len() => {
            let colon = after[close + 1..].starts_with(':');
            at + length + close + 1 + usize::from(colon)
        }
        _ => at + length,
    };
    let before = line[..at].trim_end();
    let is_remote =
        ["Original", "Remote", "remote", "original"].iter().any(|w| before.ends_with(w));
    let at = before.strip_suffix("Exception Group").map_or(at, str::len);
    let is_reversed = line[at..end].contains("call first");
    Some(Header { at, end, is_reversed, is_remote, is_dump: false })
}

/// `Traceback:` of Django's older layout.
fn bare(line: &str) -> Option<(usize, usize)> {
    let before = line.trim_end().strip_suffix("Traceback:")?;
    let is_word = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    is_word.then_some((before.len(), "Traceback:".len()))
}

/// `Current thread 0x7f (most recent call first):` of `faulthandler`, and gdb's.
fn dump(line: &str) -> Option<Header> {
    let words = "(most recent call first)";
    let at = line.find(words)?;
    let end = at + words.len();
    Some(Header { at, end, is_reversed: true, is_remote: false, is_dump: true })
}

/// A sentence that joins the exception above it to the one below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link<'a> {
    pub(super) at: usize,
    pub(super) relation: TextRelation,
    /// The message of the exception above, which Django prints instead of the exception.
    pub(super) said: Option<&'a str>,
}

pub(super) fn link(line: &str) -> Option<Link<'_>> {
    let during = "During handling of the above exception";
    let cause = "The above exception";
    let (at, words, relation) = match line.find(during) {
        Some(at) => (at, during, TextRelation::Context),
        None => (line.find(cause)?, cause, TextRelation::Cause),
    };
    let after = line[at + words.len()..].trim_start();
    let said = after.strip_prefix('(').and_then(|said| said.rsplit_once(')'));
    let rest = said.map_or(after, |(_, rest)| rest.trim_start());
    let is_link = match relation {
        TextRelation::Context => rest.is_empty() || rest.starts_with(", another"),
        _ => rest.starts_with("was the direct"),
    };
    is_link.then_some(Link { at, relation, said: said.map(|(said, _)| said) })
}

/// A line of the drawing of an exception group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Border {
    /// The column where the member's lines begin.
    pub(super) column: usize,
    /// The member that follows; `None` at the end of the group.
    pub(super) number: Option<u32>,
    /// The member is the first one of the group above.
    pub(super) opens: bool,
}

pub(super) fn border(line: &str) -> Option<Border> {
    let line = line.trim_end();
    let at = line.rfind("+---").filter(|_| line.ends_with("---"))?;
    let middle = line[at + 1..].trim_matches('-').trim();
    let number = middle.parse().ok();
    if number.is_none() && !middle.is_empty() && middle != "..." {
        return None;
    }
    let before = &line[..at];
    let outside = before.strip_suffix("+-").unwrap_or(before);
    if !outside.is_empty() && !outside.ends_with(char::is_whitespace) {
        return None;
    }
    let column = before.chars().count();
    Some(Border { column, number, opens: before.ends_with("+-") && number.is_some() })
}

/// `[Previous line repeated 996 more times]`.
pub(super) fn is_repeat(text: &str) -> bool {
    text.trim_start().starts_with("[Previous line repeated ")
}

/// `[...]`, `<snip>`, `…`: the author of the text left lines out.
pub(super) fn is_snip(text: &str) -> bool {
    let text = text.trim();
    let inner = text.trim_matches(|c: char| "[](){}<>*-_=~# ".contains(c)).to_ascii_lowercase();
    let words =
        ["snip", "snipped", "cut", "truncated", "omitted", "skipped", "lines omitted", "redacted"];
    let is_bracketed = text.starts_with(['[', '<', '(', '*', '-', '=', '~', '{']);
    let all_dots = !text.is_empty() && text.chars().all(|c| c == '.' || c == '…') && text.len() > 1;
    let dots_in = inner.len() > 1 && inner.chars().all(|c| c == '.' || c == '…');
    let said = inner.trim_matches(['.', '…', ' ']);
    all_dots
        || (is_bracketed
            && (dots_in
                || words.contains(&said)
                || (said.len() < 60
                    && words.iter().any(|word| said.ends_with(&format!(" {word}"))))))
}

/// Marks below or beside a source line that point at a part of it.
pub(super) fn is_marker(text: &str) -> bool {
    let text = text.trim();
    text.chars().all(|c| "~^ ".contains(c)) || text.starts_with(['│', '└', '├', '┬', '╰'])
}

/// The end of the name at the start of `text`: an identifier, or a name in angle brackets.
pub(super) fn ident_end(text: &str) -> usize {
    if text.starts_with('<') {
        return text.find('>').map_or(text.len(), |end| end + 1);
    }
    text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())
}

/// The indent of a line; tabs go to the next multiple of eight columns.
pub(super) fn indent(text: &str) -> usize {
    let mut columns = 0;
    for c in text.chars() {
        match c {
            '\t' => columns = columns / 8 * 8 + 8,
            c if c.is_whitespace() => columns += 1,
            _ => break,
        }
    }
    columns
}
