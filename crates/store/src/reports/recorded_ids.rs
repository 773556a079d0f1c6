//! The ids of recorded reports, as hashes, grouped by the transaction that recorded them.
use crate::{Store, StoreError, WriteTx, db};

/// The ids of the reports of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedIds {
    /// Grows with each transaction.
    pub number: i64,
    /// The hash of each id.
    pub hashes: Vec<u64>,
}

/// A client that got no answer sends its report again while its program runs, and keeps few
/// reports: one that is older than a week is not sent again.
pub(crate) const RECORDED_FOR_MS: i64 = 7 * 86_400_000;

/// The newest row is kept: its number must not be reused, because the recorder refers to rows by
/// their numbers.
pub(crate) const DELETE_RECORDED: &str = "DELETE FROM recorded_ids WHERE at < $1 \
     AND id < (SELECT MAX(newest.id) FROM recorded_ids AS newest)";

impl WriteTx {
    /// Stores the ids of the reports that this transaction records; returns their number.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_recorded_ids(&mut self, hashes: &[u64], at: i64) -> Result<i64, StoreError> {
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_be_bytes()).collect();
        let query =
            db::query_scalar("INSERT INTO recorded_ids (at, hashes) VALUES ($1, $2) RETURNING id");
        Ok(query.bind(at).bind(bytes).fetch_one(&mut self.tx).await?)
    }

    /// Deletes ids up to a number.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn delete_recorded_ids(&mut self, number: i64) -> Result<(), StoreError> {
        let query = db::query("DELETE FROM recorded_ids WHERE id <= $1");
        query.bind(number).execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// The known ids of all projects after a number, the oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn recorded_ids(&self, after: i64) -> Result<Vec<RecordedIds>, StoreError> {
        let query = db::query("SELECT id, hashes FROM recorded_ids WHERE id > $1 ORDER BY id");
        let rows: Vec<(i64, Vec<u8>)> = query.bind(after).fetch_all(&self.readers).await?;
        let read = |(number, bytes): (i64, Vec<u8>)| {
            let (hashes, _) = bytes.as_chunks::<8>();
            let hashes = hashes.iter().map(|hash| u64::from_be_bytes(*hash)).collect();
            RecordedIds { number, hashes }
        };
        Ok(rows.into_iter().map(read).collect())
    }
}
