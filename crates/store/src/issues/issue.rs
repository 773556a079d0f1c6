//! Issues and how often they occurred.
use flawless_core::Developer;
use sqlx::{AssertSqlSafe, FromRow};

use super::details::IssueDetails;
use crate::{Resolution, Store, StoreError, db};

/// The results of attribution for a line.
#[derive(Debug, Clone, Default, FromRow)]
pub struct IssueFacts {
    /// Key of the issue in its project.
    pub identity: String,
    /// Path in the repository, or as deployed when it is not a file of the repository.
    pub path: String,
    /// Line number in the running code.
    pub line: i64,
    /// Plain function name.
    pub function_name: String,
    /// The source line.
    pub text: String,
    /// Full type path of the first exception.
    pub exception_type: String,
    /// The known error that it matches.
    pub known_error_id: Option<i64>,
    /// `only_blame_filepaths_matching` excludes it: it is listed, but nobody is notified.
    pub kept_out: bool,
    /// Commit that introduced the line; `None` when nobody is blamed.
    pub origin_commit: Option<String>,
    /// Path in that commit.
    pub origin_path: Option<String>,
    /// Line number in that commit.
    pub origin_line: Option<i64>,
    /// Author's name.
    pub developer_name: Option<String>,
    /// Author's address as committed.
    pub developer_email: Option<String>,
    /// Author date.
    pub authored_at: Option<i64>,
    /// First line of the commit's message.
    pub commit_summary: Option<String>,
    /// How the line was found, or why nobody is blamed.
    pub reason: String,
    /// What else is known about it.
    #[sqlx(try_from = "String")]
    pub details: IssueDetails,
}

/// An issue as stored.
#[derive(Debug, Clone, FromRow)]
pub struct IssueRow {
    /// Its number.
    pub id: i64,
    /// Its line as last attributed, and who wrote it.
    #[sqlx(flatten)]
    pub facts: IssueFacts,
    /// All occurrences ever.
    pub occurrences: i64,
    /// Those of them in environments of which nobody is notified.
    pub only_listed: i64,
    /// When it was first seen.
    pub first_seen_at: i64,
    /// When it was last seen.
    pub last_seen_at: i64,
    /// When it was decided to notify somebody; `None` when never.
    pub notified_at: Option<i64>,
    /// When it was fixed or resolved.
    pub resolved_at: Option<i64>,
    /// The commit that fixed it.
    pub resolved_by: Option<String>,
    /// How that is known.
    pub resolution: Option<Resolution>,
    /// Nobody is notified of it before this time.
    pub muted_until: Option<i64>,
    /// All types of exceptions that it was seen with, one per line: see [`IssueRow::types`].
    pub exception_types: String,
    /// Whether a mail about it was sent or waits to be; mails that were given up do not count.
    pub mailed: bool,
}

/// An issue within a span of time.
#[derive(Debug, Clone, FromRow)]
pub struct WeekIssue {
    /// The issue.
    #[sqlx(flatten)]
    pub issue: IssueRow,
    /// Occurrences within the span.
    pub week_occurrences: i64,
    /// Last occurrence within the span.
    pub week_last_at: i64,
}

impl IssueRow {
    /// The author of the line, if known.
    pub fn developer(&self) -> Option<Developer> {
        let (name, email) =
            (self.facts.developer_name.clone()?, self.facts.developer_email.clone()?);
        Some(Developer { name, email })
    }

    /// The types of exceptions that it was seen with, full paths, the first one first.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        exception_types(&self.exception_types)
    }

    /// The end of its mute, if that is still to come.
    pub fn muted_at(&self, now: i64) -> Option<i64> {
        self.muted_until.filter(|until| *until > now)
    }
}

/// Splits a list of types, one per line.
pub fn exception_types(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|name| !name.is_empty())
}

pub(crate) const HOUR_MS: i64 = 3_600_000;

pub(crate) const ISSUE_COLUMNS: &str = "issue.id, issue.identity, issue.path, issue.line, issue.function_name, issue.text, \
     issue.exception_type, issue.known_error_id, issue.kept_out = 1 AS kept_out, issue.origin_commit, issue.origin_path, \
     issue.origin_line, issue.developer_name, issue.developer_email, issue.authored_at, \
     issue.commit_summary, issue.reason, issue.details, issue.occurrences, issue.only_listed, \
     issue.first_seen_at, \
     issue.last_seen_at, issue.notified_at, \
     issue.resolved_at, issue.resolved_by, issue.resolution, issue.muted_until, issue.exception_types, \
     EXISTS (SELECT 1 FROM alert JOIN notification ON notification.alert_id = alert.id \
             JOIN outbox ON outbox.id = notification.outbox_id \
             WHERE alert.issue_id = issue.id AND outbox.gave_up_at IS NULL) AS mailed";

impl Store {
    /// The issue that a place belongs to.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn issue_at_place(&self, place_key: &str) -> Result<Option<i64>, StoreError> {
        let query =
            db::query_scalar("SELECT issue_id FROM place WHERE project_id = $1 AND place_key = $2");
        Ok(query.bind(self.project).bind(place_key).fetch_optional(&self.readers).await?)
    }

    /// One issue, or the one that it was merged into.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn issue(&self, id: i64) -> Result<Option<IssueRow>, StoreError> {
        let sql = const_format(&[
            "SELECT ",
            ISSUE_COLUMNS,
            " FROM issue \
             WHERE issue.id = (SELECT COALESCE(merged_into, id) FROM issue \
             WHERE id = $1 AND project_id = $2)",
        ]);
        Ok(db::query(sql).bind(id).bind(self.project).fetch_optional(&self.readers).await?)
    }

    /// The issues of a line as 0.4.5's links name it, newest first, the first hundred; an empty
    /// function or text matches any.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn issues_of_line(
        &self,
        path: &str,
        function: &str,
        text: &str,
    ) -> Result<Vec<IssueRow>, StoreError> {
        let sql = const_format(&[
            "SELECT ",
            ISSUE_COLUMNS,
            " FROM issue WHERE issue.id IN (SELECT COALESCE(merged_into, id) FROM issue \
             WHERE project_id = $1 AND path = $2 AND ($3 = '' OR function_name = $3) \
             AND ($4 = '' OR TRIM(text) = $4)) ORDER BY last_seen_at DESC, issue.id LIMIT 100",
        ]);
        let query = db::query(sql).bind(self.project).bind(path).bind(function);
        Ok(query.bind(text.trim()).fetch_all(&self.readers).await?)
    }

    /// The issues that occurred in `[from, to)`, both full hours, most occurrences first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn issues_between(&self, from: i64, to: i64) -> Result<Vec<WeekIssue>, StoreError> {
        let sql = const_format(&[
            "SELECT ",
            ISSUE_COLUMNS,
            ", week.occurrences AS week_occurrences, week.last_at AS week_last_at \
             FROM (SELECT issue_id, CAST(SUM(occurrences) AS BIGINT) AS occurrences, \
                   MAX(last_at) AS last_at \
                   FROM issue_hour WHERE project_id = $1 AND hour >= $2 AND hour < $3 \
                   GROUP BY issue_id) AS week \
             JOIN issue ON issue.id = week.issue_id WHERE issue.project_id = $1 \
             ORDER BY week.occurrences DESC, issue.id",
        ]);
        let query = db::query(sql).bind(self.project).bind(from.div_euclid(HOUR_MS));
        Ok(query.bind(to.div_euclid(HOUR_MS)).fetch_all(&self.readers).await?)
    }
}

/// Statements are concatenated from constants only.
pub(crate) fn const_format(parts: &[&'static str]) -> AssertSqlSafe<String> {
    db::assembled(parts.concat())
}
