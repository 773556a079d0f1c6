//! Finds the issues that a rule would match, to check it before it is created.
use sqlx::FromRow;

use super::issue::{HOUR_MS, const_format};
use crate::{Store, StoreError, db};

/// An issue in short, with its recent occurrences.
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
    /// Full type path of the first exception.
    pub exception_type: String,
    /// Occurrences since the requested time.
    pub occurrences: i64,
}

/// The issues to find.
#[derive(Debug, Clone, Copy)]
pub enum Wanted<'a> {
    /// Issues whose blamed line is in this file.
    InFile(&'a str),
    /// Issues of this exception type.
    OfException(&'a str),
    /// At most this many issues, last seen first.
    SeenLast(i64),
}

impl Store {
    /// Open issues, last seen first, with their occurrences in the hours since then.
    ///
    /// # Errors
    /// The database cannot be read.
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
        let query = db::query(sql).bind(self.project).bind(since.div_euclid(HOUR_MS));
        Ok(query.bind(text).bind(limit).fetch_all(&self.readers).await?)
    }
}
