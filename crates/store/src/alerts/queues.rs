//! How much waits, and since when.
use sqlx::FromRow;

use crate::{Store, StoreError, db};

/// How many items wait, and since when.
#[derive(Debug, Clone, Default, FromRow)]
pub struct QueueAge {
    /// Items that wait.
    pub waiting: i64,
    /// When the oldest of them came in.
    pub oldest_at: Option<i64>,
    /// Why the oldest attempt failed, if it did.
    pub last_error: Option<String>,
}

impl Store {
    /// Reports that wait for attribution.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn pending_queue(&self) -> Result<QueueAge, StoreError> {
        let query = db::query(
            "SELECT COUNT(*) AS waiting, MIN(first_at) AS oldest_at, \
             MAX(last_error) AS last_error FROM pending_report \
             WHERE project_id = $1 AND occurrences > 0",
        );
        Ok(query.bind(self.project).fetch_one(&self.readers).await?)
    }

    /// Mails of all projects that wait for the mail server, no posts; the error is one of this
    /// project's.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn outbox_queue(&self) -> Result<QueueAge, StoreError> {
        let query = db::query(
            "SELECT COUNT(*) AS waiting, MIN(created_at) AS oldest_at, \
             MAX(CASE WHEN project_id = $1 THEN last_error END) AS last_error FROM outbox \
             WHERE sent_at IS NULL AND gave_up_at IS NULL AND kind <> 'post'",
        );
        Ok(query.bind(self.project).fetch_one(&self.readers).await?)
    }
}
