//! Occurrences that clients dropped, counted by day.
use sqlx::FromRow;

use super::outcomes::DAY_MS;
use crate::{Store, StoreError, WriteTx, db};

/// Occurrences that clients dropped on one day.
#[derive(Debug, Clone, FromRow)]
pub struct LossRow {
    /// Days since 1970, UTC.
    pub day: i64,
    /// Number of occurrences.
    pub occurrences: i64,
    /// When a client last reported some.
    pub last_at: i64,
    /// The host of that client.
    pub example: String,
}

impl LossRow {
    /// The start of the day, milliseconds since 1970 UTC.
    pub fn day_start(&self) -> i64 {
        self.day * DAY_MS
    }
}

impl WriteTx {
    /// Counts occurrences that a client had to drop.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_loss(
        &mut self,
        occurrences: i64,
        at: i64,
        example: &str,
    ) -> Result<(), StoreError> {
        db::query(
            "INSERT INTO client_loss (project_id, day, occurrences, last_at, example) \
             VALUES ($1, $2, $3, $4, $5) \
             ON CONFLICT (project_id, day) DO UPDATE SET \
             occurrences = client_loss.occurrences + excluded.occurrences, \
             last_at = excluded.last_at, example = excluded.example",
        )
        .bind(self.project)
        .bind(at.div_euclid(DAY_MS))
        .bind(occurrences)
        .bind(at)
        .bind(example)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Losses since the start of the day (UTC) that contains `since`, the newest day first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn losses_since(&self, since: i64) -> Result<Vec<LossRow>, StoreError> {
        let query = db::query(
            "SELECT day, occurrences, last_at, example FROM client_loss \
             WHERE project_id = $1 AND day >= $2 ORDER BY day DESC",
        );
        let query = query.bind(self.project).bind(since.div_euclid(DAY_MS));
        Ok(query.fetch_all(&self.readers).await?)
    }
}
