//! When our mirror is fetched: at intervals, and when a report needs more than it has. A report
//! that needs a fetch requests one and is tried again later; nothing waits for the remote.
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flawless_core::CommitId;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::clock;
use crate::error::GitError;

/// The usual shortest time between two requested fetches.
pub const FETCH_ASKED_EVERY: Duration = Duration::from_secs(10);
/// Time limit of a fetch, and its maximum after earlier ones timed out.
const FIRST_LIMIT: Duration = Duration::from_secs(60);
const LONGEST_LIMIT: Duration = Duration::from_secs(600);
/// Number of commits that are fetched by their ids after a fetch that did not bring them.
const MAX_IDS: usize = 8;

/// Identifies the next fetch to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchTicket(u64);

/// The results of a mirror's fetches, and the commits that the next one must bring.
#[derive(Debug)]
pub(crate) struct Fetching {
    /// The shortest time between two requested fetches.
    asked_every: Duration,
    /// Held while the mirror is written.
    pub(crate) writing: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    asked: Notify,
}

#[derive(Debug, Default)]
struct State {
    begun: u64,
    /// The number of the last successful fetch.
    succeeded: u64,
    ended_at: Option<Instant>,
    /// How many fetches in a row timed out.
    timed_out: u32,
    ids: Vec<CommitId>,
}

impl Fetching {
    pub(crate) fn new(asked_every: Duration) -> Self {
        let (writing, state, asked) = Default::default();
        Self { asked_every, writing, state, asked }
    }

    /// Requests a fetch, which must bring this commit even when no branch has it.
    pub(crate) fn ask(&self, id: Option<&CommitId>) -> FetchTicket {
        let mut state = self.state();
        if let Some(id) = id
            && state.ids.len() < MAX_IDS
            && !state.ids.contains(id)
        {
            state.ids.push(id.clone());
        }
        self.asked.notify_one();
        FetchTicket(state.begun + 1)
    }

    /// Whether a fetch that began after the ticket was issued has succeeded.
    pub(crate) fn is_done(&self, ticket: FetchTicket) -> bool {
        self.state().succeeded >= ticket.0
    }

    /// Returns when a fetch was requested and it is not too soon after the last one.
    pub(crate) async fn is_asked_for(&self) {
        self.asked.notified().await;
        let next = self.state().ended_at.map(|ended| ended + self.asked_every);
        if let Some(next) = next {
            tokio::time::sleep_until(next).await;
        }
    }

    /// Whether the last fetch ended so recently that another one is too soon.
    pub(crate) fn is_too_soon(&self) -> bool {
        self.state().ended_at.is_some_and(|ended| ended.elapsed() < self.asked_every)
    }

    /// Begins a fetch: its number and its time limit.
    pub(crate) fn begin(&self) -> (u64, Duration) {
        let mut state = self.state();
        state.begun += 1;
        let limit = FIRST_LIMIT.saturating_mul(1 << state.timed_out.min(8)).min(LONGEST_LIMIT);
        (state.begun, limit)
    }

    /// The commits that a fetch must bring by their ids.
    pub(crate) fn take_ids(&self) -> Vec<CommitId> {
        std::mem::take(&mut self.state().ids)
    }

    /// Notes the result of a fetch, which includes reading the new tip.
    pub(crate) fn end(&self, number: u64, result: Result<(), &GitError>) {
        let mut state = self.state();
        state.ended_at = Some(clock::now());
        match result {
            Ok(()) => {
                state.succeeded = state.succeeded.max(number);
                state.timed_out = 0;
            }
            Err(error) => {
                let too_long = matches!(error, GitError::TimedOut { .. });
                state.timed_out = if too_long { state.timed_out.saturating_add(1) } else { 0 };
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticket_is_fulfilled_only_by_a_later_successful_fetch() {
        let fetching = Fetching::new(FETCH_ASKED_EVERY);
        let (running, _) = fetching.begin();
        let ticket = fetching.ask(None);
        fetching.end(running, Ok(()));
        assert!(!fetching.is_done(ticket), "it began before");
        let (next, _) = fetching.begin();
        assert!(!fetching.is_done(ticket));
        fetching.end(next, Err(&GitError::NoTip(String::new())));
        assert!(!fetching.is_done(ticket), "it failed");
        let (next, _) = fetching.begin();
        fetching.end(next, Ok(()));
        assert!(fetching.is_done(ticket));
    }

    #[test]
    fn fetch_timeout_grows_up_to_a_limit() {
        let fetching = Fetching::new(FETCH_ASKED_EVERY);
        let timed_out =
            GitError::TimedOut { command: String::new(), limit: Duration::from_secs(1) };
        let limits = std::array::from_fn::<u64, 6, _>(|_| {
            let (number, limit) = fetching.begin();
            fetching.end(number, Err(&timed_out));
            limit.as_secs()
        });
        assert_eq!(limits, [60, 120, 240, 480, 600, 600]);
        let (number, _) = fetching.begin();
        fetching.end(number, Ok(()));
        assert_eq!(fetching.begin().1, FIRST_LIMIT);
    }

    #[test]
    fn wanted_commits_are_kept_until_a_fetch_takes_them() {
        let fetching = Fetching::new(FETCH_ASKED_EVERY);
        let id = CommitId::parse(&"a1".repeat(20)).expect("an id");
        fetching.ask(Some(&id));
        fetching.ask(Some(&id));
        let (number, _) = fetching.begin();
        fetching.end(number, Err(&GitError::NoTip(String::new())));
        assert_eq!(fetching.take_ids(), [id]);
        assert!(fetching.take_ids().is_empty());
    }
}
