//! From an occurrence to the queue.
use flawless_client::{Chained, Event, Exception, Frame};

use crate::context;
use crate::guard::client;
use crate::stack::Stack;

/// What occurred.
pub(crate) struct Occurrence<'a> {
    pub(crate) type_name: &'a str,
    pub(crate) mechanism: &'a str,
    pub(crate) handled: bool,
    /// The place of a panic.
    pub(crate) raised_at: Option<(&'a str, u32)>,
    /// The stack on which an error was made, when that is known better than that of its report.
    pub(crate) frames: Option<Vec<Frame>>,
}

/// Counts an occurrence on the stack of the calling thread; `describe` is called if a report is due.
pub(crate) fn occurred(
    occurrence: Occurrence<'_>,
    describe: impl FnOnce() -> (String, Vec<Chained>),
) {
    let Some(client) = client() else { return };
    let Occurrence { type_name, mechanism, handled, raised_at, frames } = occurrence;
    let stack = Stack::here();
    let Some(owed) = client.occurred(stack.key(type_name)) else { return };
    let (message, chain) = describe();
    let frames = frames.unwrap_or_else(|| stack.frames(raised_at));
    let exception =
        Exception { type_name: type_name.to_owned(), message, notes: Vec::new(), frames };
    let mut around = context::current();
    around.handled = Some(handled);
    mechanism.clone_into(&mut around.mechanism);
    around.thread = std::thread::current().name().unwrap_or_default().to_owned();
    owed.report(Event { exception, chain, around, ..Event::default() });
}
