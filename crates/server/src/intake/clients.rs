//! Which clients have reported since the server was started, by the names they give themselves.
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use flawless_base::clock::Clock;
use flawless_base::text::one_line;
use serde::Serialize;

/// Counts reports by client; bounded.
#[derive(Debug)]
pub struct ClientsSeen {
    clock: Clock,
    seen: Mutex<BTreeMap<String, (u64, i64)>>,
}

/// A client and how much it reported.
#[derive(Debug, Clone, Serialize)]
pub struct SeenClient {
    /// As it calls itself, e.g. `flawless-client/0.5.0`.
    pub name: String,
    /// How many reports.
    pub reports: u64,
    /// The last one.
    pub last_at: i64,
}

/// Further names than this many are counted together.
const MAX_NAMES: usize = 20;
const OTHERS: &str = "others";

impl ClientsSeen {
    /// A list without clients.
    pub fn new(clock: Clock) -> Self {
        Self { clock, seen: Mutex::default() }
    }

    /// Counts a report of a client with this name.
    pub fn note(&self, name: &str) {
        let now = self.clock.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((reports, last_at)) = seen.get_mut(name) {
            (*reports, *last_at) = (*reports + 1, now);
            return;
        }
        let known = one_line(name, 60);
        let is_other = known.is_empty() || (seen.len() >= MAX_NAMES && !seen.contains_key(&known));
        let known = if is_other { OTHERS.to_owned() } else { known };
        let (reports, last_at) = seen.entry(known).or_default();
        (*reports, *last_at) = (*reports + 1, now);
    }

    /// All of them, by name.
    pub fn all(&self) -> Vec<SeenClient> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let client = |(name, (reports, last_at)): (&String, &(u64, i64))| SeenClient {
            name: name.clone(),
            reports: *reports,
            last_at: *last_at,
        };
        seen.iter().map(client).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_are_counted_by_name_and_their_number_is_bounded() {
        let seen = ClientsSeen::new(Clock::fixed(7));
        seen.note("flawless-client/0.5.0");
        seen.note("flawless-client/0.5.0");
        for number in 0..100 {
            seen.note(&format!("{} {number}", "x\u{202e}".repeat(100)));
            seen.note(&format!("client/{number}"));
        }
        let all = seen.all();
        assert!(all.len() <= MAX_NAMES + 1, "{all:?}");
        assert_eq!(all.iter().map(|client| client.reports).sum::<u64>(), 202);
        let known = all.iter().find(|client| client.name == "flawless-client/0.5.0");
        assert_eq!(known.map(|client| (client.reports, client.last_at)), Some((2, 7)));
    }
}
