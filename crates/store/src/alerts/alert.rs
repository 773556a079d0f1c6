//! Alerts: decisions to notify, and their results.
use flawless_base::backoff::LONGEST_RETRY_MS;
use sqlx::FromRow;

use crate::db::value::Json;
use crate::{ProjectId, QueueAge, Regression, Store, StoreError, WriteTx, db};

/// A decision that has no mails yet.
#[derive(Debug, Clone, FromRow)]
pub struct AlertRow {
    /// Its number.
    pub id: i64,
    /// The issue it is about.
    pub issue_id: i64,
    /// When it was decided.
    pub decided_at: i64,
    /// Occurrences at that time.
    pub occurrences: i64,
    /// The reason of the decision.
    pub reason: String,
    /// What regressed; `None` when the issue is new.
    pub regression: Option<Regression>,
}

/// An alert as the issue's page shows it.
#[derive(Debug, Clone, FromRow)]
pub struct IssueAlert {
    /// When it was decided.
    pub decided_at: i64,
    /// The reason of the decision.
    pub reason: String,
    /// Why nobody could be notified.
    pub note: Option<String>,
    /// What regressed; `None` when the issue is new.
    pub regression: Option<Regression>,
}

impl WriteTx {
    /// Marks an issue as notified and creates the alert to be composed: both or neither. An issue
    /// that has an alert without being marked was alerted while nobody was blamed: that alert is
    /// then reopened for those who have not been notified.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn notify(
        &mut self,
        issue_id: i64,
        occurrences: i64,
        reason: &str,
        regression: Option<&Regression>,
        at: i64,
    ) -> Result<(), StoreError> {
        let reopened = db::query(
            "UPDATE alert SET composed_at = NULL, note = NULL, decided_at = $2, occurrences = $3, \
             reason = $4, regression = $5 \
             WHERE id = (SELECT MAX(newest.id) FROM alert AS newest WHERE newest.issue_id = $1) \
             AND EXISTS (SELECT 1 FROM issue WHERE issue.id = $1 AND issue.notified_at IS NULL)",
        )
        .bind(issue_id)
        .bind(at)
        .bind(occurrences)
        .bind(reason)
        .bind(regression.map(Json))
        .execute(&mut self.tx)
        .await?;
        let revision = self.next_revision_of(issue_id).await?;
        db::query("UPDATE issue SET notified_at = $2, revision = $3 WHERE id = $1")
            .bind(issue_id)
            .bind(at)
            .bind(revision)
            .execute(&mut self.tx)
            .await?;
        if reopened.rows_affected() > 0 {
            return self.drop_pending_notifications(issue_id).await;
        }
        db::query(
            "INSERT INTO alert (issue_id, decided_at, occurrences, reason, regression, project_id) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(issue_id)
        .bind(at)
        .bind(occurrences)
        .bind(reason)
        .bind(regression.map(Json))
        .bind(self.project)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }

    /// Whether an alert is still to be composed: another server may have done it meanwhile.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn is_uncomposed(&mut self, alert_id: i64) -> Result<bool, StoreError> {
        let query =
            db::query_scalar("SELECT COUNT(*) FROM alert WHERE id = $1 AND composed_at IS NULL");
        Ok(query.bind(alert_id).fetch_one::<i64>(&mut self.tx).await? > 0)
    }

    /// Notes why an alert has no mails yet. It is tried again when rules change, when a refused
    /// address may be tried again, or when the server starts.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn hold_alert(&mut self, alert_id: i64, note: &str) -> Result<(), StoreError> {
        let query = db::query("UPDATE alert SET note = $2 WHERE id = $1");
        query.bind(alert_id).bind(note).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Reopens the newest alert of an issue whose owner has changed, not before a time, for people
    /// who have not been notified of it. Pending notifications of others are dropped and recreated
    /// as needed. An alert without a sample is not reopened. Returns whether one was.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn reopen_newest_alert(
        &mut self,
        issue_id: i64,
        not_before: i64,
    ) -> Result<bool, StoreError> {
        let query = db::query(
            "UPDATE alert SET composed_at = NULL, note = NULL, not_before = $2 \
             WHERE id = (SELECT MAX(newest.id) FROM alert AS newest WHERE newest.issue_id = $1) \
             AND EXISTS (SELECT 1 FROM sample WHERE sample.issue_id = $1)",
        );
        if query.bind(issue_id).bind(not_before).execute(&mut self.tx).await?.rows_affected() == 0 {
            return Ok(false);
        }
        self.drop_pending_notifications(issue_id).await?;
        Ok(true)
    }

    /// Drops all pending notifications of an issue.
    async fn drop_pending_notifications(&mut self, issue_id: i64) -> Result<(), StoreError> {
        let held = db::query(
            "DELETE FROM notification WHERE outbox_id IS NULL \
             AND alert_id IN (SELECT id FROM alert WHERE issue_id = $1)",
        );
        held.bind(issue_id).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Makes deferred alerts due again, after the new ones.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn release_alerts(&mut self, not_before: i64) -> Result<(), StoreError> {
        let query = db::query(
            "UPDATE alert SET note = NULL, was_deferred = 1, not_before = $1 \
             WHERE project_id = $2 AND composed_at IS NULL AND note IS NOT NULL",
        );
        query.bind(not_before).bind(self.project).execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// Alerts that wait: to be composed, or deferred with a note.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn alert_queue(&self) -> Result<QueueAge, StoreError> {
        let query = db::query(
            "SELECT COUNT(*) AS waiting, MIN(decided_at) AS oldest_at, MAX(note) AS last_error \
             FROM alert WHERE project_id = $1 AND composed_at IS NULL",
        );
        Ok(query.bind(self.project).fetch_one(&self.readers).await?)
    }

    /// The projects with alerts to be composed, or notifications to be sent.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn projects_with_alerts(&self) -> Result<Vec<ProjectId>, StoreError> {
        let query = db::query_scalar(
            "SELECT id FROM project WHERE EXISTS (SELECT 1 FROM alert \
             WHERE alert.project_id = project.id AND alert.composed_at IS NULL \
             AND alert.note IS NULL) OR EXISTS (SELECT 1 FROM notification \
             WHERE notification.project_id = project.id AND notification.outbox_id IS NULL) \
             ORDER BY id",
        );
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// The projects with alerts that are deferred because nobody could be notified.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn projects_with_deferred_alerts(&self) -> Result<Vec<ProjectId>, StoreError> {
        let query = db::query_scalar(
            "SELECT id FROM project WHERE EXISTS (SELECT 1 FROM alert \
             WHERE alert.project_id = project.id AND alert.composed_at IS NULL \
             AND alert.note IS NOT NULL) ORDER BY id",
        );
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// Whether an alert is deferred because nobody could be notified.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_deferred_alerts(&self) -> Result<bool, StoreError> {
        let query = db::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM alert \
             WHERE project_id = $1 AND composed_at IS NULL AND note IS NOT NULL)",
        );
        Ok(query.bind(self.project).fetch_one(&self.readers).await?)
    }

    /// Alerts that have no mails yet and are not deferred, oldest first; those that were deferred
    /// before come last.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn open_alerts(&self, now: i64, limit: i64) -> Result<Vec<AlertRow>, StoreError> {
        let query = db::query(
            "SELECT id, issue_id, decided_at, occurrences, reason, regression FROM alert \
             WHERE project_id = $4 AND composed_at IS NULL AND note IS NULL \
             AND (not_before <= $1 OR not_before > $3) ORDER BY was_deferred, id LIMIT $2",
        );
        // An alert that is due later than any may be postponed was written by a clock that was
        // ahead.
        let query = query.bind(now).bind(limit).bind(now.saturating_add(LONGEST_RETRY_MS));
        Ok(query.bind(self.project).fetch_all(&self.readers).await?)
    }

    /// The alerts of an issue, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn alerts_of(&self, issue_id: i64) -> Result<Vec<IssueAlert>, StoreError> {
        let query = db::query(
            "SELECT decided_at, reason, note, regression FROM alert WHERE issue_id = $1 \
             ORDER BY id DESC LIMIT 20",
        );
        Ok(query.bind(issue_id).fetch_all(&self.readers).await?)
    }
}
