//! Issues and how often they occurred.
use flawless_core::Developer;
use sqlx::FromRow;

use crate::{PROJECT, Store, StoreError, WriteTx};

/// What attribution found out about a line.
#[derive(Debug, Clone, Default, FromRow)]
pub struct IssueFacts {
    /// Key of the issue in its project.
    pub identity: String,
    /// Path in the repository; as deployed when it is no file of the repository.
    pub path: String,
    /// Line number in the running code.
    pub line: i64,
    /// Plain function name.
    pub function_name: String,
    /// The source line.
    pub text: String,
    /// Full type path of the exception seen first.
    pub exception_type: String,
    /// The known error it is.
    pub known_error_id: Option<i64>,
    /// `only_blame_filepaths_matching` keeps it out: it is listed, and nobody is told.
    pub kept_out: bool,
    /// Commit that brought the line; `None` when nobody is blamed.
    pub origin_commit: Option<String>,
    /// Path there.
    pub origin_path: Option<String>,
    /// Line number there.
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
    /// [`super::details::IssueDetails`] as JSON.
    pub details: String,
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
    /// First seen.
    pub first_seen_at: i64,
    /// Last seen.
    pub last_seen_at: i64,
    /// When it was decided to tell; `None` when never.
    pub told_at: Option<i64>,
    /// When it was found to be mended.
    pub mended_at: Option<i64>,
    /// The commit that mended it.
    pub mended_by: Option<String>,
    /// How that is known, in words.
    pub mended_how: Option<String>,
    /// Nobody is told of it before.
    pub muted_until: Option<i64>,
    /// All types of exceptions that it was seen with, a line each: see [`IssueRow::types`].
    pub exception_types: String,
    /// A mail about it was sent or waits to be; one that was given up does not count.
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
    /// Last one within the span.
    pub week_last_at: i64,
}

/// Occurrences to be added to an issue.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// How many.
    pub occurrences: i64,
    /// In how many reports.
    pub reports: i64,
    /// When the first came in.
    pub first_at: i64,
    /// When the last came in.
    pub last_at: i64,
    /// A sample of them is kept.
    pub sampled: bool,
}

/// What an issue is after some occurrences were added.
#[derive(Debug, Clone, FromRow)]
pub struct Counted {
    /// Its number.
    pub id: i64,
    /// All occurrences, the new ones included.
    pub occurrences: i64,
    /// Samples taken so far, that of the new ones included.
    pub samples: i64,
    /// Author date of the line.
    pub authored_at: Option<i64>,
    /// When it was decided to tell.
    pub told_at: Option<i64>,
    /// First seen.
    pub first_seen_at: i64,
    /// When it was found to be mended.
    pub mended_at: Option<i64>,
    /// The commit that mended it.
    pub mended_by: Option<String>,
    /// How that is known, in words.
    pub mended_how: Option<String>,
    /// Nobody is told of it before.
    pub muted_until: Option<i64>,
    /// Nobody is told of it: see [`IssueFacts::kept_out`].
    pub kept_out: bool,
}

impl IssueRow {
    /// The author of the line, when one is known.
    pub fn developer(&self) -> Option<Developer> {
        let (name, email) =
            (self.facts.developer_name.clone()?, self.facts.developer_email.clone()?);
        Some(Developer { name, email })
    }

    /// The types of exceptions that it was seen with, full paths, the first one first.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        exception_types(&self.exception_types)
    }

    /// Until when nobody is told of it, when that is still to come.
    pub fn muted_at(&self, now: i64) -> Option<i64> {
        self.muted_until.filter(|until| *until > now)
    }
}

/// More types of one issue are told together.
const MAX_TYPES: usize = 50;

/// The types in a list of them, a line each.
pub fn exception_types(list: &str) -> impl Iterator<Item = &str> {
    list.lines().filter(|name| !name.is_empty())
}

pub(crate) const HOUR_MS: i64 = 3_600_000;

pub(crate) const ISSUE_COLUMNS: &str = "issue.id, issue.identity, issue.path, issue.line, issue.function_name, issue.text, \
     issue.exception_type, issue.known_error_id, issue.kept_out, issue.origin_commit, issue.origin_path, \
     issue.origin_line, issue.developer_name, issue.developer_email, issue.authored_at, \
     issue.commit_summary, issue.reason, issue.details, issue.occurrences, issue.first_seen_at, \
     issue.last_seen_at, issue.told_at, \
     issue.mended_at, issue.mended_by, issue.mended_how, issue.muted_until, issue.exception_types, \
     EXISTS (SELECT 1 FROM alert JOIN notice ON notice.alert_id = alert.id \
             JOIN outbox ON outbox.id = notice.outbox_id \
             WHERE alert.issue_id = issue.id AND outbox.gave_up_at IS NULL) AS mailed";

impl WriteTx {
    /// Adds occurrences to an issue, or to the one that it was merged into; `None` when there is
    /// no such issue.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn count(
        &mut self,
        issue_id: i64,
        seen: Seen,
    ) -> Result<Option<Counted>, StoreError> {
        let counted: Option<Counted> = sqlx::query_as(
            "UPDATE issue SET occurrences = occurrences + $2, samples = samples + $4, \
             last_seen_at = CASE WHEN last_seen_at > $3 THEN last_seen_at ELSE $3 END \
             WHERE id = (SELECT COALESCE(merged_into, id) FROM issue WHERE id = $1) \
             RETURNING id, occurrences, samples, authored_at, told_at, first_seen_at, \
             mended_at, mended_by, mended_how, muted_until, kept_out",
        )
        .bind(issue_id)
        .bind(seen.occurrences)
        .bind(seen.last_at)
        .bind(i64::from(seen.sampled))
        .fetch_optional(&mut *self.0)
        .await?;
        if let Some(counted) = &counted {
            self.count_hour(counted.id, seen).await?;
        }
        Ok(counted)
    }

    /// Adds occurrences to the issue with the identity of `facts`; makes it when it is new.
    /// Of an issue that is there, the line as it runs now and the known error are renewed.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn count_attributed(
        &mut self,
        facts: &IssueFacts,
        seen: Seen,
    ) -> Result<Counted, StoreError> {
        if let Some((known, is_itself)) = self.issue_of_identity(&facts.identity).await? {
            // What is known about a line under an older name must not replace what is known now.
            if is_itself {
                self.renew(known, facts).await?;
            }
            if let Some(counted) = self.count(known, seen).await? {
                return Ok(counted);
            }
        }
        let number = self.last_issue().await? + 1;
        let counted: Counted = sqlx::query_as(
            "INSERT INTO issue (project_id, identity, path, line, function_name, text, \
             exception_type, known_error_id, origin_commit, origin_path, origin_line, \
             developer_name, developer_email, authored_at, commit_summary, reason, details, \
             occurrences, samples, first_seen_at, last_seen_at, id, kept_out, exception_types) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
             $18, $19, $20, $21, $22, $23, $7) \
             RETURNING id, occurrences, samples, authored_at, told_at, first_seen_at, \
             mended_at, mended_by, mended_how, muted_until, kept_out",
        )
        .bind(PROJECT)
        .bind(&facts.identity)
        .bind(&facts.path)
        .bind(facts.line)
        .bind(&facts.function_name)
        .bind(&facts.text)
        .bind(&facts.exception_type)
        .bind(facts.known_error_id)
        .bind(&facts.origin_commit)
        .bind(&facts.origin_path)
        .bind(facts.origin_line)
        .bind(&facts.developer_name)
        .bind(&facts.developer_email)
        .bind(facts.authored_at)
        .bind(&facts.commit_summary)
        .bind(&facts.reason)
        .bind(&facts.details)
        .bind(seen.occurrences)
        .bind(i64::from(seen.sampled))
        .bind(seen.first_at)
        .bind(seen.last_at)
        .bind(number)
        .bind(i64::from(facts.kept_out))
        .fetch_one(&mut *self.0)
        .await?;
        self.count_hour(counted.id, seen).await?;
        Ok(counted)
    }

    /// Whether an issue is there, or merged into another one.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn has_issue(&mut self, issue: i64) -> Result<bool, StoreError> {
        let query = sqlx::query_scalar("SELECT COUNT(*) FROM issue WHERE id = $1");
        let found: i64 = query.bind(issue).fetch_one(&mut *self.0).await?;
        Ok(found > 0)
    }

    /// The line as it runs now and what is known about it.
    async fn renew(&mut self, issue: i64, facts: &IssueFacts) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE issue SET path = $2, line = $3, function_name = $4, text = $5, \
             known_error_id = $6, reason = $7, details = $8, developer_name = $9, \
             developer_email = $10, kept_out = $11 WHERE id = $1",
        )
        .bind(issue)
        .bind(&facts.path)
        .bind(facts.line)
        .bind(&facts.function_name)
        .bind(&facts.text)
        .bind(facts.known_error_id)
        .bind(&facts.reason)
        .bind(&facts.details)
        .bind(&facts.developer_name)
        .bind(&facts.developer_email)
        .bind(i64::from(facts.kept_out))
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// How an issue stands.
    ///
    /// # Errors
    /// The database refuses, or there is no such issue.
    pub async fn counted(&mut self, issue: i64) -> Result<Counted, StoreError> {
        let query = sqlx::query_as(
            "SELECT id, occurrences, samples, authored_at, told_at, first_seen_at, mended_at, \
             mended_by, mended_how, muted_until, kept_out FROM issue WHERE id = $1",
        );
        Ok(query.bind(issue).fetch_one(&mut *self.0).await?)
    }

    /// The same; `None` when there is no such issue.
    ///
    /// # Errors
    /// The database refuses.
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
        sqlx::query(
            "INSERT INTO issue_hour (issue_id, hour, occurrences, last_at, reports) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (issue_id, hour) DO UPDATE SET \
             occurrences = issue_hour.occurrences + excluded.occurrences, \
             reports = issue_hour.reports + excluded.reports, last_at = excluded.last_at",
        )
        .bind(issue)
        .bind(seen.last_at.div_euclid(HOUR_MS))
        .bind(seen.occurrences)
        .bind(seen.last_at)
        .bind(seen.reports)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Whether the issue is a known error now, and which.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn set_known_error(
        &mut self,
        issue: i64,
        rule: Option<i64>,
    ) -> Result<(), StoreError> {
        sqlx::query("UPDATE issue SET known_error_id = $2 WHERE id = $1")
            .bind(issue)
            .bind(rule)
            .execute(&mut *self.0)
            .await?;
        Ok(())
    }

    /// An issue was seen with an exception of this type.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn add_exception_type(&mut self, issue: i64, name: &str) -> Result<(), StoreError> {
        let query = sqlx::query_scalar("SELECT exception_types FROM issue WHERE id = $1");
        let known: Option<String> = query.bind(issue).fetch_optional(&mut *self.0).await?;
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
        let query = sqlx::query("UPDATE issue SET exception_types = $2 WHERE id = $1");
        query.bind(issue).bind(known).execute(&mut *self.0).await?;
        Ok(())
    }

    /// Remembers that a place belongs to an issue.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn add_place(
        &mut self,
        place_key: &str,
        issue_id: i64,
        at: i64,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO place (project_id, place_key, issue_id, created_at) \
             VALUES ($1, $2, $3, $4) \
             ON CONFLICT (project_id, place_key) DO NOTHING",
        )
        .bind(PROJECT)
        .bind(place_key)
        .bind(issue_id)
        .bind(at)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }
}

impl Store {
    /// The issue that a place belongs to.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn issue_at_place(&self, place_key: &str) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query_scalar(
            "SELECT issue_id FROM place WHERE project_id = $1 AND place_key = $2",
        );
        Ok(query.bind(PROJECT).bind(place_key).fetch_optional(&self.readers).await?)
    }

    /// One issue; of one that was merged, the one that it lives on in.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn issue(&self, id: i64) -> Result<Option<IssueRow>, StoreError> {
        let sql = const_format(&[
            "SELECT ",
            ISSUE_COLUMNS,
            " FROM issue \
             WHERE issue.id = (SELECT COALESCE(merged_into, id) FROM issue WHERE id = $1)",
        ]);
        Ok(sqlx::query_as(sql).bind(id).fetch_optional(&self.readers).await?)
    }

    /// The issues of a line as 0.4.5's links name it, newest first, the first hundred; an empty
    /// function or text stands for any.
    ///
    /// # Errors
    /// The database refuses.
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
        let query = sqlx::query_as(sql).bind(PROJECT).bind(path).bind(function);
        Ok(query.bind(text.trim()).fetch_all(&self.readers).await?)
    }

    /// The issues that occurred in `[from, to)`, both full hours, most occurrences first.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn issues_between(&self, from: i64, to: i64) -> Result<Vec<WeekIssue>, StoreError> {
        let sql = const_format(&[
            "SELECT ",
            ISSUE_COLUMNS,
            ", week.occurrences AS week_occurrences, week.last_at AS week_last_at \
             FROM (SELECT issue_id, SUM(occurrences) AS occurrences, MAX(last_at) AS last_at \
                   FROM issue_hour WHERE hour >= $2 AND hour < $3 GROUP BY issue_id) AS week \
             JOIN issue ON issue.id = week.issue_id WHERE issue.project_id = $1 \
             ORDER BY week.occurrences DESC, issue.id",
        ]);
        let query = sqlx::query_as(sql).bind(PROJECT).bind(from.div_euclid(HOUR_MS));
        Ok(query.bind(to.div_euclid(HOUR_MS)).fetch_all(&self.readers).await?)
    }
}

/// Statements are put together from constants only.
pub(crate) fn const_format(parts: &[&'static str]) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(parts.concat())
}
