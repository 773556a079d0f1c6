//! The data behind lists of issues: a few facts of every issue, counts by the hour, and all facts
//! of the few issues that are shown.
use sqlx::FromRow;

use super::issue::ISSUE_COLUMNS;
use crate::{IssueRow, Store, StoreError, db};

/// The facts that lists need of every issue.
#[derive(Debug, Clone, FromRow)]
pub struct IndexedIssue {
    /// Its number.
    pub id: i64,
    /// Grows with each change of these facts, across all issues.
    pub revision: i64,
    /// The issue that it was merged into.
    pub merged_into: Option<i64>,
    /// Path in the repository.
    pub path: String,
    /// Plain function name.
    pub function_name: String,
    /// The source line.
    pub text: String,
    /// All types of exceptions that it was seen with, one per line.
    pub exception_types: String,
    /// The known error that it matches.
    pub known_error_id: Option<i64>,
    /// Author's name.
    pub developer_name: Option<String>,
    /// Author's address as committed.
    pub developer_email: Option<String>,
    /// Author date.
    pub authored_at: Option<i64>,
    /// First line of the commit's message.
    pub commit_summary: Option<String>,
    /// [`super::details::IssueDetails`] as JSON.
    pub details: String,
    /// When it was first seen.
    pub first_seen_at: i64,
    /// When it was decided to notify somebody.
    pub notified_at: Option<i64>,
    /// When it was fixed or resolved.
    pub resolved_at: Option<i64>,
    /// Nobody is notified of it before this time.
    pub muted_until: Option<i64>,
}

/// What tells whether the counts of an hour have changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct HourState {
    /// Hours since 1970.
    pub hour: i64,
    /// Grows with each change of its counts.
    pub revision: i64,
}

/// An issue in one hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HourCount {
    /// The issue.
    pub issue: i64,
    /// Number of occurrences.
    pub occurrences: i64,
    /// When it last occurred.
    pub last_at: i64,
}

/// The state of an issue's alerts.
#[derive(Debug, Clone, FromRow)]
pub struct AlertStateRow {
    /// The issue.
    pub issue_id: i64,
    /// Why nobody could be notified by its newest alert.
    pub note: Option<String>,
    /// Whether the newest alert waits to be composed.
    pub is_open: bool,
    /// Whether the newest alert is about a regression.
    pub is_regressed: bool,
    /// A recipient whose digest it waits for.
    pub digest_for: Option<String>,
}

/// Issue numbers in one statement.
const MOST_NUMBERS: usize = 500;

impl Store {
    /// The facts of issues whose revision is above `revision`, and how many issues there are.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn issue_heads(&self, revision: i64) -> Result<(Vec<IndexedIssue>, i64), StoreError> {
        // Both are read from one state of the database.
        let mut state = self.readers.begin_read().await?;
        let heads = db::query(
            "SELECT id, revision, merged_into, path, function_name, text, exception_types, \
             known_error_id, developer_name, developer_email, authored_at, commit_summary, \
             details, first_seen_at, notified_at, resolved_at, muted_until FROM issue \
             WHERE revision > $1 AND project_id = $2",
        );
        let heads = heads.bind(revision).bind(self.project).fetch_all(&mut state).await?;
        let count = db::query_scalar("SELECT COUNT(*) FROM issue WHERE project_id = $1");
        let count = count.bind(self.project).fetch_one(&mut state).await?;
        state.commit().await?;
        Ok((heads, count))
    }

    /// The state of each hour in `[from, to)`, hours since 1970, in which anything occurred or was
    /// deleted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn hour_states(&self, from: i64, to: i64) -> Result<Vec<HourState>, StoreError> {
        let query = db::query(
            "SELECT hour, revision FROM hour_revision \
             WHERE project_id = $3 AND hour >= $1 AND hour < $2",
        );
        Ok(query.bind(from).bind(to).bind(self.project).fetch_all(&self.readers).await?)
    }

    /// The counts of each hour in `[from, to)`, with its state when they were read.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn hour_counts(
        &self,
        from: i64,
        to: i64,
    ) -> Result<Vec<(HourState, Vec<HourCount>)>, StoreError> {
        // One row per hour: one per count takes several times as long.
        let query = db::query(
            "SELECT hour, revision, (SELECT STRING_AGG(CAST(issue_id AS TEXT) \
             || ' ' || CAST(occurrences AS TEXT) || ' ' || CAST(last_at AS TEXT), ',') \
             FROM issue_hour WHERE issue_hour.project_id = $3 \
             AND issue_hour.hour = hour_revision.hour) FROM hour_revision \
             WHERE project_id = $3 AND hour >= $1 AND hour < $2",
        );
        let query = query.bind(from).bind(to).bind(self.project);
        let rows: Vec<(i64, i64, Option<String>)> = query.fetch_all(&self.readers).await?;
        let count = |text: &str| {
            let mut numbers = text.split(' ').map(|number| number.parse().unwrap_or_default());
            let mut next = || numbers.next().unwrap_or_default();
            HourCount { issue: next(), occurrences: next(), last_at: next() }
        };
        let hour = |(hour, revision, text): (i64, i64, Option<String>)| {
            let counts = text.iter().flat_map(|text| text.split(','));
            (HourState { hour, revision }, counts.map(count).collect())
        };
        Ok(rows.into_iter().map(hour).collect())
    }

    /// Whether any report has ever come in, whatever its outcome.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_seen_reports(&self) -> Result<bool, StoreError> {
        let query = db::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM issue WHERE project_id = $1) \
             OR EXISTS (SELECT 1 FROM pending_report WHERE project_id = $1) \
             OR EXISTS (SELECT 1 FROM outcome WHERE project_id = $1)",
        );
        Ok(query.bind(self.project).fetch_one(&self.readers).await?)
    }

    /// The issues with these numbers, unordered.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn issues_numbered(&self, numbers: &[i64]) -> Result<Vec<IssueRow>, StoreError> {
        let mut found = Vec::with_capacity(numbers.len());
        for some in numbers.chunks(MOST_NUMBERS) {
            let some = db::padded(some);
            let places = db::places(1, some.len());
            let project = some.len() + 1;
            let sql = format!(
                "SELECT {ISSUE_COLUMNS} FROM issue WHERE issue.id IN ({places}) \
                 AND issue.project_id = ${project}"
            );
            let query = db::query(db::assembled(sql));
            let query = some.iter().fold(query, |query, number| query.bind(*number));
            found.extend(query.bind(self.project).fetch_all(&self.readers).await?);
        }
        Ok(found)
    }

    /// The state of the alerts of these issues; issues without an alert are omitted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn alert_states(&self, numbers: &[i64]) -> Result<Vec<AlertStateRow>, StoreError> {
        let mut found = Vec::new();
        for some in numbers.chunks(MOST_NUMBERS) {
            let some = db::padded(some);
            let places = db::places(1, some.len());
            let sql = format!(
                "SELECT alert.issue_id, alert.note, alert.composed_at IS NULL AS is_open, \
                 alert.regression IS NOT NULL AS is_regressed, \
                 (SELECT MIN(notification.recipient) FROM alert AS any_alert \
                  JOIN notification ON notification.alert_id = any_alert.id \
                  WHERE any_alert.issue_id = alert.issue_id AND notification.outbox_id IS NULL) \
                 AS digest_for FROM alert WHERE alert.id IN \
                 (SELECT MAX(newest.id) FROM alert AS newest WHERE newest.issue_id IN ({places}) \
                  GROUP BY newest.issue_id)"
            );
            let query = db::query(db::assembled(sql));
            let query = some.iter().fold(query, |query, number| query.bind(*number));
            found.extend(query.fetch_all(&self.readers).await?);
        }
        Ok(found)
    }

    /// The issues about which a mail was sent to somebody, or waits for it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn issues_mailed(&self) -> Result<Vec<i64>, StoreError> {
        let query = db::query_scalar(
            "SELECT DISTINCT alert.issue_id FROM alert \
             JOIN notification ON notification.alert_id = alert.id \
             JOIN outbox ON outbox.id = notification.outbox_id \
             WHERE alert.project_id = $1 AND outbox.gave_up_at IS NULL",
        );
        Ok(query.bind(self.project).fetch_all(&self.readers).await?)
    }

    /// The issues that ever regressed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn regressed_issues(&self) -> Result<Vec<i64>, StoreError> {
        let query = db::query_scalar(
            "SELECT DISTINCT issue_id FROM alert \
             WHERE project_id = $1 AND regression IS NOT NULL",
        );
        Ok(query.bind(self.project).fetch_all(&self.readers).await?)
    }
}
