//! Servers that share a database: which of them live, and which of them sends a mail or post.
use crate::db::pool::Pool;
use crate::{Store, StoreError, db};

/// A server that has not been heard of for this long is dead, and others send what it had claimed.
/// It is much longer than the time between two signs of life, so that a slow server does not count as dead.
const DEAD_AFTER_MS: i64 = 90_000;

impl Store {
    /// Whether other servers may use the database at the same time.
    pub fn is_shared(&self) -> bool {
        matches!(self.writer, Pool::Postgres(_))
    }

    /// Notes that a server lives.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn node_lives(&self, node: &str, now: i64) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO node (name, seen_at) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at",
        );
        query.bind(node).bind(now).execute(&self.writer).await?;
        let query = db::query("DELETE FROM node WHERE seen_at < $1");
        query.bind(now - DEAD_AFTER_MS).execute(&self.writer).await?;
        Ok(())
    }

    /// Claims a mail or post for a server that is about to send it. `false`: it is sent or given
    /// up, or another server that lives has claimed it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn claim_message(&self, id: i64, node: &str, now: i64) -> Result<bool, StoreError> {
        let query = db::query(
            "UPDATE outbox SET claimed_by = $2 WHERE id = $1 AND sent_at IS NULL \
             AND gave_up_at IS NULL AND (claimed_by IS NULL OR claimed_by = $2 \
             OR NOT EXISTS (SELECT 1 FROM node WHERE node.name = outbox.claimed_by \
             AND node.seen_at >= $3))",
        );
        let query = query.bind(id).bind(node).bind(now - DEAD_AFTER_MS);
        Ok(query.execute(&self.writer).await?.rows_affected() > 0)
    }
}
