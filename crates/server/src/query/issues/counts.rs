//! Occurrences by the hour, cached in memory because past hours hardly ever change.
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use flawless_store::{HOUR_SUM_BOUND, HourCount, HourSums, Store, StoreError};

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
    sums: HourSums,
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
        let sums = store.hour_sums(from, to).await?;
        let (mut found, stale) = self.known(&sums);
        let mut read = Vec::new();
        if stale.len() <= FEW {
            for hour in stale {
                read.extend(store.hour_counts(hour, hour + 1).await?);
            }
        } else if let (Some(first), Some(last)) = (stale.first(), stale.last()) {
            read = store.hour_counts(*first, *last + 1).await?;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (hour, counts) in read {
            // From the counts themselves, which may be newer than the sums read above.
            let sums = sums_of(hour, &counts);
            let counted = Hour { sums, counts: counts.into() };
            known.insert(hour, counted.clone());
            found.insert(hour, counted);
        }
        drop_oldest(&mut known, from..to, MOST_COUNTS);
        Ok(found.into_iter().collect())
    }

    /// The cached counts that are still valid, and the hours that have changed.
    fn known(&self, sums: &[HourSums]) -> (BTreeMap<i64, Hour>, Vec<i64>) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut found, mut stale) = (BTreeMap::new(), Vec::new());
        for sums in sums {
            match known.get(&sums.hour).filter(|hour| hour.sums == *sums) {
                Some(hour) => {
                    found.insert(sums.hour, hour.clone());
                }
                None => stale.push(sums.hour),
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

fn sums_of(hour: i64, counts: &[HourCount]) -> HourSums {
    HourSums {
        hour,
        issues: i64::try_from(counts.len()).unwrap_or(i64::MAX),
        occurrences: counts.iter().fold(0, |sum, count| sum.saturating_add(count.occurrences)),
        numbers: counts.iter().map(|count| count.issue).sum(),
        products: counts
            .iter()
            .map(|count| (count.issue % HOUR_SUM_BOUND) * (count.occurrences % HOUR_SUM_BOUND))
            .sum(),
        last_at: counts.iter().map(|count| count.last_at).max().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn occurrences_moved_between_issues_change_the_hours_sums() {
        let hour = |counts: [(i64, i64); 2]| {
            sums_of(
                1,
                &counts.map(|(issue, occurrences)| HourCount { issue, occurrences, last_at: 9 }),
            )
        };
        assert_eq!(hour([(1, 5), (2, 3)]), hour([(2, 3), (1, 5)]));
        assert_ne!(hour([(1, 5), (2, 3)]), hour([(1, 3), (2, 5)]));
    }

    #[test]
    fn oversized_span_is_not_kept() {
        let counts: Arc<[HourCount]> =
            (0..10).map(|issue| HourCount { issue, occurrences: 1, last_at: 1 }).collect();
        let hour = |at| Hour { sums: sums_of(at, &counts), counts: counts.clone() };
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
