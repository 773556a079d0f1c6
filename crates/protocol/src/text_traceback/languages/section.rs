//! An exception of a traceback while it is read, and how several become one traceback.
use std::borrow::Cow;

use super::super::{TextChained, TextException, TextFrame, TextRelation, TextTraceback};

/// A line of the input without what a log put before it.
#[derive(Debug, Clone)]
pub(super) struct Row<'a> {
    /// From 1.
    pub(super) number: u32,
    pub(super) text: Cow<'a, str>,
}

/// An exception with its frames.
#[derive(Debug, Clone, Default)]
pub(super) struct Section {
    pub(super) kind: String,
    pub(super) message: String,
    /// The innermost first.
    pub(super) frames: Vec<TextFrame>,
    /// How it belongs to another one, and which. Without that it is the one that left the program.
    pub(super) of: Option<(TextRelation, usize)>,
    /// White space before its first line.
    pub(super) indent: usize,
}

impl Section {
    pub(super) fn new(header: Header<'_>) -> Self {
        Self { kind: header.kind.to_owned(), message: header.message.to_owned(), ..Self::default() }
    }

    pub(super) fn add(&mut self, frame: TextFrame) {
        if self.frames.len() < MOST_FRAMES {
            self.frames.push(frame);
        }
    }

    /// Adds a further line of the message.
    pub(super) fn add_line(&mut self, line: &str) {
        self.add_text("\n");
        self.add_text(line);
    }

    pub(super) fn add_text(&mut self, text: &str) {
        if self.message.len() < MAX_MESSAGE {
            self.message.push_str(text);
        }
    }
}

/// Frames of one exception, and exceptions of one traceback: nobody shows more.
const MOST_FRAMES: usize = 2_000;
const MOST_SECTIONS: usize = 64;
const MAX_MESSAGE: usize = 64 * 1024;

/// Adds an exception, unless there are too many: then its frames go to the last one.
pub(super) fn push(sections: &mut Vec<Section>, section: Section) {
    if sections.len() < MOST_SECTIONS {
        sections.push(section);
    }
}

/// One traceback of these exceptions: the first one left the program.
pub(super) fn assembled(sections: Vec<Section>, line: u32) -> Option<TextTraceback> {
    let mut exceptions = sections.into_iter().map(|section| {
        let Section { kind, message, mut frames, of, .. } = section;
        frames.reverse();
        let exception = TextException { frames, exception_type: kind, exception_message: message };
        (exception, of)
    });
    let (exception, _) = exceptions.next()?;
    let chain: Vec<TextChained> = exceptions
        .map(|(exception, of)| {
            let (relation, parent) = of.unwrap_or((TextRelation::Cause, 0));
            TextChained { exception, relation, parent: parent.checked_sub(1) }
        })
        .collect();
    let has_frames = !exception.frames.is_empty()
        || chain.iter().any(|chained| !chained.exception.frames.is_empty());
    let traceback = TextTraceback { exception, chain, gaps: Vec::new(), line };
    has_frames.then_some(traceback)
}

/// The line that names an exception.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Header<'a> {
    pub(super) kind: &'a str,
    pub(super) message: &'a str,
}

impl<'a> Header<'a> {
    /// `Type: message` or `Type`, at the start of `text`.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !is_name(c)).unwrap_or(text.len());
        let (kind, rest) = text.split_at(end);
        let message = match rest.strip_prefix(':') {
            Some(message) if message.starts_with("//") => return None,
            Some(message) => message.trim(),
            None if rest.trim().is_empty() => "",
            None => return None,
        };
        is_type(kind).then_some(Self { kind, message })
    }

    /// The same behind other text of a log.
    pub(super) fn within(text: &'a str) -> Option<Self> {
        let mut end = MAX_HEADER.min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = &text[..end];
        let is_mark = |c: char| matches!(c, ' ' | '\t' | '"' | '|');
        let starts = text.match_indices(is_mark).map(|(at, mark)| at + mark.len());
        let starts = starts.filter(|at| !text[*at..].starts_with(is_mark)).take(MOST_WORDS);
        let mut found = starts.filter_map(|at| Self::of(&text[at..]));
        found.find(|header| is_certain(header.kind))
    }
}

/// Bytes and words of a line among which an exception is looked for.
const MAX_HEADER: usize = 4 * 1024;
const MOST_WORDS: usize = 200;

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || "_.$\\`+<>[]".contains(c)
}

/// Whether a name may be a type: its last part begins in upper case.
fn is_type(name: &str) -> bool {
    let last = name.rsplit(['.', '\\', '$', '+']).next().unwrap_or(name);
    last.starts_with(|c: char| c.is_uppercase() || c == '_') && !name.starts_with('.')
        || is_certain(name)
}

/// Whether a name is clearly that of an exception.
fn is_certain(name: &str) -> bool {
    const ENDINGS: [&str; 7] =
        ["Error", "Exception", "Throwable", "Failure", "Fault", "Errno", "Interrupt"];
    let plain = name.split(['`', '<', '[']).next().unwrap_or(name);
    ENDINGS.iter().any(|ending| plain.ends_with(ending))
}

/// The header before the first frame: the nearest line that is one from its start, else one behind
/// other text, and the lines of the message between. The row where it begins.
pub(super) fn header_before<'a>(
    rows: &'a [Row<'_>],
    first: usize,
    of_line: impl Fn(&'a str) -> Option<Header<'a>>,
) -> (Section, usize) {
    let nearest = (0..first).rev().take(MAX_MESSAGE_LINES);
    let found = nearest.clone().find_map(|at| Some((at, of_line(&rows[at].text)?)));
    let within =
        || nearest.clone().take(3).find_map(|at| Some((at, Header::within(&rows[at].text)?)));
    let certain = found.filter(|(at, header)| *at + 1 == first || is_certain(header.kind));
    let Some((at, header)) = certain.or_else(within).or(found) else {
        return (Section::default(), first);
    };
    let mut section = Section::new(header);
    for row in &rows[at + 1..first] {
        section.add_line(row.text.trim_end());
    }
    section.message.truncate(section.message.trim_end().len());
    (section, at)
}

const MAX_MESSAGE_LINES: usize = 50;

/// White space at the start of a line; a tab counts as one.
pub(super) fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// `PATH:LINE:COLUMN`, or `PATH:LINE`.
pub(super) fn place(text: &str) -> Option<(&str, u32, u32)> {
    let (rest, last) = text.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    let with_column = rest
        .rsplit_once(':')
        .and_then(|(path, line)| Some((path, line.parse::<u32>().ok()?, last)));
    let (path, line, column) = with_column.unwrap_or((rest, last, 0));
    (!path.is_empty()).then_some((path, line, column))
}
