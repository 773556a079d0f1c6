//! Counts occurrences of issues, and stores the results of attribution.
use sqlx::FromRow;

use super::issue::{HOUR_MS, IssueFacts, exception_types};
use crate::db::key_text::{beginning, key_text};
use crate::{Resolution, StoreError, WriteTx, db};

/// Bytes of an author's name or address. Longer ones are not names.
const MAX_AUTHOR: usize = 400;

/// The name or address of an author, as it is stored and indexed.
fn bounded(text: &Option<String>) -> Option<&str> {
    text.as_deref().map(|text| beginning(text, MAX_AUTHOR))
}

/// Limit of exception types that are kept per issue.
const MAX_TYPES: usize = 50;

/// Occurrences to be added to an issue.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Number of occurrences.
    pub occurrences: i64,
    /// Those of them in environments of which nobody is notified.
    pub only_listed: i64,
    /// Number of reports with them.
    pub reports: i64,
    /// When the first came in.
    pub first_at: i64,
    /// When the last came in.
    pub last_at: i64,
    /// Whether a sample of them is kept.
    pub sampled: bool,
}

/// The state of an issue after occurrences were added.
#[derive(Debug, Clone, FromRow)]
pub struct Counted {
    /// Its number.
    pub id: i64,
    /// All occurrences, the new ones included.
    pub occurrences: i64,
    /// Those of them in environments of which nobody is notified.
    pub only_listed: i64,
    /// Samples taken so far, including that of the new ones.
    pub samples: i64,
    /// Author date of the line.
    pub authored_at: Option<i64>,
    /// When it was decided to notify somebody.
    pub notified_at: Option<i64>,
    /// When it was first seen.
    pub first_seen_at: i64,
    /// When it was fixed or resolved.
    pub resolved_at: Option<i64>,
    /// The commit that fixed it.
    pub resolved_by: Option<String>,
    /// How that is known.
    pub resolution: Option<Resolution>,
    /// Nobody is notified of it before this time.
    pub muted_until: Option<i64>,
    /// Nobody is notified of it: see [`IssueFacts::kept_out`].
    pub kept_out: bool,
}

impl WriteTx {
    /// Adds occurrences to an issue, or to the one that it was merged into; `None` when it does not
    /// exist.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn count(
        &mut self,
        issue_id: i64,
        seen: Seen,
    ) -> Result<Option<Counted>, StoreError> {
        let counted: Option<Counted> = db::query(
            "UPDATE issue SET occurrences = occurrences + $2, samples = samples + $4, \
             only_listed = only_listed + $5, last_seen_at = CASE WHEN last_seen_at > $3 THEN last_seen_at ELSE $3 END \
             WHERE id = (SELECT COALESCE(merged_into, id) FROM issue WHERE id = $1) \
             RETURNING id, occurrences, only_listed, samples, authored_at, notified_at, \
             first_seen_at, resolved_at, resolved_by, resolution, muted_until, \
             kept_out = 1 AS kept_out",
        )
        .bind(issue_id)
        .bind(seen.occurrences)
        .bind(seen.last_at)
        .bind(i64::from(seen.sampled))
        .bind(seen.only_listed)
        .fetch_optional(&mut self.tx)
        .await?;
        if let Some(counted) = &counted {
            self.count_hour(counted.id, seen).await?;
        }
        Ok(counted)
    }

    /// Adds occurrences to the issue with the identity of `facts`; creates it when it is new. For
    /// an existing issue, the current line and the known error are updated.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn count_attributed(
        &mut self,
        facts: &IssueFacts,
        seen: Seen,
    ) -> Result<Counted, StoreError> {
        if let Some((known, is_itself)) = self.issue_of_identity(&facts.identity).await? {
            // Facts found under an older name must not replace the current ones.
            if is_itself {
                self.renew(known, facts).await?;
            }
            if let Some(counted) = self.count(known, seen).await? {
                return Ok(counted);
            }
        }
        let revision = self.next_revision().await?;
        let counted: Counted = db::query(
            "INSERT INTO issue (project_id, identity, path, line, function_name, text, \
             exception_type, known_error_id, origin_commit, origin_path, origin_line, \
             developer_name, developer_email, authored_at, commit_summary, reason, details, \
             occurrences, samples, first_seen_at, last_seen_at, revision, kept_out, exception_types, \
             author_gone, only_listed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
             $15, $16, $17, $18, $19, $20, $21, $22, $23, $7, $24, $25) \
             RETURNING id, occurrences, only_listed, samples, authored_at, notified_at, \
             first_seen_at, resolved_at, resolved_by, resolution, muted_until, \
             kept_out = 1 AS kept_out",
        )
        .bind(self.project)
        .bind(key_text(&facts.identity))
        .bind(&facts.path)
        .bind(facts.line)
        .bind(&facts.function_name)
        .bind(&facts.text)
        .bind(&facts.exception_type)
        .bind(facts.known_error_id)
        .bind(&facts.origin_commit)
        .bind(&facts.origin_path)
        .bind(facts.origin_line)
        .bind(bounded(&facts.developer_name))
        .bind(bounded(&facts.developer_email))
        .bind(facts.authored_at)
        .bind(&facts.commit_summary)
        .bind(&facts.reason)
        .bind(facts.details.to_json())
        .bind(seen.occurrences)
        .bind(i64::from(seen.sampled))
        .bind(seen.first_at)
        .bind(seen.last_at)
        .bind(revision)
        .bind(facts.kept_out)
        .bind(facts.details.is_author_gone())
        .bind(seen.only_listed)
        .fetch_one(&mut self.tx)
        .await?;
        self.count_hour(counted.id, seen).await?;
        Ok(counted)
    }

    /// Whether an issue exists, possibly merged into another one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_issue(&mut self, issue: i64) -> Result<bool, StoreError> {
        let query = db::query_scalar("SELECT COUNT(*) FROM issue WHERE id = $1");
        let found: i64 = query.bind(issue).fetch_one(&mut self.tx).await?;
        Ok(found > 0)
    }

    /// Updates the line as it runs now and its facts.
    async fn renew(&mut self, issue: i64, facts: &IssueFacts) -> Result<(), StoreError> {
        let revision = self.next_revision_of(issue).await?;
        db::query(
            "UPDATE issue SET path = $2, line = $3, function_name = $4, text = $5, \
             known_error_id = $6, reason = $7, details = $8, developer_name = $9, \
             developer_email = $10, kept_out = $11, author_gone = $12, revision = $13 \
             WHERE id = $1",
        )
        .bind(issue)
        .bind(&facts.path)
        .bind(facts.line)
        .bind(&facts.function_name)
        .bind(&facts.text)
        .bind(facts.known_error_id)
        .bind(&facts.reason)
        .bind(facts.details.to_json())
        .bind(bounded(&facts.developer_name))
        .bind(bounded(&facts.developer_email))
        .bind(facts.kept_out)
        .bind(facts.details.is_author_gone())
        .bind(revision)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }

    /// The state of an issue.
    ///
    /// # Errors
    /// The database cannot be read, or the issue does not exist.
    pub async fn counted(&mut self, issue: i64) -> Result<Counted, StoreError> {
        let query = db::query(
            "SELECT id, occurrences, only_listed, samples, authored_at, notified_at, first_seen_at, \
             resolved_at, resolved_by, resolution, muted_until, kept_out = 1 AS kept_out \
             FROM issue WHERE id = $1",
        );
        Ok(query.bind(issue).fetch_one(&mut self.tx).await?)
    }

    /// The same; `None` when the issue does not exist.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn counted_if_there(&mut self, issue: i64) -> Result<Option<Counted>, StoreError> {
        match self.counted(issue).await {
            Ok(counted) => Ok(Some(counted)),
            Err(StoreError::Database(sqlx::Error::RowNotFound)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn count_hour(&mut self, issue: i64, seen: Seen) -> Result<(), StoreError> {
        if seen.occurrences == 0 {
            return Ok(());
        }
        let revision = self.counts_revision().await?;
        db::query(
            "INSERT INTO issue_hour \
             (issue_id, hour, occurrences, last_at, reports, project_id, revision) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (issue_id, hour) DO UPDATE SET \
             occurrences = issue_hour.occurrences + excluded.occurrences, \
             reports = issue_hour.reports + excluded.reports, last_at = excluded.last_at, \
             revision = excluded.revision",
        )
        .bind(issue)
        .bind(seen.last_at.div_euclid(HOUR_MS))
        .bind(seen.occurrences)
        .bind(seen.last_at)
        .bind(seen.reports)
        .bind(self.project)
        .bind(revision)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }

    /// Sets the known error that the issue matches now.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_known_error(
        &mut self,
        issue: i64,
        rule: Option<i64>,
    ) -> Result<(), StoreError> {
        let revision = self.next_revision_of(issue).await?;
        db::query("UPDATE issue SET known_error_id = $2, revision = $3 WHERE id = $1")
            .bind(issue)
            .bind(rule)
            .bind(revision)
            .execute(&mut self.tx)
            .await?;
        Ok(())
    }

    /// Notes that an issue was seen with an exception of this type.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_exception_type(&mut self, issue: i64, name: &str) -> Result<(), StoreError> {
        let query = db::query_scalar("SELECT exception_types FROM issue WHERE id = $1");
        let known: Option<String> = query.bind(issue).fetch_optional(&mut self.tx).await?;
        let Some(mut known) = known else { return Ok(()) };
        let name = name.lines().next().unwrap_or_default().trim();
        let is_known = exception_types(&known).any(|other| other == name);
        if name.is_empty() || is_known || exception_types(&known).count() >= MAX_TYPES {
            return Ok(());
        }
        if !known.is_empty() {
            known.push('\n');
        }
        known.push_str(name);
        let revision = self.next_revision_of(issue).await?;
        let query = db::query("UPDATE issue SET exception_types = $2, revision = $3 WHERE id = $1");
        query.bind(issue).bind(known).bind(revision).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Stores that a place belongs to an issue.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_place(
        &mut self,
        place_key: &str,
        issue_id: i64,
        at: i64,
    ) -> Result<(), StoreError> {
        db::query(
            "INSERT INTO place (project_id, place_key, issue_id, created_at) \
             VALUES ($1, $2, $3, $4) \
             ON CONFLICT (project_id, place_key) DO NOTHING",
        )
        .bind(self.project)
        .bind(place_key)
        .bind(issue_id)
        .bind(at)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }
}
