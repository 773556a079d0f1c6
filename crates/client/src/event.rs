//! An exception as a program hands it over: its values are printed, and redacted by name only.
use std::sync::Arc;

use crate::around::Around;
use crate::locals::Locals;
use crate::source::SourceFile;

/// One occurrence with everything reported about it.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// The exception that was raised last; its frames begin with the callers.
    pub exception: Exception,
    /// Its causes, contexts and group members; nearest first.
    pub chain: Vec<Chained>,
    /// Overrides the server's `report_error_threshold`.
    pub error_threshold: Option<i64>,
    /// Free text of the program.
    pub additional_info: String,
    /// The web request that was being served.
    pub request: Option<Request>,
    /// Overrides the host name of the settings.
    pub hostname: Option<String>,
    /// What the program was doing, for whom, and what happened before.
    pub around: Around,
}

/// An exception with its stack.
#[derive(Debug, Clone, Default)]
pub struct Exception {
    /// Full path of the type, e.g. `builtins.ValueError`.
    pub type_name: String,
    /// As the language prints it, e.g. `ValueError('no price')`.
    pub message: String,
    /// Notes added to it later (PEP 678), printed like values.
    pub notes: Vec<String>,
    /// Outermost first.
    pub frames: Vec<Frame>,
}

/// How an exception in the chain relates to its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// The parent was raised from this one.
    Cause,
    /// The parent was raised while this one was handled.
    Context,
    /// The parent is a group that holds this one.
    Member,
}

/// An exception in the chain.
#[derive(Debug, Clone)]
pub struct Chained {
    /// The exception itself.
    pub exception: Exception,
    /// Its relation to its parent.
    pub relation: Relation,
    /// Index in the chain of its parent; `None` is the event's own exception.
    pub parent: Option<usize>,
}

/// One line of the stack.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Path of the source file; absolute if the file exists.
    pub path: Arc<str>,
    /// Line number from 1.
    pub line: u32,
    /// Plain name of the function.
    pub function: Arc<str>,
    /// The source of its text.
    pub source: Source,
    /// Names and printed values; `None` when they were not captured.
    pub locals: Option<Locals>,
}

/// Where the source text of a frame is.
#[derive(Debug, Clone)]
pub enum Source {
    /// Only this line is known; it may be empty.
    Line(String),
    /// The line of the frame in this file, with those around it.
    File(Arc<SourceFile>),
}

/// A web request as received.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// E.g. `POST`.
    pub method: String,
    /// Includes the query.
    pub path: String,
    /// E.g. `HTTP/1.1`.
    pub protocol: String,
    /// In display order.
    pub headers: Vec<(String, String)>,
    /// The beginning of the form body, where the program has read it.
    pub body: String,
    /// The client's address, if the program wants it reported.
    pub client_address: Option<String>,
}

const INFO: usize = 64 * 1024;
const REQUEST_PART: usize = 16 * 1024;
const HEADERS: usize = 200;

fn cut(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate((0..=bytes).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0));
        text.push_str("...");
        text.shrink_to_fit();
    }
}

impl Event {
    /// Cuts the program's additions to the exception: information to 64 KiB, each part of the
    /// request to 16 KiB.
    pub(crate) fn bound(&mut self) {
        cut(&mut self.additional_info, INFO);
        let Some(request) = &mut self.request else { return };
        request.headers.truncate(HEADERS);
        let headers = request.headers.iter_mut().flat_map(|(name, value)| [name, value]);
        let parts = [&mut request.method, &mut request.path, &mut request.protocol];
        headers.chain(parts).chain([&mut request.body]).for_each(|part| cut(part, REQUEST_PART));
    }

    /// The event without the values of variables.
    pub(crate) fn without_locals(&self) -> Self {
        let mut event = self.clone();
        let chained = event.chain.iter_mut().map(|chained| &mut chained.exception);
        for exception in chained.chain([&mut event.exception]) {
            exception.frames.iter_mut().for_each(|frame| frame.locals = None);
        }
        event
    }

    /// Whether the event has values of variables.
    pub(crate) fn has_locals(&self) -> bool {
        let chained = self.chain.iter().map(|chained| &chained.exception);
        let mut frames = chained.chain([&self.exception]).flat_map(|exception| &exception.frames);
        frames.any(|frame| frame.locals.is_some())
    }

    /// Its approximate size in bytes, without source files, which are shared.
    #[must_use]
    pub fn size(&self) -> usize {
        let exceptions = std::iter::once(&self.exception);
        let exceptions = exceptions.chain(self.chain.iter().map(|chained| &chained.exception));
        let request = self.request.as_ref().map_or(0, |request| {
            let headers = request.headers.iter().map(|(name, value)| name.len() + value.len());
            request.path.len() + request.body.len() + headers.sum::<usize>()
        });
        let stacks: usize = exceptions.map(Exception::size).sum();
        size_of::<Self>() + stacks + self.additional_info.len() + request + self.around.size()
    }
}

impl Exception {
    fn size(&self) -> usize {
        let frames = self.frames.iter().map(Frame::size).sum::<usize>();
        let notes = self.notes.iter().map(String::len).sum::<usize>();
        size_of::<Self>() + self.type_name.len() + self.message.len() + notes + frames
    }
}

impl Frame {
    fn size(&self) -> usize {
        size_of::<Self>() + self.locals.as_ref().map_or(0, Locals::size)
    }
}
