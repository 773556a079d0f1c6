//! A report that is owed for what occurred: it is made, or the server is told that it is lost.
use crate::client::Client;
use crate::event::Event;
use crate::thinning::StackKey;

/// Occurrences that were counted and are to be reported with one event. Dropped without it, be it
/// that capturing the event failed, they are counted as lost.
#[derive(Debug)]
#[must_use = "dropped, it counts its occurrences as lost"]
pub struct Owed<'a> {
    client: &'a Client,
    stack: StackKey,
    /// Zero once it is reported.
    count: u64,
}

impl<'a> Owed<'a> {
    pub(crate) fn new(client: &'a Client, stack: StackKey, count: u64) -> Self {
        Self { client, stack, count }
    }

    /// Reports the event; it stands for all of them.
    pub fn report(mut self, event: Event) {
        self.client.report(self.stack, event, std::mem::take(&mut self.count));
    }
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        if self.count > 0 {
            self.client.lose(self.count);
        }
    }
}
