//! The stack of the calling thread: its places at once, their names only when a report is due.
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use backtrace::{Backtrace, BacktraceFrame, BacktraceSymbol};
use flawless_client::{Frame, Source, StackKey};

/// A stack that was captured.
pub(crate) struct Stack(Backtrace);

impl Stack {
    pub(crate) fn here() -> Self {
        Self(Backtrace::new_unresolved())
    }

    /// A hash of its places, together with what occurred there.
    pub(crate) fn key(&self, what: &str) -> StackKey {
        let mut hash = DefaultHasher::new();
        what.hash(&mut hash);
        self.0.frames().iter().for_each(|frame| (frame.ip() as usize).hash(&mut hash));
        StackKey(hash.finish())
    }

    /// Its frames, outermost first, without those of this crate and of the machinery of panics. If
    /// the place of a panic is known, it is the innermost one.
    pub(crate) fn frames(mut self, raised_at: Option<(&str, u32)>) -> Vec<Frame> {
        self.0.resolve();
        // Functions that were inlined are symbols of one frame, the innermost first.
        let symbols = self.0.frames().iter().flat_map(BacktraceFrame::symbols);
        let symbols: Vec<&BacktraceSymbol> = symbols.collect();
        let names: Vec<String> = symbols.iter().map(|symbol| name(symbol)).collect();
        let is_ours = |name: &String| MACHINERY.iter().any(|part| name.contains(part));
        let machinery = names.iter().rposition(is_ours).map_or(0, |at| at + 1);
        let is_raised = |symbol: &&BacktraceSymbol| {
            raised_at.is_some_and(|(file, line)| is_at(symbol, file, line))
        };
        let raised = symbols.iter().position(is_raised);
        let first = raised.unwrap_or(machinery);
        let mut frames: Vec<Frame> = symbols
            .iter()
            .zip(&names)
            .skip(first)
            .take(MOST_FRAMES)
            .filter(|(_, name)| !name.is_empty())
            .map(|(symbol, name)| frame(path(symbol), symbol.lineno().unwrap_or(0), name))
            .collect();
        if let (Some((file, line)), None) = (raised_at, raised) {
            frames.insert(0, frame(file.to_owned(), line, ""));
        }
        frames.reverse();
        frames
    }
}

/// Frames of a stack that are sent.
const MOST_FRAMES: usize = 300;

/// Parts of the names of functions up to the one that failed.
const MACHINERY: [&str; 8] = [
    "flawless::panics::",
    "flawless::errors::",
    "flawless::stack::",
    "flawless::reporting::",
    "flawless::layer::",
    "rust_begin_unwind",
    "core::panicking::",
    "std::panicking::begin_panic",
];

pub(crate) fn frame(path: String, line: u32, function: &str) -> Frame {
    Frame {
        path: path.into(),
        line,
        function: Arc::from(function),
        // The server reads the line from the revision that runs.
        source: Source::Line(String::new()),
        locals: None,
    }
}

/// The name of a function without the hash that older compilers add.
fn name(symbol: &BacktraceSymbol) -> String {
    symbol.name().map(|name| format!("{name:#}")).unwrap_or_default()
}

fn path(symbol: &BacktraceSymbol) -> String {
    symbol.filename().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default()
}

/// A panic names its file as the compiler was given it, which is often relative.
fn is_at(symbol: &BacktraceSymbol, file: &str, line: u32) -> bool {
    symbol.lineno() == Some(line) && symbol.filename().is_some_and(|path| path.ends_with(file))
}
