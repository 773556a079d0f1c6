//! A traceback while it is being read: its frames, their source lines, and the exception after
//! them.
use super::exception::{ExceptionLine, exception_line, exception_within, is_syntax_error};
use super::rows::{Row, RowFrame};
use super::tree::NodeId;
use super::words::{Header, is_marker, is_repeat, is_snip};
use super::{Gap, MAX_FRAMES, TextException, TextFrame};

/// How many unrecognized lines may come between two frames.
const MAX_UNKNOWN: usize = 20;
/// How many of them may precede an exception recognized only by its name.
const MAX_BEFORE_EXCEPTION: usize = 4;

/// A traceback that is being read.
#[derive(Debug, Default)]
pub(super) struct Open {
    pub(super) line: u32,
    pub(super) header: Option<Header>,
    /// The exception whose message contains it, and whether that is certain.
    pub(super) carrier: Option<(NodeId, bool)>,
    pub(super) exception: Option<Ending>,
    /// An exception named right before the first frame.
    pub(super) said_before: Option<Ending>,
    pub(super) gaps: Vec<Gap>,
    frames: Vec<TextFrame>,
    is_certain: bool,
    last_has_function: bool,
    last_has_line: bool,
    frame_indent: usize,
    text_indent: usize,
    /// Blank lines since the last frame or its source line; `unknown` counts unrecognized ones.
    blanks: usize,
    unknown: usize,
    /// A blank line follows an unrecognized line, so what follows may be something else.
    is_interrupted: bool,
    /// Earlier frames had blank lines between them, so one before the exception means nothing.
    has_blanks_between: bool,
    /// An exception that followed other text on a line after the last frame.
    maybe: Option<Ending>,
}

/// The exception at the end of a traceback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) kind: String,
    pub(super) message: String,
    pub(super) is_certain: bool,
    /// Its message is on a line of its own.
    pub(super) is_labelled: bool,
    /// The label was read, and the message is on the next line.
    is_value_next: bool,
    /// A blank line follows it.
    pub(super) is_over: bool,
}

impl From<ExceptionLine<'_>> for Ending {
    fn from(line: ExceptionLine<'_>) -> Self {
        Self {
            kind: line.kind.to_owned(),
            message: line.message.to_owned(),
            is_certain: line.is_certain,
            is_labelled: line.is_labelled,
            is_value_next: false,
            is_over: false,
        }
    }
}

impl Ending {
    /// Takes a line after the exception.
    pub(super) fn take(&mut self, text: &str) {
        let value = text.strip_prefix("Exception Value:");
        match value {
            Some(value) if self.is_labelled => self.take_message(value),
            None if text.is_empty() => self.is_over |= !self.is_labelled,
            None if self.is_value_next => self.take_message(text),
            _ => {}
        }
    }

    fn take_message(&mut self, text: &str) {
        text.trim().clone_into(&mut self.message);
        self.is_value_next = self.message.is_empty();
        self.is_labelled = self.is_value_next;
    }
}

/// Whether a line was part of the traceback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Yes,
    /// Too many lines follow the last frame, so the rest is something else.
    Over,
}

impl Open {
    /// A traceback that begins at `line`, maybe in the message of an exception.
    pub(super) fn at(line: u32, header: Option<Header>, carrier: Option<(NodeId, bool)>) -> Self {
        Self { line, header, carrier, ..Self::default() }
    }

    pub(super) fn has_frames(&self) -> bool {
        !self.frames.is_empty()
    }

    /// Whether another frame can belong to this traceback.
    pub(super) fn goes_on(&self) -> bool {
        self.exception.is_none() && (!self.is_interrupted || self.has_blanks_between)
    }

    pub(super) fn push(&mut self, row: &Row, frame: &RowFrame) {
        if self.frames.len() == 2 * MAX_FRAMES {
            self.cut();
        }
        self.has_blanks_between |= self.has_frames() && self.blanks > 0;
        self.is_certain |= frame.is_certain;
        self.last_has_function = frame.has_function;
        self.last_has_line = frame.has_line;
        self.frames.push(frame.frame.clone());
        self.frame_indent = row.indent;
        self.text_indent = row.indent;
        (self.blanks, self.unknown, self.is_interrupted) = (0, 0, false);
        self.maybe = None;
    }

    /// Drops frames from the middle: the innermost ones matter, and the outermost show where it
    /// began.
    fn cut(&mut self) {
        let outermost = MAX_FRAMES / 2;
        self.frames.drain(outermost..self.frames.len() - outermost);
        if !self.gaps.contains(&Gap::TooLong) {
            self.gaps.push(Gap::TooLong);
        }
    }

    /// Takes a line that is not a frame, header, link or border.
    pub(super) fn take(&mut self, row: &Row) -> Taken {
        let text = row.text.trim();
        if let Some(exception) = &mut self.exception {
            exception.take(text);
            return Taken::Yes;
        }
        if text.is_empty() {
            self.blanks += 1;
            self.is_interrupted |= self.unknown > 0;
            return Taken::Yes;
        }
        if self.frames.is_empty() {
            self.unknown += 1;
            return if self.unknown > MAX_UNKNOWN { Taken::Over } else { Taken::Yes };
        }
        if is_snip(text) {
            self.gaps.push(Gap::LeftOut(row.number));
            return Taken::Yes;
        }
        if is_marker(text) || is_repeat(text) {
            return Taken::Yes;
        }
        if text.starts_with("File") && text[4..].trim_start().starts_with(['"', '\'']) {
            self.gaps.push(Gap::Unread(row.number));
            return Taken::Yes;
        }
        if !row.is_foreign {
            if let Some(ending) = self.ending(row, text) {
                self.exception = Some(ending);
                return Taken::Yes;
            }
            if self.take_source(row, text) {
                return Taken::Yes;
            }
        }
        if self.unknown < MAX_BEFORE_EXCEPTION && self.maybe.is_none() && text.len() < 4_096 {
            self.maybe = exception_within(text).map(|(_, exception)| exception.into());
        }
        self.unknown += 1;
        if self.unknown > MAX_UNKNOWN { Taken::Over } else { Taken::Yes }
    }

    /// Whether the row is the source line of the last frame, or continues it.
    fn take_source(&mut self, row: &Row, text: &str) -> bool {
        let is_inner = row.indent > self.frame_indent;
        let Some(last) = self.frames.last_mut() else { return false };
        if !self.last_has_line {
            // Django's older layout: `  12.     return total / pieces`.
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            if let Some(source) = text[digits..].strip_prefix('.') {
                last.line = text[..digits].parse().unwrap_or(0);
                source.trim().clone_into(&mut last.text);
                self.last_has_line = true;
                return true;
            }
        }
        if let Some((numbered, is_it)) = numbered_source(text) {
            if is_it {
                numbered.clone_into(&mut last.text);
            }
            return true;
        }
        let is_arrow = text.starts_with("--");
        let may_point = is_inner || is_arrow || last.text.is_empty();
        if let Some(pointed_at) = pointed_at(text).filter(|_| may_point) {
            pointed_at.clone_into(&mut last.text);
            return true;
        }
        if !last.text.is_empty() {
            return is_inner && self.unknown == 0;
        }
        // Where no source line was printed, there may be a log line.
        let is_next = self.unknown == 0 && self.blanks <= 1;
        if !is_inner && (!is_next || (row.indent < self.frame_indent && is_of_log(text))) {
            return false;
        }
        // Django's page has a button after the source line.
        let text = text.strip_suffix(" …").filter(|_| !self.is_certain).unwrap_or(text);
        text.clone_into(&mut last.text);
        self.text_indent = row.indent;
        self.blanks = 0;
        true
    }

    /// The exception named in the row, if it can be the one that ended the traceback.
    fn ending(&self, row: &Row, text: &str) -> Option<Ending> {
        let exception = exception_line(text)?;
        let needs_text = self.frames.last().is_some_and(|frame| frame.text.is_empty());
        let is_certain = exception.is_certain;
        let is_inner = row.indent > self.frame_indent;
        let may_follow = if is_inner {
            is_certain && !needs_text && row.indent <= self.text_indent
        } else if is_certain {
            true
        } else {
            let is_next = self.unknown == 0 && (self.blanks == 0 || self.has_blanks_between);
            let is_flat = !needs_text && self.text_indent <= self.frame_indent;
            is_next && (row.indent < self.frame_indent || is_flat)
        };
        may_follow.then(|| exception.into())
    }

    /// An exception run together with the last source line.
    fn run_together(&mut self) -> Option<Ending> {
        let last = self.frames.last_mut()?;
        let (at, exception) = exception_within(&last.text)?;
        let ending = last.text[..at].ends_with("  ").then(|| exception.into())?;
        last.text.truncate(last.text[..at].trim_end().len());
        Some(ending)
    }

    /// Whether the innermost frame comes first. The header is unreliable, so the calls in the
    /// source lines decide.
    fn is_reversed(&self) -> bool {
        let says_so = self.header.map(|header| header.is_reversed);
        if says_so == Some(false) {
            return false;
        }
        let calls = |outer: &TextFrame, inner: &TextFrame| {
            let call = format!("{}(", inner.function);
            let found = outer.text.find(&call).filter(|_| !inner.function.is_empty());
            let is_word =
                |at: usize| !outer.text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            found.is_some_and(is_word)
        };
        let pairs = || self.frames.windows(2);
        let down = pairs().filter(|pair| calls(&pair[0], &pair[1])).count();
        let up = pairs().filter(|pair| calls(&pair[1], &pair[0])).count();
        if says_so.is_some() { up >= down } else { down == 0 && up > 1 }
    }

    /// Drops the exception: frames follow, so the line was something else.
    pub(super) fn take_back_exception(&mut self) {
        self.exception = None;
        self.unknown += 1;
    }

    /// The exception with its frames; `None` when it is not a traceback. `known` is the exception
    /// as named elsewhere.
    pub(super) fn close(mut self, known: Option<Ending>) -> Option<(TextException, Vec<Gap>, u32)> {
        if self.frames.len() > MAX_FRAMES {
            self.cut();
        }
        let ending = self.exception.take().or_else(|| self.run_together());
        let ending = ending.or_else(|| self.maybe.take()).or(known);
        if !self.last_has_function && self.frames.len() == 1 && self.header.is_none() {
            let is_syntax = ending.as_ref().is_some_and(|ending| is_syntax_error(&ending.kind));
            if !is_syntax {
                return None;
            }
        }
        let is_traceback = self.is_certain || self.header.is_some() || ending.is_some();
        if self.frames.is_empty() || !is_traceback {
            return None;
        }
        if self.is_reversed() {
            self.frames.reverse();
        }
        let is_dump = self.header.is_some_and(|header| header.is_dump);
        if ending.is_none() && !is_dump {
            self.gaps.push(Gap::CutOff);
        }
        let (exception_type, exception_message) = ending
            .or(self.said_before)
            .map(|ending| (ending.kind, ending.message))
            .unwrap_or_default();
        let exception = TextException { frames: self.frames, exception_type, exception_message };
        Some((exception, self.gaps, self.line))
    }
}

/// The source line that an arrow points at, among lines around it: `> x()`, `----> 11 x()`.
fn pointed_at(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches('-').strip_prefix('>')?;
    let is_arrow = rest.starts_with(char::is_whitespace) || rest.starts_with(char::is_alphabetic);
    let rest = rest.trim_start();
    let number = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let source = if text.starts_with('-') { rest[number..].trim_start() } else { rest };
    (is_arrow && !source.is_empty()).then_some(source)
}

/// `❱ 11 │ return total / pieces` of a box that shows surrounding lines, and whether it is the
/// marked line.
fn numbered_source(text: &str) -> Option<(&str, bool)> {
    let (is_it, rest) = match text.strip_prefix(['❱', '>']) {
        Some(rest) => (true, rest.trim_start()),
        None => (false, text),
    };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let source = rest[digits..].trim_start().strip_prefix('│')?;
    (digits > 0).then(|| (source.trim(), is_it))
}

/// Whether a line looks like a log line rather than source code.
pub(super) fn is_of_log(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    let is_level = exception_line(text).is_none()
        && first.ends_with(':')
        && first.len() > 2
        && first[..first.len() - 1].chars().all(|c| c.is_uppercase() || c == '.' || c == '_');
    // `[error]` and `[2026-…` begin a message, `[self.x])` ends a call.
    let is_bracketed = text.strip_prefix('[').is_some_and(|inner| {
        let word = inner.split(']').next().unwrap_or_default();
        inner.starts_with(|c: char| c.is_ascii_digit())
            || (word.len() < inner.len() && word.chars().all(char::is_alphabetic))
    });
    is_level
        || is_bracketed
        || text.starts_with(|c: char| c.is_ascii_digit())
        || text.starts_with("{\"")
}
