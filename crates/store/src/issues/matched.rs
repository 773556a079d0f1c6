//! Issues that a rule would mean, for looking before it is made.
use sqlx::FromRow;

use super::issue::{HOUR_MS, const_format};
use crate::{PROJECT, Store, StoreError};

/// An issue in short, with how often it occurred of late.
#[derive(Debug, Clone, FromRow)]
pub struct MatchedIssue {
    /// Its number.
    pub id: i64,
    /// Path in the repository.
    pub path: String,
    /// Line number in the running code.
    pub line: i64,
    /// Plain function name.
    pub function_name: String,
    /// The source line.
    pub text: String,
    /// Full type path of the exception seen first.
    pub exception_type: String,
    /// Occurrences since the time that was asked for.
    pub occurrences: i64,
}

/// Which issues are wanted.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// Those whose blamed line is in this file.
    InFile(&'a str),
    /// Those of this exception type.
    OfException(&'a str),
    /// So many that were seen last.
    SeenLast(i64),
}

impl Store {
    /// Open issues, those seen last first, with what occurred in the hours since then.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn matched_issues(
        &self,
        wanted: Wanted<'_>,
        since: i64,
    ) -> Result<Vec<MatchedIssue>, StoreError> {
        let (condition, text, limit) = match wanted {
            Wanted::InFile(path) => ("issue.path = $3", path, i64::MAX),
            Wanted::OfException(name) => ("issue.exception_type = $3", name, i64::MAX),
            Wanted::SeenLast(limit) => ("$3 = ''", "", limit),
        };
        let sql = const_format(&[
            "SELECT id, path, line, function_name, text, exception_type, \
             CAST(COALESCE((SELECT SUM(issue_hour.occurrences) FROM issue_hour \
             WHERE issue_hour.issue_id = issue.id AND issue_hour.hour >= $2), 0) AS BIGINT) AS occurrences \
             FROM issue WHERE project_id = $1 AND merged_into IS NULL AND resolved_at IS NULL AND ",
            condition,
            " ORDER BY last_seen_at DESC, id LIMIT $4",
        ]);
        let query = sqlx::query_as(sql).bind(PROJECT).bind(since.div_euclid(HOUR_MS));
        Ok(query.bind(text).bind(limit).fetch_all(&self.readers).await?)
    }
}
