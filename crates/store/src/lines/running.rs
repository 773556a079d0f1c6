//! The revisions that run.
use sqlx::FromRow;

use crate::{Store, StoreError, WriteTx, db};

/// While programs named a revision within this time, only those run; otherwise the tip does.
pub(crate) const NAMED_MS: i64 = 30 * 86_400_000;

/// A revision that runs or ran.
#[derive(Debug, Clone, FromRow)]
pub struct RunningRow {
    /// Grows with each new one.
    pub id: i64,
    /// The commit.
    pub commit_id: String,
}

impl WriteTx {
    /// Notes that a revision runs: a report or a deploy named it, or it is the tip and nothing
    /// names one. Returns whether it is new.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn seen_running(
        &mut self,
        commit: &str,
        is_named: bool,
        at: i64,
    ) -> Result<bool, StoreError> {
        let updated = db::query(
            "UPDATE running_revision SET last_seen_at = $3, \
             is_named = CASE WHEN is_named = 1 THEN 1 ELSE $4 END \
             WHERE project_id = $1 AND commit_id = $2",
        );
        let updated = updated.bind(self.project).bind(commit).bind(at).bind(i64::from(is_named));
        if updated.execute(&mut self.tx).await?.rows_affected() > 0 {
            return Ok(false);
        }
        db::query(
            "INSERT INTO running_revision \
             (project_id, commit_id, is_named, first_seen_at, last_seen_at) \
             VALUES ($1, $2, $3, $4, $4)",
        )
        .bind(self.project)
        .bind(commit)
        .bind(i64::from(is_named))
        .bind(at)
        .execute(&mut self.tx)
        .await?;
        Ok(true)
    }
}

impl Store {
    /// Running revisions, the newest ones first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn running_revisions(&self, limit: i64) -> Result<Vec<RunningRow>, StoreError> {
        let query = db::query(
            "SELECT id, commit_id FROM running_revision WHERE project_id = $1 \
             ORDER BY id DESC LIMIT $2",
        );
        Ok(query.bind(self.project).bind(limit).fetch_all(&self.readers).await?)
    }

    /// Whether a report or a deploy has recently named a revision: then only named ones run.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn names_revisions(&self, now: i64) -> Result<bool, StoreError> {
        let query = db::query_scalar(
            "SELECT COUNT(*) FROM running_revision WHERE project_id = $1 AND is_named = 1 \
             AND last_seen_at > $2",
        );
        let count: i64 =
            query.bind(self.project).bind(now - NAMED_MS).fetch_one(&self.readers).await?;
        Ok(count > 0)
    }
}
