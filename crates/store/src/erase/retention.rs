//! Retention: which data is deleted, and after how long.
use flawless_core::OutcomeKind;

use crate::alerts::refused::REFUSED_FOR_MS;
use crate::db::dialect;
use crate::db::pool::Pool;
use crate::lines::running::NAMED_MS;
use crate::reports::outcomes::DAY_MS;
use crate::reports::recorded_ids::{DELETE_RECORDED, RECORDED_FOR_MS};
use crate::{Store, StoreError, WriteTx, db};

/// The limits of what is kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// The current time.
    pub now: i64,
    /// Data last seen before this time is deleted.
    pub before: i64,
    /// Issues first seen before this time existed before anybody looked: nobody is notified of
    /// them, even when they occur again after years.
    pub baseline_until: i64,
}

impl WriteTx {
    /// Deletes samples, hourly counts, outcomes, sent mails, functions of a single issue and places
    /// older than the retention, waiting reports that failed since, revisions that did not run
    /// since and addresses that were not retried since, artifacts that were not used for half a year, and issues not seen since of which nobody
    /// was notified, or only the default contact. Other issues of the project are kept, as a record of who was
    /// notified; so are muted ones and those of the baseline. Actions are kept for a year.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn apply_retention(&mut self, retention: Retention) -> Result<(), StoreError> {
        let Retention { now, before, baseline_until } = retention;
        self.keep_last_issue().await?;
        let expired = [before, baseline_until, self.project];
        self.delete_issues(EXPIRED_ISSUES, &expired, false).await?;
        for statement in DELETE_OLD {
            db::query(*statement).bind(before).bind(self.project).execute(&mut self.tx).await?;
        }
        for (statement, at_least) in
            [(DELETE_REVISIONS, NAMED_MS), (DELETE_RETRIED, REFUSED_FOR_MS)]
        {
            let before = before.min(now - at_least);
            db::query(statement).bind(before).bind(self.project).execute(&mut self.tx).await?;
        }
        let recorded = db::query(DELETE_RECORDED).bind(now - RECORDED_FOR_MS);
        recorded.execute(&mut self.tx).await?;
        let today = now.div_euclid(DAY_MS);
        db::query(DELETE_QUOTAS).bind(today).execute(&mut self.tx).await?;
        for statement in DELETE_ENDED {
            db::query(*statement).bind(now).execute(&mut self.tx).await?;
        }
        for statement in DELETE_AFTER_A_YEAR {
            db::query(*statement).bind(now - YEAR_MS).execute(&mut self.tx).await?;
        }
        let unused = before.min(now - ARTIFACTS_UNUSED_MS);
        self.remove_unused_artifacts(unused, now - DAY_MS).await?;
        // Their key is lost, or their job panics each time.
        let reports: Vec<i64> = db::query_scalar(
            "DELETE FROM pending_report WHERE project_id = $2 AND first_at < $1 \
             AND attempts > 0 RETURNING reports",
        )
        .bind(before)
        .bind(self.project)
        .fetch_all(&mut self.tx)
        .await?;
        let reports = reports.iter().sum();
        if reports > 0 {
            let reason = "waited longer than retention_days";
            self.add_outcome(OutcomeKind::Refused, reason, reports, now, "").await?;
        }
        Ok(())
    }

    /// Stores the highest number of an issue before some are deleted: see [`Store::was_issue`].
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn keep_last_issue(&mut self) -> Result<(), StoreError> {
        let last = self.last_issue().await?;
        let query = db::query(
            "INSERT INTO setting (name, value) VALUES ('last_issue', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value \
             WHERE excluded.value > setting.value",
        );
        query.bind(last).execute(&mut self.tx).await?;
        Ok(())
    }

    /// The highest number that an issue has or had; 0 when there was none.
    async fn last_issue(&mut self) -> Result<i64, StoreError> {
        let query = db::query_scalar(
            "SELECT COALESCE(MAX(number), 0) FROM (SELECT MAX(id) AS number FROM issue \
             UNION ALL SELECT value FROM setting WHERE name = 'last_issue') AS numbers",
        );
        Ok(query.fetch_one(&mut self.tx).await?)
    }
}

impl Store {
    /// Overwrites deleted data in the journal too. Returns whether it could: not while another
    /// program reads an older state. PostgreSQL overwrites deleted rows by itself, after a while;
    /// how long its log and backups are kept is up to its administrator.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn empty_journal(&self) -> Result<bool, StoreError> {
        let Pool::Sqlite(_) = &self.writer else { return Ok(true) };
        let (busy, _, _): (i64, i64, i64) =
            db::query(dialect::sqlite::EMPTY_JOURNAL).fetch_one(&self.writer).await?;
        Ok(busy == 0)
    }
}

/// How long an artifact is kept at least after its last use: lines that are known need none, until
/// the server starts again.
const ARTIFACTS_UNUSED_MS: i64 = 180 * DAY_MS;

const YEAR_MS: i64 = 365 * 86_400_000;

/// Rows that explain how the current state came about.
const DELETE_AFTER_A_YEAR: &[&str] = &[
    "DELETE FROM action WHERE at < $1",
    "DELETE FROM rule_hit WHERE last_at < $1",
    "DELETE FROM release WHERE created_at < $1",
    "DELETE FROM api_token WHERE expires_at < $1 OR revoked_at < $1",
];

/// The newest one is kept: its number must not be reused, because issues store up to which one they
/// were checked.
const DELETE_REVISIONS: &str = "DELETE FROM running_revision \
     WHERE project_id = $2 AND last_seen_at < $1 \
     AND id < (SELECT MAX(newest.id) FROM running_revision AS newest) \
     AND NOT EXISTS (SELECT 1 FROM issue WHERE issue.checked_revision = running_revision.id \
     AND issue.resolved_at IS NULL)";

const DELETE_RETRIED: &str =
    "DELETE FROM retried_address WHERE project_id = $2 AND retried_at < $1";

/// Issues that are deleted when they were not seen for long: nobody was notified of them, or only
/// the default contact because nobody can be blamed. A flood creates any number of these. Muted
/// issues, issues of the baseline and issues with an alert still to be composed are kept.
const EXPIRED_ISSUES: &str = "SELECT id FROM issue WHERE project_id = $3 \
     AND (notified_at IS NULL OR origin_commit IS NULL) \
     AND last_seen_at < $1 AND first_seen_at >= $2 \
     AND (muted_until IS NULL OR muted_until < $1) \
     AND merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM alert \
     WHERE alert.issue_id = issue.id AND alert.composed_at IS NULL)";

/// Old data of the issues that are kept.
const DELETE_OLD: &[&str] = &[
    // An alert that nobody can be notified of must not keep values forever.
    "DELETE FROM sample WHERE received_at < $1 \
     AND issue_id IN (SELECT id FROM issue WHERE project_id = $2) AND NOT EXISTS \
     (SELECT 1 FROM alert WHERE alert.issue_id = sample.issue_id \
      AND alert.composed_at IS NULL AND alert.note IS NULL)",
    "DELETE FROM place WHERE project_id = $2 AND created_at < $1",
    "DELETE FROM issue_hour WHERE project_id = $2 AND last_at < $1",
    "UPDATE hour_revision SET revision = revision + 1 \
     WHERE project_id = $2 AND hour = CAST($1 AS BIGINT) / 3600000",
    "DELETE FROM hour_revision WHERE project_id = $2 AND hour < CAST($1 AS BIGINT) / 3600000",
    "DELETE FROM issue_facet WHERE last_at < $1 \
     AND issue_id IN (SELECT id FROM issue WHERE project_id = $2)",
    "DELETE FROM function_seen WHERE project_id = $2 AND issues < 2 AND last_at < $1",
    "DELETE FROM outcome WHERE project_id = $2 AND last_at < $1",
    "DELETE FROM client_loss WHERE project_id = $2 AND last_at < $1",
    "DELETE FROM module_set WHERE project_id = $2 AND last_seen_at < $1",
    // Only the content: the fact that a mail was sent is part of the record.
    "UPDATE outbox SET message = '', subject = '' WHERE project_id = $2 AND created_at < $1 \
     AND message <> '' \
     AND (sent_at IS NOT NULL OR gave_up_at IS NOT NULL)",
];

/// Quotas apply to one day.
const DELETE_QUOTAS: &str = "DELETE FROM quota_use WHERE day < $1";

/// Rows that expire by themselves.
const DELETE_ENDED: &[&str] = &[
    "DELETE FROM session WHERE expires_at <= $1",
    "DELETE FROM sign_in_link WHERE expires_at <= $1",
];
