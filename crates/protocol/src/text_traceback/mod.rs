//! Tracebacks of Python, as programs print them and as people log and paste them.
//!
//! Stages, a file each: bytes to text (`bytes`), lines out of what wraps them up (`containers`,
//! with `escapes`, `strings` and `html`), colours out (`colours`), blocks around anything that may be a
//! traceback (`blocks`), typographic quotes (`quotes`), programs that
//! log at once apart (`streams`), broken lines together (`rewrap`), prefixes off (`margin`, `rows`), and
//! from rows to exceptions (`grammar`, `tree`), with the forms of single lines in `frame`,
//! `exception` and `words`.

mod blocks;
mod bytes;
mod colours;
mod containers;
mod escapes;
mod exception;
mod frame;
mod gap;
mod grammar;
mod html;
mod margin;
mod open;
mod quotes;
mod rewrap;
mod rows;
mod streams;
mod strings;
mod tree;
mod words;

pub use gap::Gap;

/// A traceback in a log is short; this bounds what a hostile text can make us hold.
const MAX_FRAMES: usize = 10_000;

/// What a text holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The tracebacks, in their order. Exceptions that belong together are one.
    pub tracebacks: Vec<TextTraceback>,
    /// The first line that has words of a traceback, from 1, whether it could be read or not.
    pub mentioned_at: Option<u32>,
}

/// A printed traceback, with all exceptions that were printed as a part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextTraceback {
    /// The exception that left the program: the one that was printed last, or a group.
    pub exception: TextException,
    /// The exceptions that led to it, that it is a group of, or that it brought from another
    /// process; the nearest first.
    pub chain: Vec<TextChained>,
    /// What of it was not there or could not be read.
    pub gaps: Vec<Gap>,
    /// The line of the input where it begins, from 1.
    pub line: u32,
}

/// A printed exception.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextException {
    /// Outermost first; empty when it was printed without.
    pub frames: Vec<TextFrame>,
    /// As printed, e.g. `ZeroDivisionError` or `shop.errors.EmptyCart`; empty when cut off.
    pub exception_type: String,
    /// The rest of the line behind the type.
    pub exception_message: String,
}

/// An exception beside the one that left the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextChained {
    /// The exception.
    pub exception: TextException,
    /// What it is to the exception that it belongs to.
    pub relation: TextRelation,
    /// Index in the chain of the exception that it belongs to, smaller than its own; `None`: the
    /// one that left the program.
    pub parent: Option<usize>,
}

/// What an exception is to the one that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRelation {
    /// It was raised because of this one.
    Cause,
    /// It was raised while this one was handled.
    Context,
    /// This is one of the exceptions that it is a group of.
    Member,
    /// Its message holds this one, as it was printed in another process.
    Remote,
}

/// One printed frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextFrame {
    /// Path as printed.
    pub path: String,
    /// Line number from 1; 0 when the printed one is none.
    pub line: u32,
    /// Function name; `<module>` at the top of a file, empty for the place of a `SyntaxError`.
    pub function: String,
    /// The source line below it; empty when it was not printed.
    pub text: String,
}

/// Reads all tracebacks in `bytes`, whatever encoding, container or layout they are in.
pub fn read(bytes: &[u8]) -> Reading {
    read_text(&bytes::decode(bytes))
}

/// Reads all tracebacks in `text`.
pub fn read_text(text: &str) -> Reading {
    let mut reading = Reading::default();
    for block in blocks::blocks(text) {
        reading.mentioned_at = reading.mentioned_at.or(block.mentioned_at);
        reading.tracebacks.extend(grammar::tracebacks(&block));
    }
    reading
}

/// The traceback of another process that an exception brought along in its message, as those of
/// `multiprocessing`, `concurrent.futures`, joblib, billiard, Ray and the like do. `message` is
/// the exception as text or as its `repr`; `None` when no frame stands in it.
pub fn remote_traceback(message: &str) -> Option<TextTraceback> {
    // The first one holds the others: what a worker's own workers raised.
    read_text(message).tracebacks.into_iter().next()
}
