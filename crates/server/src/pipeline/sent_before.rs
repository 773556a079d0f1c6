//! Recognises reports that were recorded before by their ids: a client that got no answer sends the
//! same report again, seconds later, or after the server was down for days, and it counts once.
//!
//! The newest ids are in memory, and in rows of the store from which they are read after a start: a
//! look-up in the store for each report would cost more than recording it. A report whose id was
//! forgotten counts twice when it is sent again, as a report without an id does.
use std::collections::{HashSet, VecDeque};

use flawless_store::{RecordedIds, Store, StoreError, WriteTx};
use sha2::{Digest, Sha256};

/// Number of remembered ids: five minutes of 800 reports per second. Without new reports none is
/// forgotten, however much time passes.
const MOST: usize = 250_000;
/// Ids are forgotten in batches.
const MORE: usize = MOST / 10;

/// The hash of a report's id. Each source, a project key or the address of a sender without one,
/// has ids of its own, so that nobody can block the reports of others: 64 bits are too many to
/// search for the hash of an unknown id.
pub(super) fn hash_of(source: &str, id: &str) -> u64 {
    let hash = Sha256::new().chain_update(source).chain_update([0]).chain_update(id).finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_be_bytes(first)
}

/// The ids that are known.
#[derive(Debug)]
pub(super) struct SentBefore {
    known: HashSet<u64>,
    /// The same ids, the oldest first.
    in_order: VecDeque<u64>,
    /// The numbers of their rows, with the count of ids in `in_order` that each holds.
    rows: VecDeque<(i64, usize)>,
    most: usize,
    more: usize,
}

/// What a transaction has changed, to be adopted once it is durable.
#[derive(Debug, Default)]
pub(super) struct Written {
    added: Option<RecordedIds>,
    forgotten_rows: usize,
}

impl SentBefore {
    /// Starts with the ids in the store.
    pub(super) async fn read(store: &Store) -> Result<Self, StoreError> {
        let mut sent_before = Self::knowing(MOST, MORE);
        sent_before.catch_up(store).await?;
        Ok(sent_before)
    }

    /// Learns the ids that other servers have recorded since.
    pub(super) async fn catch_up(&mut self, store: &Store) -> Result<(), StoreError> {
        let known = self.rows.back().map_or(0, |(number, _)| *number);
        for ids in store.recorded_ids(known).await? {
            self.add(ids);
        }
        Ok(())
    }

    fn knowing(most: usize, more: usize) -> Self {
        let (known, in_order, rows) = Default::default();
        Self { known, in_order, rows, most, more }
    }

    pub(super) fn contains(&self, id: u64) -> bool {
        self.known.contains(&id)
    }

    /// Stores the ids of the reports that a transaction records.
    pub(super) async fn write(
        &self,
        tx: &mut WriteTx,
        ids: Vec<u64>,
        now: i64,
    ) -> Result<Written, StoreError> {
        if ids.is_empty() {
            return Ok(Written::default());
        }
        let forgotten_rows = self.rows_to_delete(ids.len());
        if let Some((number, _)) =
            forgotten_rows.checked_sub(1).and_then(|last| self.rows.get(last))
        {
            tx.delete_recorded_ids(*number).await?;
        }
        let number = tx.add_recorded_ids(&ids, now).await?;
        Ok(Written { added: Some(RecordedIds { number, hashes: ids }), forgotten_rows })
    }

    /// Adopts what was written, once it is durable.
    pub(super) fn take_over(&mut self, written: Written) {
        for (_, count) in self.rows.drain(..written.forgotten_rows) {
            for id in self.in_order.drain(..count) {
                self.known.remove(&id);
            }
        }
        if let Some(ids) = written.added {
            self.add(ids);
        }
    }

    fn add(&mut self, ids: RecordedIds) {
        self.rows.push_back((ids.number, ids.hashes.len()));
        self.known.extend(&ids.hashes);
        self.in_order.extend(ids.hashes);
    }

    /// Number of the oldest rows to delete before `coming` ids are added.
    fn rows_to_delete(&self, coming: usize) -> usize {
        let mut left = self.in_order.len() + coming;
        if left <= self.most + self.more {
            return 0;
        }
        let is_too_many = |(_, count): &&(i64, usize)| {
            let is_too_many = left > self.most;
            left = left.saturating_sub(*count);
            is_too_many
        };
        self.rows.iter().take_while(is_too_many).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flawless_store::sealing::Sealing;

    #[test]
    fn id_is_known_by_its_source_and_itself() {
        let names =
            [("project key 1", "7"), ("project key 2", "7"), ("project key 1", "8"), ("a", "b")];
        let hashes: HashSet<u64> = names.iter().map(|(source, id)| hash_of(source, id)).collect();
        assert_eq!(hashes.len(), 4);
        assert_ne!(hash_of("a", "bc"), hash_of("ab", "c"));
        assert_eq!(hash_of("a", "b"), hash_of("a", "b"));
    }

    #[tokio::test]
    async fn newest_ids_survive_a_restart_and_the_oldest_are_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), &Sealing::default(), 0).await.expect("a store");
        let mut sent_before =
            SentBefore { most: 100, more: 10, ..SentBefore::read(&store).await.expect("none") };
        for batch in 0..50_u64 {
            let mut tx = store.write().await.expect("store");
            let ids = (batch * 7..batch * 7 + 7).collect();
            let written = sent_before.write(&mut tx, ids, 0).await.expect("store");
            tx.commit().await.expect("store");
            sent_before.take_over(written);
            assert!(sent_before.in_order.len() <= 110, "{}", sent_before.in_order.len());
        }
        let read = SentBefore::read(&store).await.expect("ids");
        assert_eq!((&read.known, &read.in_order), (&sent_before.known, &sent_before.in_order));
        assert_eq!(read.rows, sent_before.rows);
        assert!((257..350).all(|id| read.contains(id)), "the newest hundred, in whole rows");
        assert!((0..240).all(|id| !read.contains(id)));
    }

    #[tokio::test]
    async fn id_in_a_transaction_that_is_not_committed_is_unknown() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), &Sealing::default(), 0).await.expect("a store");
        let sent_before = SentBefore::read(&store).await.expect("none");
        let mut tx = store.write().await.expect("store");
        sent_before.write(&mut tx, vec![7], 0).await.expect("store");
        drop(tx);
        assert!(!sent_before.contains(7));
        assert!(store.recorded_ids(0).await.expect("ids").is_empty());
    }
}
