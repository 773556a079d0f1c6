//! Occurrences by the hour, kept in memory: hours that are over hardly ever change.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::store::{HourCount, HourSums, Store, StoreError};

/// Counts that are remembered: some megabytes.
const MOST_COUNTS: usize = 400_000;
/// So many hours that have changed are read one by one, more of them all together.
const FEW: usize = 6;

/// The counts of the hours that were asked for last.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<BTreeMap<i64, Hour>>);

/// The counts of one hour.
#[derive(Debug, Clone)]
pub(super) struct Hour {
    sums: HourSums,
    pub(super) counts: Arc<[HourCount]>,
}

impl Counts {
    /// The counts of each hour in `[from, to)`, hours since 1970, in which anything occurred.
    pub(super) async fn between(
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
            // What was counted since the sums were read is in both.
            let sums = sums_of(hour, &counts);
            let counted = Hour { sums, counts: counts.into() };
            known.insert(hour, counted.clone());
            found.insert(hour, counted);
        }
        let kept: usize = known.values().map(|hour| hour.counts.len()).sum();
        if kept > MOST_COUNTS {
            known.retain(|hour, _| (from..to).contains(hour));
        }
        Ok(found.into_iter().collect())
    }

    /// Those that are still true, and the hours of the others.
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

fn sums_of(hour: i64, counts: &[HourCount]) -> HourSums {
    HourSums {
        hour,
        issues: i64::try_from(counts.len()).unwrap_or(i64::MAX),
        occurrences: counts.iter().fold(0, |sum, count| sum.saturating_add(count.occurrences)),
        numbers: counts.iter().map(|count| count.issue).sum(),
    }
}
