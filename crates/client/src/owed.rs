//! A report that is owed for counted occurrences: either it is made, or they count as lost.
use crate::client::Client;
use crate::event::Event;
use crate::thinning::{Due, StackKey};

/// Occurrences that were counted and are to be reported with one event. If it is dropped without an
/// event, for example because capturing failed, they count as lost.
#[derive(Debug)]
#[must_use = "dropped, it counts its occurrences as lost"]
pub struct Owed<'a> {
    client: &'a Client,
    stack: StackKey,
    /// Its count is zero once the event is reported.
    due: Due,
}

impl<'a> Owed<'a> {
    pub(crate) fn new(client: &'a Client, stack: StackKey, due: Due) -> Self {
        Self { client, stack, due }
    }

    /// The program does not want it reported, so nothing is lost.
    pub fn withdraw(mut self) {
        self.due.count = 0;
    }

    /// Reports the event, which stands for all owed occurrences.
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
