//! Whether the mirror is new enough to trust its answer about a report. If it is not, a fetch is
//! requested once, and the answer is trusted after a fetch that began later.
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flawless_base::clock::since_now;
use flawless_git::{FetchTicket, Mirror};
use tokio::time::Instant;

/// Limit of remembered requests. Reports beyond it ask again at each attempt.
const MAX_TICKETS: usize = 10_000;
/// Limit of remembered revisions that never arrived.
const MAX_IN_VAIN: usize = 1_000;
/// How long a report that names a revision that never arrived does not wait for it again.
const IN_VAIN_FOR: Duration = Duration::from_secs(3_600);

/// How long a report waits for a fetch before the current answer is used.
const WAITS_MS: i64 = 10 * 60_000;

/// The fetches that reports wait for. They are lost at a restart.
#[derive(Debug, Default)]
pub(super) struct Tickets(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    by_fingerprint: HashMap<String, Waiting>,
    in_vain: HashMap<String, Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    ticket: FetchTicket,
    since: i64,
}

/// How far the answer of the mirror about a report may be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Believed {
    /// The answer is final.
    Yes,
    /// Not yet: a fetch was requested.
    Deferred,
    /// For now, because the report has waited long enough; a fetch may show more.
    ForNow,
}

/// The state of one report.
pub(super) struct Freshness<'a> {
    tickets: &'a Tickets,
    fingerprint: &'a str,
}

impl Tickets {
    pub(super) fn of<'a>(&'a self, fingerprint: &'a str) -> Freshness<'a> {
        Freshness { tickets: self, fingerprint }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Memory) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Freshness<'_> {
    /// Whether the mirror has been fetched since this report first needed it, and has the revision
    /// that the report names, if that was `missing`; or whether the report has waited long enough.
    pub(super) fn of_mirror(
        &mut self,
        mirror: &Mirror,
        missing: Option<&str>,
        now: i64,
    ) -> Believed {
        let known =
            self.tickets.with(|memory| memory.by_fingerprint.get(self.fingerprint).copied());
        let is_fetched = known.is_some_and(|waiting| mirror.is_fetched(waiting.ticket));
        let is_awaited = missing.is_some_and(|name| self.is_awaited(name));
        if is_fetched && !is_awaited {
            return Believed::Yes;
        }
        let ticket = mirror.ask_for_fetch(missing);
        let waiting = known.unwrap_or(Waiting { ticket, since: now });
        self.tickets.with(|memory| {
            if known.is_some() || memory.by_fingerprint.len() < MAX_TICKETS {
                // A clock that was ahead must not prolong the wait.
                let since = waiting.since.min(now);
                let waiting = Waiting { since, ..waiting };
                memory.by_fingerprint.insert(self.fingerprint.to_owned(), waiting);
            }
        });
        if now - waiting.since >= WAITS_MS { Believed::ForNow } else { Believed::Deferred }
    }

    /// A commit may be pushed a little after it starts to run; a name that the remote does not know
    /// will not be known later.
    fn is_awaited(&self, name: &str) -> bool {
        flawless_core::CommitId::parse(name.trim()).is_some()
            && self.tickets.with(|memory| {
                memory.in_vain.get(name).is_none_or(|since| since.elapsed() > IN_VAIN_FOR)
            })
    }

    /// The report is counted, and waits for nothing more.
    pub(super) fn end(self) {
        self.tickets.with(|memory| memory.by_fingerprint.remove(self.fingerprint));
    }

    /// The report is counted for now. A later fetch has the last word, also about the revision
    /// `missing`, for which it waited in vain.
    pub(super) fn end_for_now(self, missing: Option<&str>) {
        let Some(name) = missing else { return };
        self.tickets.with(|memory| {
            if memory.in_vain.len() >= MAX_IN_VAIN {
                memory.in_vain.clear();
            }
            memory.in_vain.insert(name.to_owned(), since_now());
        });
    }
}
