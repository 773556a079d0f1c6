//! How the queues stand, and what is forgotten with time.
use flawless_core::OutcomeKind;
use sqlx::FromRow;

use crate::alerts::refused::REFUSED_FOR_MS;
use crate::db::dialect;
use crate::lines::running::NAMED_MS;
use crate::reports::outcomes::DAY_MS;
use crate::reports::recorded_ids::{FORGET_RECORDED, RECORDED_FOR_MS};
use crate::{Store, StoreError, WriteTx};

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
             MAX(last_error) AS last_error FROM pending_report WHERE occurrences > 0",
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

impl Store {
    /// The version of the database program.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn database_version(&self) -> Result<String, StoreError> {
        Ok(sqlx::query_scalar(dialect::VERSION).fetch_one(&self.readers).await?)
    }
}

/// What is old enough to be forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// The time.
    pub now: i64,
    /// What was last seen before is forgotten.
    pub before: i64,
    /// What was first seen before was there before anybody looked: nobody is notified of it, also not
    /// when it comes again after years.
    pub baseline_until: i64,
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
    /// than the retention, waiting reports that were tried in vain since, revisions that did not run and
    /// addresses that were not retried since, and issues not seen since that nobody was notified of, or
    /// only the default contact. The others stay: they remember who was; so do those that somebody
    /// has muted, and those of the baseline. What people did is kept for a year.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn apply_retention(&mut self, retention: Retention) -> Result<(), StoreError> {
        let Retention { now, before, baseline_until } = retention;
        self.keep_last_issue().await?;
        for statement in FORGET_ISSUES {
            let query = sqlx::query(*statement).bind(before).bind(baseline_until);
            query.execute(&mut *self.0).await?;
        }
        for statement in FORGET {
            sqlx::query(*statement).bind(before).execute(&mut *self.0).await?;
        }
        for (statement, at_least) in [
            (FORGET_REVISIONS, NAMED_MS),
            ("DELETE FROM retried_address WHERE retried_at < $1", REFUSED_FOR_MS),
        ] {
            let before = before.min(now - at_least);
            sqlx::query(statement).bind(before).execute(&mut *self.0).await?;
        }
        let recorded = sqlx::query(FORGET_RECORDED).bind(now - RECORDED_FOR_MS);
        recorded.execute(&mut *self.0).await?;
        let today = now.div_euclid(DAY_MS);
        sqlx::query(FORGET_QUOTAS).bind(today).execute(&mut *self.0).await?;
        for statement in FORGET_ENDED {
            sqlx::query(*statement).bind(now).execute(&mut *self.0).await?;
        }
        for statement in FORGET_AFTER_A_YEAR {
            sqlx::query(*statement).bind(now - YEAR_MS).execute(&mut *self.0).await?;
        }
        // A key that is gone, or a job that breaks off each time.
        let reports: Vec<i64> = sqlx::query_scalar(
            "DELETE FROM pending_report WHERE first_at < $1 AND attempts > 0 RETURNING reports",
        )
        .bind(before)
        .fetch_all(&mut *self.0)
        .await?;
        let reports = reports.iter().sum();
        if reports > 0 {
            let reason = "waited longer than retention_days";
            self.add_outcome(OutcomeKind::Refused, reason, reports, now, "").await?;
        }
        Ok(())
    }

    /// Remembers the highest number of an issue, before some are deleted: no other issue may get
    /// it, because verdicts in memory and links in mails name it.
    ///
    /// # Errors
    /// The database refuses.
    pub(crate) async fn keep_last_issue(&mut self) -> Result<(), StoreError> {
        let last = self.last_issue().await?;
        let query = sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('last_issue', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        query.bind(last).execute(&mut *self.0).await?;
        Ok(())
    }

    /// The highest number that an issue has or had; 0 when there was none.
    pub(crate) async fn last_issue(&mut self) -> Result<i64, StoreError> {
        let query = sqlx::query_scalar(
            "SELECT COALESCE(MAX(number), 0) FROM (SELECT MAX(id) AS number FROM issue \
             UNION ALL SELECT value FROM setting WHERE name = 'last_issue') AS numbers",
        );
        Ok(query.fetch_one(&mut *self.0).await?)
    }
}

impl Store {
    /// Overwrites what was deleted in the journal too. Says whether it did: while another program
    /// reads an older state, it cannot.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn empty_journal(&self) -> Result<bool, StoreError> {
        let (busy, _, _): (i64, i64, i64) =
            sqlx::query_as(dialect::EMPTY_JOURNAL).fetch_one(&self.writer).await?;
        Ok(busy == 0)
    }
}

const YEAR_MS: i64 = 365 * 86_400_000;

/// What says how things came to be as they are.
const FORGET_AFTER_A_YEAR: &[&str] =
    &["DELETE FROM action WHERE at < $1", "DELETE FROM rule_hit WHERE last_at < $1"];

/// The newest one stays: its number must not be given again, for issues say up to which number
/// they were looked for.
const FORGET_REVISIONS: &str = "DELETE FROM running_revision WHERE last_seen_at < $1 \
     AND id < (SELECT MAX(newest.id) FROM running_revision AS newest) \
     AND NOT EXISTS (SELECT 1 FROM issue WHERE issue.checked_revision = running_revision.id \
     AND issue.resolved_at IS NULL)";

/// Issues that are forgotten whole when they were not seen for long: nobody was notified of them, or
/// only the default contact, because nobody can be blamed. Of those a flood makes as many as it
/// likes. What somebody has silenced is no such one, nor what was there before anybody looked, nor
/// what somebody is still to be notified of.
macro_rules! expired_issues {
    () => {
        "(SELECT id FROM issue WHERE (notified_at IS NULL OR origin_commit IS NULL) \
         AND last_seen_at < $1 AND first_seen_at >= $2 \
         AND (muted_until IS NULL OR muted_until < $1) \
         AND merged_into IS NULL AND NOT EXISTS (SELECT 1 FROM alert \
         WHERE alert.issue_id = issue.id AND alert.composed_at IS NULL))"
    };
}

/// What belongs to an issue that is forgotten, in an order that leaves nothing without what it
/// belongs to.
const FORGET_ISSUES: &[&str] = &[
    concat!(
        "DELETE FROM notification WHERE alert_id IN (SELECT id FROM alert WHERE issue_id IN ",
        expired_issues!(),
        ")"
    ),
    concat!("DELETE FROM alert WHERE issue_id IN ", expired_issues!()),
    concat!("DELETE FROM sample WHERE issue_id IN ", expired_issues!()),
    concat!("DELETE FROM issue_hour WHERE issue_id IN ", expired_issues!()),
    concat!("DELETE FROM issue_facet WHERE issue_id IN ", expired_issues!()),
    concat!("DELETE FROM place WHERE issue_id IN ", expired_issues!()),
    concat!("DELETE FROM issue_alias WHERE issue_id IN ", expired_issues!()),
    concat!("UPDATE action SET issue_id = NULL WHERE issue_id IN ", expired_issues!()),
    concat!("DELETE FROM issue WHERE merged_into IN ", expired_issues!()),
    concat!("DELETE FROM issue WHERE id IN ", expired_issues!()),
];

/// What is forgotten of the others.
const FORGET: &[&str] = &[
    // An alert that nobody can be notified of must not keep the values for ever.
    "DELETE FROM sample WHERE received_at < $1 AND NOT EXISTS \
     (SELECT 1 FROM alert WHERE alert.issue_id = sample.issue_id \
      AND alert.composed_at IS NULL AND alert.note IS NULL)",
    "DELETE FROM place WHERE created_at < $1",
    "DELETE FROM issue_hour WHERE last_at < $1",
    "DELETE FROM issue_facet WHERE last_at < $1",
    "DELETE FROM function_seen WHERE issues < 2 AND last_at < $1",
    "DELETE FROM outcome WHERE last_at < $1",
    "DELETE FROM client_loss WHERE last_at < $1",
    "DELETE FROM module_set WHERE last_seen_at < $1",
    "DELETE FROM api_token WHERE expires_at < $1 OR revoked_at < $1",
    // Only the content: that a mail was sent is part of what was told.
    "UPDATE outbox SET message = '', subject = '' WHERE created_at < $1 AND message <> '' \
     AND (sent_at IS NOT NULL OR gave_up_at IS NOT NULL)",
];

/// Quotas are of a day.
const FORGET_QUOTAS: &str = "DELETE FROM quota_use WHERE day < $1";

/// What has ended by itself.
const FORGET_ENDED: &[&str] = &[
    "DELETE FROM session WHERE expires_at <= $1",
    "DELETE FROM sign_in_link WHERE expires_at <= $1",
];
