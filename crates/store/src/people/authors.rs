//! Developers as issues name them, and the mails to one address.
use sqlx::FromRow;

use crate::issues::issue::{HOUR_MS, ISSUE_COLUMNS};
use crate::{Store, StoreError, WeekIssue, db};

/// The author of some issues' lines.
#[derive(Debug, Clone, FromRow)]
pub struct AuthorRow {
    /// The address as committed.
    pub address: String,
    /// The name in one of the commits.
    pub name: String,
    /// Issues of lines that they wrote.
    pub issues: i64,
    /// The issues among them that are not resolved.
    pub open_issues: i64,
    /// The newest commit that introduced one of the lines.
    pub last_commit_at: Option<i64>,
    /// When the newest of the issues was first seen.
    pub last_issue_at: i64,
}

/// A mail to somebody.
#[derive(Debug, Clone, FromRow)]
pub struct PersonMail {
    /// The subject.
    pub subject: String,
    /// When it was written.
    pub created_at: i64,
    /// When the mail server accepted it.
    pub sent_at: Option<i64>,
    /// When it was given up.
    pub gave_up_at: Option<i64>,
    /// The mail server's answer to the last attempt.
    pub last_error: Option<String>,
}

impl Store {
    /// Everybody who wrote a line that failed, by the address in commits.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn authors(&self) -> Result<Vec<AuthorRow>, StoreError> {
        let query = db::query(
            "SELECT developer_email AS address, MAX(COALESCE(developer_name, '')) AS name, \
             COUNT(*) AS issues, \
             CAST(SUM(CASE WHEN resolved_at IS NULL THEN 1 ELSE 0 END) AS BIGINT) AS open_issues, \
             MAX(authored_at) AS last_commit_at, MAX(first_seen_at) AS last_issue_at \
             FROM issue WHERE project_id = $1 AND merged_into IS NULL \
             AND developer_email IS NOT NULL GROUP BY developer_email ORDER BY developer_email",
        );
        Ok(query.bind(self.project).fetch_all(&self.readers).await?)
    }

    /// Whether somebody with this address wrote a line that failed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_issues_of(&self, address: &str) -> Result<bool, StoreError> {
        let query = db::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM issue WHERE project_id = $1 \
             AND LOWER(developer_email) = $2)",
        );
        let query = query.bind(self.project).bind(address.to_ascii_lowercase());
        Ok(query.fetch_one(&self.readers).await?)
    }

    /// Occurrences in `[from, to)`, both full hours, by the author's address in commits.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn author_occurrences(
        &self,
        from: i64,
        to: i64,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let query = db::query(
            "SELECT issue.developer_email, CAST(SUM(week.occurrences) AS BIGINT) FROM \
             (SELECT issue_id, SUM(occurrences) AS occurrences FROM issue_hour \
              WHERE project_id = $1 AND hour >= $2 AND hour < $3 GROUP BY issue_id) AS week \
             JOIN issue ON issue.id = week.issue_id \
             WHERE issue.project_id = $1 AND issue.developer_email IS NOT NULL \
             GROUP BY issue.developer_email",
        );
        let query =
            query.bind(self.project).bind(from.div_euclid(HOUR_MS)).bind(to.div_euclid(HOUR_MS));
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// Authors who no longer answer for an issue of theirs, because they are gone.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn gone_authors(&self) -> Result<Vec<String>, StoreError> {
        let query = db::query_scalar(
            "SELECT DISTINCT developer_email FROM issue WHERE project_id = $1 \
             AND author_gone = 1 AND developer_email IS NOT NULL ORDER BY developer_email",
        );
        Ok(query.bind(self.project).fetch_all(&self.readers).await?)
    }

    /// Open issues of lines that these addresses wrote, last seen first, with their occurrences
    /// since `week`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn open_issues_by(
        &self,
        addresses: &[String],
        week: i64,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<WeekIssue>, StoreError> {
        let addresses_at = db::places(5, addresses.len());
        let sql = format!(
            "SELECT {ISSUE_COLUMNS}, CAST(COALESCE((SELECT SUM(occurrences) FROM issue_hour \
             WHERE issue_hour.issue_id = issue.id AND hour >= $1), 0) AS BIGINT) \
             AS week_occurrences, issue.last_seen_at AS week_last_at FROM issue \
             WHERE issue.id IN (SELECT id FROM issue WHERE merged_into IS NULL \
             AND resolved_at IS NULL AND project_id = $2 AND developer_email IN ({addresses_at}) \
             ORDER BY last_seen_at DESC, id LIMIT $3 OFFSET $4) \
             ORDER BY issue.last_seen_at DESC, issue.id"
        );
        let query = db::query(db::assembled(sql)).bind(week.div_euclid(HOUR_MS));
        let query = query.bind(self.project).bind(limit).bind(offset);
        let query = addresses.iter().fold(query, |query, address| query.bind(address));
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// The newest mails to an address, except sign-in links: a request for one concerns nobody
    /// else.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn mails_to(&self, address: &str, limit: i64) -> Result<Vec<PersonMail>, StoreError> {
        let query = db::query(
            "SELECT subject, created_at, sent_at, gave_up_at, last_error FROM outbox \
             WHERE LOWER(recipient) = $1 AND kind <> 'sign_in' AND project_id = $3 \
             ORDER BY created_at DESC, id DESC LIMIT $2",
        );
        let query = query.bind(address.to_ascii_lowercase()).bind(limit).bind(self.project);
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// Addresses in lower case that have refused all mails since the last delivered one, with the
    /// time when the first of these was given up.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn undeliverable_since(&self) -> Result<Vec<(String, i64)>, StoreError> {
        let query = db::query(
            "SELECT LOWER(lost.recipient), MIN(lost.gave_up_at) FROM outbox AS lost \
             WHERE lost.project_id = $1 AND lost.gave_up_at > 0 AND lost.address_refused = 1 \
             AND lost.gave_up_at > \
             COALESCE((SELECT MAX(sent.sent_at) FROM outbox AS sent \
                       WHERE LOWER(sent.recipient) = LOWER(lost.recipient)), 0) \
             AND lost.gave_up_at > COALESCE((SELECT MAX(retried_at) FROM retried_address \
                       WHERE project_id = $1 AND address = LOWER(lost.recipient)), 0) \
             GROUP BY LOWER(lost.recipient)",
        );
        Ok(query.bind(self.project).fetch_all(&self.readers).await?)
    }
}
