//! How the queues stand, and what is forgotten with time.
use sqlx::FromRow;

use super::{Store, StoreError, WriteTx};

/// How many items wait, and since when.
#[derive(Debug, Clone, Default, FromRow)]
pub struct QueueAge {
    /// Items that wait.
    pub waiting: i64,
    /// When the oldest came in.
    pub oldest_at: Option<i64>,
    /// Why the oldest try failed, when one did.
    pub last_error: Option<String>,
}

impl Store {
    /// Reports that wait for attribution.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn pending_queue(&self) -> Result<QueueAge, StoreError> {
        let query = sqlx::query_as(
            "SELECT COUNT(*) AS waiting, MIN(first_at) AS oldest_at, \
             MAX(last_error) AS last_error FROM pending_report",
        );
        Ok(query.fetch_one(&self.readers).await?)
    }

    /// Mails that wait for the mail server; no posts.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn outbox_queue(&self) -> Result<QueueAge, StoreError> {
        let query = sqlx::query_as(
            "SELECT COUNT(*) AS waiting, MIN(created_at) AS oldest_at, \
             MAX(last_error) AS last_error FROM outbox \
             WHERE sent_at IS NULL AND gave_up_at IS NULL AND kind <> 'post'",
        );
        Ok(query.fetch_one(&self.readers).await?)
    }
}

impl WriteTx {
    /// Proves that the store can be written to.
    ///
    /// # Errors
    /// It cannot.
    pub async fn touch(&mut self, at: i64) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('touched_at', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        query.bind(at).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Forgets samples, hourly counts, outcomes, sent mails, functions of one issue and places older
    /// than `before`, and issues not seen since that nobody was told of. The others stay: they remember who was.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn forget(&mut self, before: i64) -> Result<(), StoreError> {
        let statements = [
            // Issues that nobody was told of are forgotten whole.
            "DELETE FROM place WHERE created_at < $1 OR issue_id IN \
             (SELECT id FROM issue WHERE told_at IS NULL AND last_seen_at < $1)",
            "DELETE FROM sample WHERE received_at < $1 AND NOT EXISTS \
             (SELECT 1 FROM alert WHERE alert.issue_id = sample.issue_id \
              AND alert.composed_at IS NULL)",
            "DELETE FROM issue_hour WHERE last_at < $1",
            "DELETE FROM issue_alias WHERE issue_id IN \
             (SELECT id FROM issue WHERE told_at IS NULL AND last_seen_at < $1)",
            "DELETE FROM issue WHERE merged_into IN \
             (SELECT id FROM issue WHERE told_at IS NULL AND last_seen_at < $1)",
            "DELETE FROM issue WHERE told_at IS NULL AND last_seen_at < $1 \
             AND merged_into IS NULL",
            "DELETE FROM function_seen WHERE issues < 2 AND last_at < $1",
            "DELETE FROM outcome WHERE last_at < $1",
            "DELETE FROM client_loss WHERE last_at < $1",
            // Only the content: that a mail was sent is part of what was told.
            "UPDATE outbox SET message = '' WHERE created_at < $1 AND message <> '' \
             AND (sent_at IS NOT NULL OR gave_up_at IS NOT NULL)",
        ];
        for statement in statements {
            sqlx::query(statement).bind(before).execute(&mut *self.0).await?;
        }
        Ok(())
    }
}
