//! Occurrences by the hour, cached in memory because past hours hardly ever change.
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use flawless_store::{HourCount, HourState, Store, StoreError};

/// At most this many counts are cached: some megabytes.
const MOST_COUNTS: usize = 400_000;
/// Up to this many changed hours are read one by one, more in a single query.
const FEW: usize = 6;

/// The counts of recently requested hours.
#[derive(Debug, Default)]
pub(crate) struct Counts(Mutex<BTreeMap<i64, Hour>>);

/// The counts of one hour.
#[derive(Debug, Clone)]
pub(crate) struct Hour {
    state: HourState,
    pub(crate) counts: Arc<[HourCount]>,
}

impl Counts {
    /// The counts of each hour in `[from, to)`, hours since 1970, in which anything occurred.
    pub(crate) async fn between(
        &self,
        store: &Store,
        from: i64,
        to: i64,
    ) -> Result<Vec<(i64, Hour)>, StoreError> {
        let states = store.hour_states(from, to).await?;
        let (mut found, stale) = self.known(&states);
        let mut read = Vec::new();
        if stale.len() <= FEW {
            for hour in stale {
                read.extend(store.hour_counts(hour, hour + 1).await?);
            }
        } else if let (Some(first), Some(last)) = (stale.first(), stale.last()) {
            read = store.hour_counts(*first, *last + 1).await?;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (state, counts) in read {
            // As it was when the counts were read, which may be later than above.
            let counted = Hour { state, counts: counts.into() };
            known.insert(state.hour, counted.clone());
            found.insert(state.hour, counted);
        }
        drop_oldest(&mut known, from..to, MOST_COUNTS);
        Ok(found.into_iter().collect())
    }

    /// The cached counts that are still valid, and the hours that have changed.
    fn known(&self, states: &[HourState]) -> (BTreeMap<i64, Hour>, Vec<i64>) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut found, mut stale) = (BTreeMap::new(), Vec::new());
        for state in states {
            match known.get(&state.hour).filter(|hour| hour.state == *state) {
                Some(hour) => {
                    found.insert(state.hour, hour.clone());
                }
                None => stale.push(state.hour),
            }
        }
        (found, stale)
    }
}

/// Shrinks the cache: drops hours outside of `asked` first, then the oldest.
fn drop_oldest(known: &mut BTreeMap<i64, Hour>, asked: Range<i64>, most: usize) {
    let mut kept: usize = known.values().map(|hour| hour.counts.len()).sum();
    if kept <= most {
        return;
    }
    known.retain(|hour, _| asked.contains(hour));
    kept = known.values().map(|hour| hour.counts.len()).sum();
    while kept > most
        && let Some((_, oldest)) = known.pop_first()
    {
        kept -= oldest.counts.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oversized_span_is_not_kept() {
        let counts: Arc<[HourCount]> =
            (0..10).map(|issue| HourCount { issue, occurrences: 1, last_at: 1 }).collect();
        let state = |hour| HourState { hour, revision: 1 };
        let hour = |at| Hour { state: state(at), counts: counts.clone() };
        let kept = |most| {
            let mut known: BTreeMap<i64, Hour> = (0..6).map(|at| (at, hour(at))).collect();
            drop_oldest(&mut known, 2..5, most);
            known.into_keys().collect::<Vec<_>>()
        };
        assert_eq!(kept(60), [0, 1, 2, 3, 4, 5]);
        assert_eq!(kept(59), [2, 3, 4]);
        assert_eq!(kept(25), [3, 4], "the newest that fit");
        assert!(kept(9).is_empty());
    }
}
