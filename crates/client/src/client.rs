//! The client of one process.
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::delivery::Delivery;
use crate::event::Event;
use crate::owed::Owed;
use crate::queue::Waiting;
use crate::settings::Settings;
use crate::thinning::{Due, StackKey, Thinning, Unreported};

/// Counts occurrences, and sends reports from a thread of its own. Only [`Client::flush`] fails or
/// waits for a server.
///
/// It belongs to the process that made it. After a `fork` the child makes its own from
/// [`Client::settings`] and forgets (`std::mem::forget`) this one: its thread is not there, and its
/// locks may be held forever.
#[derive(Debug)]
pub struct Client {
    delivery: Arc<Delivery>,
    thinning: Mutex<Thinning>,
}

impl Client {
    /// A client that has sent nothing yet. Its thread starts with the first report.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self { delivery: Arc::new(Delivery::new(settings)), thinning: Mutex::default() }
    }

    /// The settings that the client was made with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        self.delivery.settings()
    }

    /// Counts an occurrence of a stack. Returns `Some` when a report of it is owed.
    #[must_use]
    pub fn occurred(&self, stack: StackKey) -> Option<Owed<'_>> {
        let (due, forgotten) = self.with_thinning(|seen| seen.count(stack, clock::now()));
        forgotten.into_iter().for_each(|unreported| self.push_unreported(unreported));
        due.map(|due| Owed::new(self, stack, due))
    }

    /// Sends an event that stands for one or more occurrences of this stack.
    pub(crate) fn report(&self, stack: StackKey, mut event: Event, due: Due) {
        event.bound();
        let event = Arc::new(event);
        self.with_thinning(|seen| seen.keep(stack, &event));
        self.delivery.push(Waiting::new(stack, event, due.count, due.is_first));
    }

    /// Records occurrences that could not be captured; the server is told how many.
    pub(crate) fn lose(&self, occurrences: u64) {
        self.delivery.lose(occurrences);
    }

    /// Sends the counted occurrences and the queue. Returns `true` when a server took all of it and
    /// nothing was refused or lost since the last call. It returns early when no server takes
    /// reports.
    pub fn flush(&self, limit: Duration) -> bool {
        self.flush_while(limit, || true)
    }

    /// Like [`Client::flush`], but gives up with `false` as soon as `goes_on` returns `false`. It
    /// asks several times a second.
    pub fn flush_while(&self, limit: Duration, mut goes_on: impl FnMut() -> bool) -> bool {
        let unreported = self.with_thinning(Thinning::take_unreported);
        unreported.into_iter().for_each(|unreported| self.push_unreported(unreported));
        self.delivery.flush(limit, &mut goes_on)
    }

    /// Takes over another client's counts, queue and losses.
    pub fn take_over(&self, other: &Self) {
        other.forget_stacks();
        self.delivery.take_over(&other.delivery);
    }

    /// Ends an idle thread before the process forks, since Python warns when a process with threads
    /// forks. The next report starts another.
    pub fn pause(&self) {
        self.delivery.pause();
    }

    /// Forgets which stacks were seen, as if the program had just started. Their counts are sent.
    pub fn forget_stacks(&self) {
        let unreported = self.with_thinning(Thinning::forget);
        unreported.into_iter().for_each(|unreported| self.push_unreported(unreported));
    }

    /// A problem with sending that the user should know about, at most once in a process.
    #[must_use]
    pub fn take_warning(&self) -> Option<String> {
        self.delivery.take_warning()
    }

    fn push_unreported(&self, Unreported { stack, event, count }: Unreported) {
        match event {
            Some(event) => self.delivery.push(Waiting::new(stack, event, count, false)),
            None => self.lose(count),
        }
    }

    fn with_thinning<T>(&self, work: impl FnOnce(&mut Thinning) -> T) -> T {
        work(&mut self.thinning.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Waiting reports are still sent.
impl Drop for Client {
    fn drop(&mut self) {
        self.delivery.end();
    }
}
