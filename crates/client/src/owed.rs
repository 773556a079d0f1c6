//! A report that is owed for what occurred: it is made, or the server is told that it is lost.
use crate::client::Client;
use crate::event::Event;
use crate::thinning::{Due, StackKey};

/// Occurrences that were counted and are to be reported with one event. Dropped without it, be it
/// that capturing the event failed, they are counted as lost.
#[derive(Debug)]
#[must_use = "dropped, it counts its occurrences as lost"]
pub struct Owed<'a> {
    client: &'a Client,
    stack: StackKey,
    /// Stands for none once it is reported.
    due: Due,
}

impl<'a> Owed<'a> {
    pub(crate) fn new(client: &'a Client, stack: StackKey, due: Due) -> Self {
        Self { client, stack, due }
    }

    /// The program wants it not to be reported: nothing is lost.
    pub fn withdraw(mut self) {
        self.due.count = 0;
    }

    /// Reports the event; it stands for all of them.
    pub fn report(mut self, event: Event) {
        self.client.report(self.stack, event, self.due);
        self.due.count = 0;
    }
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        if self.due.count > 0 {
            self.client.lose(self.due.count);
        }
    }
}
