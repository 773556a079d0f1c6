//! Decides whether a report may wait for attribution: by the quota of its sender, and by how many
//! reports wait already.
use std::collections::HashMap;

use flawless_core::Report;
use flawless_store::{DayUse, NewPending, Quotas, StoreError, UsedUp, WriteTx, encode_sample};

use super::bare_report::{MAX_BARE, bare};

/// Limit of reports that wait for attribution, in total and per sender. Further ones are refused.
const MAX_WAITING: i64 = 50_000;
const MAX_WAITING_OF_SENDER: i64 = 10_000;

/// What the quotas leave while a batch is recorded. It is read on first use, because most batches
/// do not need it.
pub(super) struct Capacity {
    quotas: Quotas,
    now: i64,
    day_use: Option<DayUse>,
    /// Waiting reports by sender.
    waiting: Option<HashMap<String, i64>>,
}

/// How a report that is to be attributed was kept.
pub(super) enum Kept {
    Waits,
    /// Its sender has used up a quota, and even its bare report is too large.
    OverQuota(UsedUp),
    TooManyWait,
}

impl Capacity {
    pub(super) fn new(quotas: Quotas, now: i64) -> Self {
        Self { quotas, now, day_use: None, waiting: None }
    }

    async fn day_use(&mut self, tx: &mut WriteTx) -> Result<&mut DayUse, StoreError> {
        Ok(match &mut self.day_use {
            Some(day_use) => day_use,
            none => none.insert(tx.day_use(self.quotas, self.now).await?),
        })
    }

    async fn waiting(&mut self, tx: &mut WriteTx) -> Result<&mut HashMap<String, i64>, StoreError> {
        Ok(match &mut self.waiting {
            Some(waiting) => waiting,
            none => none.insert(tx.waiting_by_source().await?),
        })
    }

    /// Whether the quota of this sender leaves room for another sample.
    pub(super) async fn has_bytes(
        &mut self,
        tx: &mut WriteTx,
        source: &str,
    ) -> Result<bool, StoreError> {
        Ok(self.day_use(tx).await?.no_bytes(source).is_none())
    }

    /// Charges bytes that are kept to the sender's quota.
    pub(super) async fn add_bytes(
        &mut self,
        tx: &mut WriteTx,
        source: &str,
        bytes: i64,
    ) -> Result<(), StoreError> {
        self.day_use(tx).await?.add(source, 0, bytes);
        Ok(())
    }

    /// Keeps a report until it is attributed: whole, or without its values when its sender has used
    /// up the quota. Its line can be found all the same, and a known line is always counted.
    /// `report` is what `new` was made of, without secrets.
    pub(super) async fn keep(
        &mut self,
        tx: &mut WriteTx,
        mut new: NewPending,
        report: &Report,
    ) -> Result<Kept, StoreError> {
        if let Some(facets) = tx.pending_facets(&new.fingerprint).await? {
            tx.put_pending(&new, &facets).await?;
            return Ok(Kept::Waits);
        }
        let waiting = self.waiting(tx).await?;
        let of_sender = waiting.get(&new.source).copied().unwrap_or_default();
        if of_sender >= MAX_WAITING_OF_SENDER || waiting.values().sum::<i64>() >= MAX_WAITING {
            return Ok(Kept::TooManyWait);
        }
        *waiting.entry(new.source.clone()).or_default() += 1;
        if let Some(used_up) = self.day_use(tx).await?.no_bytes(&new.source) {
            new.body = encode_sample(&bare(report, used_up.0))?;
            if new.body.len() > MAX_BARE {
                return Ok(Kept::OverQuota(used_up));
            }
        }
        let bytes = tx.put_pending(&new, "[]").await?;
        self.add_bytes(tx, &new.source, bytes).await?;
        Ok(Kept::Waits)
    }

    /// Stores the usage of the quotas.
    pub(super) async fn save(self, tx: &mut WriteTx) -> Result<(), StoreError> {
        match self.day_use {
            Some(day_use) => tx.save_day_use(day_use).await,
            None => Ok(()),
        }
    }
}

/// The reason of an outcome when a quota is used up.
pub(super) fn over(used_up: UsedUp) -> String {
    format!("over {}", used_up.0)
}
