//! Issues that were fixed or resolved, and regressions.
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::details::IssueDetails;
use crate::db::key_text::key_text;
use crate::db::value::{Json, read_from_json};
use crate::{IssueFacts, Store, StoreError, WriteTx, db};

/// How an issue was resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// A commit changed or removed its line. `None` when the commit could not be read.
    Fixed(Option<FixingChange>),
    /// Its line is gone from a running revision, and no commit is known for certain.
    Gone,
    /// Somebody resolved it.
    ByHand,
}

/// The commit that fixed an issue, in its own words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixingChange {
    /// First line of its message.
    pub summary: String,
    /// Name of its author.
    pub author: String,
}

/// An issue that failed again after it was resolved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression {
    /// When it was resolved.
    pub resolved_at: i64,
    /// The commit that fixed it; `None` when somebody resolved it without naming one.
    pub resolved_by: Option<String>,
    /// How that was known.
    pub resolution: Resolution,
    /// The text of the line before, if it has changed.
    pub read: Option<String>,
    /// The revision in which it failed again.
    pub seen_in: Option<String>,
}

read_from_json!(Resolution, Regression);

/// An issue whose line is searched in the running revisions.
#[derive(Debug, Clone, FromRow)]
pub struct OpenIssue {
    /// Its number.
    pub id: i64,
    /// Commit that introduced the line.
    pub origin_commit: String,
    /// Path in that commit.
    pub origin_path: String,
    /// Line number in that commit.
    pub origin_line: i64,
    /// Path in the repository when it was last seen.
    pub path: String,
    /// The newest [`crate::RunningRow`] in which it was searched.
    pub checked_revision: i64,
    /// What else is known about it.
    #[sqlx(try_from = "String")]
    pub details: IssueDetails,
}

/// An earlier issue that a new one may be a regression of.
#[derive(Debug, Clone, FromRow)]
pub struct Predecessor {
    /// Its number.
    pub id: i64,
    /// Key of the issue in its project.
    pub identity: String,
    /// Commit that introduced its line.
    pub origin_commit: String,
    /// Path in that commit.
    pub origin_path: String,
    /// Line number in that commit.
    pub origin_line: i64,
    /// The source line.
    pub text: String,
    /// All types of exceptions that it was seen with, one per line.
    pub exception_types: String,
    /// When it was fixed or resolved.
    pub resolved_at: Option<i64>,
    /// The commit that fixed it.
    pub resolved_by: Option<String>,
    /// How that is known.
    pub resolution: Option<Resolution>,
}

/// When and how an issue was resolved.
#[derive(Debug, Clone, FromRow)]
pub struct ResolutionRow {
    /// When it was fixed or resolved.
    pub resolved_at: i64,
    /// The commit that fixed it; without one, every later occurrence is a regression.
    pub resolved_by: Option<String>,
    /// How that is known.
    pub resolution: Resolution,
}

impl WriteTx {
    /// Marks an issue as fixed by the commit `by`, or without one as resolved from now on.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_resolved(
        &mut self,
        issue: i64,
        at: i64,
        by: Option<&str>,
        resolution: &Resolution,
    ) -> Result<(), StoreError> {
        let revision = self.next_revision_of(issue).await?;
        let query = db::query(
            "UPDATE issue SET resolved_at = $2, resolved_by = $3, resolution = $4, revision = $5 \
             WHERE id = $1 AND merged_into IS NULL",
        );
        let query = query.bind(issue).bind(at).bind(by).bind(Json(resolution)).bind(revision);
        query.execute(&mut self.tx).await?;
        self.invalidate_verdicts().await
    }

    /// Turns a resolved issue that regressed on another line, that of `facts`, into the issue of
    /// that line, so that links, threads and its number remain valid. Returns whether it did: not
    /// when it regressed before, or was merged into another issue.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn take_over(
        &mut self,
        issue: i64,
        was: &Predecessor,
        facts: &IssueFacts,
    ) -> Result<bool, StoreError> {
        let revision = self.next_revision_of(issue).await?;
        let done = db::query(
            "UPDATE issue SET identity = $2, origin_commit = $3, origin_path = $4, \
             origin_line = $5, authored_at = $6, commit_summary = $7, revision = $9 \
             WHERE id = $1 AND identity = $8 AND merged_into IS NULL AND notified_at IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM issue AS other \
             WHERE other.project_id = issue.project_id AND other.identity = $2)",
        )
        .bind(issue)
        .bind(key_text(&facts.identity))
        .bind(&facts.origin_commit)
        .bind(&facts.origin_path)
        .bind(facts.origin_line)
        .bind(facts.authored_at)
        .bind(&facts.commit_summary)
        .bind(key_text(&was.identity))
        .bind(revision)
        .execute(&mut self.tx)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        // Where the older line still runs, it belongs to this issue.
        db::query(
            "INSERT INTO issue_alias (project_id, identity, issue_id) VALUES ($1, $2, $3) \
             ON CONFLICT (project_id, identity) DO UPDATE SET issue_id = excluded.issue_id",
        )
        .bind(self.project)
        .bind(key_text(&was.identity))
        .bind(issue)
        .execute(&mut self.tx)
        .await?;
        Ok(true)
    }

    /// Marks an issue as open again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn clear_resolved(&mut self, issue: i64) -> Result<(), StoreError> {
        let revision = self.next_revision_of(issue).await?;
        let query = db::query(
            "UPDATE issue SET resolved_at = NULL, resolved_by = NULL, resolution = NULL, \
             revision = $2 WHERE id = $1",
        );
        query.bind(issue).bind(revision).execute(&mut self.tx).await?;
        self.invalidate_verdicts().await
    }

    /// Whether an issue is still to be searched in this revision: another server may have done it,
    /// or somebody resolved the issue meanwhile.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn is_unchecked(&mut self, issue: i64, revision: i64) -> Result<bool, StoreError> {
        let query = db::query_scalar(
            "SELECT COUNT(*) FROM issue \
             WHERE id = $1 AND checked_revision < $2 AND resolved_at IS NULL",
        );
        let query = query.bind(issue).bind(revision);
        Ok(query.fetch_one::<i64>(&mut self.tx).await? > 0)
    }

    /// Notes that an issue was searched in all revisions up to this one.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_checked(&mut self, issue: i64, revision: i64) -> Result<(), StoreError> {
        let query = db::query("UPDATE issue SET checked_revision = $2 WHERE id = $1");
        query.bind(issue).bind(revision).execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// Open issues that somebody was notified of and whose lines were not yet searched in running
    /// revisions up to `newest`, last seen first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn open_issues(&self, newest: i64, limit: i64) -> Result<Vec<OpenIssue>, StoreError> {
        let query = db::query(
            "SELECT id, origin_commit, origin_path, origin_line, path, checked_revision, details \
             FROM issue WHERE project_id = $1 AND checked_revision < $2 AND resolved_at IS NULL \
             AND notified_at IS NOT NULL AND origin_commit IS NOT NULL AND merged_into IS NULL \
             ORDER BY last_seen_at DESC, id LIMIT $3",
        );
        Ok(query.bind(self.project).bind(newest).bind(limit).fetch_all(&self.readers).await?)
    }

    /// Issues with this path and function that somebody was notified of, last seen first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn predecessors(
        &self,
        path: &str,
        function: &str,
        limit: i64,
    ) -> Result<Vec<Predecessor>, StoreError> {
        let query = db::query(
            "SELECT id, identity, origin_commit, origin_path, origin_line, text, exception_types, \
             resolved_at, resolved_by, resolution FROM issue WHERE project_id = $1 AND path = $2 \
             AND function_name = $3 AND notified_at IS NOT NULL AND origin_commit IS NOT NULL \
             AND merged_into IS NULL ORDER BY last_seen_at DESC, id LIMIT $4",
        );
        let query = query.bind(self.project).bind(path).bind(function);
        Ok(query.bind(limit).fetch_all(&self.readers).await?)
    }

    /// When and how an issue was resolved; `None` when it is not.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn resolution(&self, issue: i64) -> Result<Option<ResolutionRow>, StoreError> {
        let query = db::query(
            "SELECT resolved_at, resolved_by, resolution FROM issue \
             WHERE resolved_at IS NOT NULL AND id = (SELECT COALESCE(merged_into, id) FROM issue \
             WHERE id = $1 AND project_id = $2)",
        );
        Ok(query.bind(issue).bind(self.project).fetch_optional(&self.readers).await?)
    }
}
