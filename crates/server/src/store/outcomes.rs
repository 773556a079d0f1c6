//! What became of reports, counted by day.
use flawless_core::OutcomeKind;
use sqlx::FromRow;

use super::issues::HOUR_MS;
use super::{PROJECT, Store, StoreError, WriteTx};

/// Reports of one day that ended in the same way for the same reason.
#[derive(Debug, Clone, FromRow)]
pub struct OutcomeRow {
    /// A word of [`OutcomeKind`].
    pub kind: String,
    /// Why.
    pub reason: String,
    /// How many.
    pub reports: i64,
    /// The last one.
    pub last_at: i64,
    /// What the last one was, cut short.
    pub example: String,
}

pub(super) const DAY_MS: i64 = 86_400_000;

impl WriteTx {
    /// Counts reports that no issue counts. `reason` has to come from a closed set; `example` is free.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn add_outcome(
        &mut self,
        kind: OutcomeKind,
        reason: &str,
        reports: i64,
        at: i64,
        example: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO outcome (project_id, day, kind, reason, reports, last_at, example) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (project_id, day, kind, reason) DO UPDATE SET \
             reports = outcome.reports + excluded.reports, last_at = excluded.last_at, \
             example = excluded.example",
        )
        .bind(PROJECT)
        .bind(at.div_euclid(DAY_MS))
        .bind(kind.as_str())
        .bind(reason)
        .bind(reports)
        .bind(at)
        .bind(example)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Outcomes since the start of the day (UTC) that holds `since`, most reports first.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn outcomes_since(&self, since: i64) -> Result<Vec<OutcomeRow>, StoreError> {
        let day = since.div_euclid(DAY_MS);
        // Reports of issues are counted there, by the hour.
        let query = sqlx::query_as(
            "SELECT kind, reason, SUM(reports) AS reports, MAX(last_at) AS last_at, \
             MAX(example) AS example FROM ( \
               SELECT kind, reason, reports, last_at, example FROM outcome \
               WHERE project_id = $1 AND day >= $2 \
               UNION ALL \
               SELECT CASE WHEN issue.origin_commit IS NULL THEN $4 ELSE $5 END, '', \
               issue_hour.reports, issue_hour.last_at, \
               issue.path || ':' || CAST(issue.line AS TEXT) \
               FROM issue_hour JOIN issue ON issue.id = issue_hour.issue_id \
               WHERE issue.project_id = $1 AND issue_hour.hour >= $3 \
             ) AS ended GROUP BY kind, reason ORDER BY SUM(reports) DESC",
        );
        let query = query.bind(PROJECT).bind(day).bind(day * (DAY_MS / HOUR_MS));
        let query = query.bind(OutcomeKind::NotBlamed.as_str()).bind(OutcomeKind::Counted.as_str());
        Ok(query.fetch_all(&self.readers).await?)
    }
}
