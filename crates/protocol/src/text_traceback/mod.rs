//! Tracebacks as programs print them and as people log and paste them: those of Python here, those of
//! other languages in `languages`.
//!
//! The stages, one file each: decode bytes (`bytes`), unwrap lines (`containers`, with `escapes`,
//! `strings` and `html`), remove colours (`colours`), find blocks that may hold a traceback
//! (`blocks`), straighten typographic quotes (`quotes`), separate programs that log at the same
//! time (`streams`), rejoin broken lines (`rewrap`), strip prefixes (`margin`, `rows`), and build
//! exceptions from rows (`grammar`, `tree`). The forms of single lines are in `frame`, `exception`
//! and `words`.

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
mod languages;
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
pub use languages::{TextLanguage, read_one};

/// Real tracebacks are shorter; this bounds the memory that a hostile text can use.
const MAX_FRAMES: usize = 10_000;

/// The tracebacks of a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The tracebacks in order. Exceptions that belong together form one.
    pub tracebacks: Vec<TextTraceback>,
    /// The first line that has words of a traceback, from 1, whether it could be read or not.
    pub mentioned_at: Option<u32>,
}

/// A printed traceback, with all exceptions that belong to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextTraceback {
    /// The exception that left the program: the one that was printed last, or a group.
    pub exception: TextException,
    /// The exceptions that led to it, its group members, and those it brought from another process;
    /// nearest first.
    pub chain: Vec<TextChained>,
    /// The parts that are missing or could not be read.
    pub gaps: Vec<Gap>,
    /// The line of the input where it begins, from 1.
    pub line: u32,
}

/// A printed exception.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextException {
    /// Outermost first; empty when it was printed without frames.
    pub frames: Vec<TextFrame>,
    /// As printed, e.g. `ZeroDivisionError` or `shop.errors.EmptyCart`; empty when cut off.
    pub exception_type: String,
    /// The rest of the line after the type.
    pub exception_message: String,
}

/// An exception other than the one that left the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextChained {
    /// The exception.
    pub exception: TextException,
    /// Its relation to the exception it belongs to.
    pub relation: TextRelation,
    /// Index in the chain of the exception it belongs to, smaller than its own; `None` is the one
    /// that left the program.
    pub parent: Option<usize>,
}

/// The relation of an exception to the one it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextRelation {
    /// The other was raised because of this one.
    Cause,
    /// The other was raised while this one was handled.
    Context,
    /// The other is a group that this one is a member of.
    Member,
    /// The other's message holds this one, as printed in another process.
    Remote,
}

/// One printed frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextFrame {
    /// Path as printed; in some languages the mere name of the file, or empty when it is unknown.
    pub path: String,
    /// The class or module, where that says in which folder the file is.
    pub module: String,
    /// Line number from 1; 0 when the printed one is invalid.
    pub line: u32,
    /// Column from 1; 0 when none was printed.
    pub column: u32,
    /// Function name; `<module>` at the top of a file, empty for the place of a `SyntaxError`.
    pub function: String,
    /// The source line below it; empty when it was not printed.
    pub text: String,
}

/// Reads all tracebacks in `bytes`, whatever encoding, container or layout they are in. Only a text
/// without any of Python is searched for those of other languages: it may quote them.
pub fn read(bytes: &[u8]) -> Reading {
    let text = bytes::decode(bytes);
    let python = read_text(&text);
    if !python.tracebacks.is_empty() {
        return python;
    }
    let other = languages::read_all(&text);
    if other.tracebacks.is_empty() { python } else { other }
}

/// Reads all tracebacks of Python in `text`.
pub fn read_text(text: &str) -> Reading {
    let mut reading = Reading::default();
    for block in blocks::blocks(text) {
        reading.mentioned_at = reading.mentioned_at.or(block.mentioned_at);
        reading.tracebacks.extend(grammar::tracebacks(&block));
    }
    reading
}

/// The traceback from another process that an exception carries in its message, as in
/// `multiprocessing`, `concurrent.futures`, joblib, billiard, Ray and the like. `message` is the
/// exception as text or as its `repr`. Returns `None` when it holds no frame.
pub fn remote_traceback(message: &str) -> Option<TextTraceback> {
    // The first one holds the others, which the worker's own workers raised.
    read_text(message).tracebacks.into_iter().next()
}
