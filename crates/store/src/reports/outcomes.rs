//! Outcomes of reports, counted by day.
use flawless_core::OutcomeKind;
use sqlx::FromRow;

use crate::issues::issue::HOUR_MS;
use crate::{Store, StoreError, WriteTx, db};

/// Reports of one day with the same outcome for the same reason.
#[derive(Debug, Clone, FromRow)]
pub struct OutcomeRow {
    /// A word of [`OutcomeKind`].
    pub kind: String,
    /// The reason in words.
    pub reason: String,
    /// Number of reports.
    pub reports: i64,
    /// When the last one came in.
    pub last_at: i64,
    /// A short description of the last one.
    pub example: String,
    /// The issue that counts the last one.
    pub issue_id: Option<i64>,
}

pub(crate) const DAY_MS: i64 = 86_400_000;

impl WriteTx {
    /// Counts reports that no issue counts. `reason` must come from a closed set; `example` is free
    /// text.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_outcome(
        &mut self,
        kind: OutcomeKind,
        reason: &str,
        reports: i64,
        at: i64,
        example: &str,
    ) -> Result<(), StoreError> {
        db::query(
            "INSERT INTO outcome (project_id, day, kind, reason, reports, last_at, example) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (project_id, day, kind, reason) DO UPDATE SET \
             reports = outcome.reports + excluded.reports, last_at = excluded.last_at, \
             example = excluded.example",
        )
        .bind(self.project)
        .bind(at.div_euclid(DAY_MS))
        .bind(kind.as_str())
        .bind(reason)
        .bind(reports)
        .bind(at)
        .bind(example)
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }
}

impl Store {
    /// Outcomes since the start of the day (UTC) that contains `since`, most reports first, each
    /// with its newest example.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn outcomes_since(&self, since: i64) -> Result<Vec<OutcomeRow>, StoreError> {
        let day = since.div_euclid(DAY_MS);
        let query = db::query(
            "SELECT kind, reason, reports, last_at, example, CAST(NULL AS BIGINT) AS issue_id FROM outcome \
             WHERE project_id = $1 AND day >= $2 ORDER BY last_at DESC",
        );
        let days: Vec<OutcomeRow> =
            query.bind(self.project).bind(day).fetch_all(&self.readers).await?;
        let mut found: Vec<OutcomeRow> = Vec::new();
        for row in days {
            match found.iter_mut().find(|f| f.kind == row.kind && f.reason == row.reason) {
                Some(newer) => newer.reports += row.reports,
                None => found.push(row),
            }
        }
        // Reports of issues are counted per issue, by the hour.
        let hour = day * (DAY_MS / HOUR_MS);
        found.extend(self.counted_since(hour).await?);
        found.sort_by_key(|row| std::cmp::Reverse(row.reports));
        Ok(found)
    }

    /// Reports of issues since an hour: with somebody blamed, and with nobody. Checking each issue
    /// would take long: all are counted first, then the few that nobody is blamed for.
    async fn counted_since(&self, hour: i64) -> Result<Vec<OutcomeRow>, StoreError> {
        let query = db::query_scalar(
            "SELECT CAST(COALESCE(SUM(reports), 0) AS BIGINT) FROM issue_hour \
             WHERE project_id = $2 AND hour >= $1",
        );
        let all: i64 = query.bind(hour).bind(self.project).fetch_one(&self.readers).await?;
        let query = db::query(
            "SELECT CAST(COALESCE(SUM(issue_hour.reports), 0) AS BIGINT), \
             COALESCE(MAX(issue_hour.last_at), 0) \
             FROM issue JOIN issue_hour ON issue_hour.issue_id = issue.id \
             WHERE issue.project_id = $1 AND issue.origin_commit IS NULL \
             AND issue_hour.hour >= $2",
        );
        let (nobody, nobody_at): (i64, i64) =
            query.bind(self.project).bind(hour).fetch_one(&self.readers).await?;
        let row = |kind: OutcomeKind, reports, newest: Option<(i64, i64, String)>| {
            let (issue_id, last_at, example) = newest?;
            Some(OutcomeRow {
                kind: kind.as_str().to_owned(),
                reason: String::new(),
                reports,
                last_at,
                example,
                issue_id: Some(issue_id),
            })
        };
        let mut rows = Vec::new();
        if nobody > 0 {
            let query = db::query(
                "SELECT issue.id, issue_hour.last_at, \
                 issue.path || ':' || CAST(issue.line AS TEXT) \
                 FROM issue_hour JOIN issue ON issue.id = issue_hour.issue_id \
                 WHERE issue_hour.project_id = $3 AND issue_hour.hour = $1 \
                 AND issue_hour.last_at = $2 AND issue.origin_commit IS NULL LIMIT 1",
            );
            let query = query.bind(nobody_at.div_euclid(HOUR_MS)).bind(nobody_at);
            let query = query.bind(self.project);
            let newest = query.fetch_optional(&self.readers).await?;
            rows.extend(row(OutcomeKind::NotBlamed, nobody, newest));
        }
        if all > nobody {
            let query = db::query(
                "SELECT issue.id, issue_hour.last_at, \
                 issue.path || ':' || CAST(issue.line AS TEXT) \
                 FROM issue_hour JOIN issue ON issue.id = issue_hour.issue_id \
                 WHERE issue_hour.project_id = $2 AND issue_hour.hour >= $1 \
                 AND issue.origin_commit IS NOT NULL \
                 ORDER BY issue_hour.hour DESC, issue_hour.last_at DESC LIMIT 1",
            );
            let newest = query.bind(hour).bind(self.project).fetch_optional(&self.readers).await?;
            rows.extend(row(OutcomeKind::Counted, all - nobody, newest));
        }
        Ok(rows)
    }

    /// Whether a program has ever reported anything on a path other than this one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_reports(&self, but_of: &str) -> Result<bool, StoreError> {
        let query = db::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM issue WHERE project_id = $1 AND path <> $2) \
             OR EXISTS (SELECT 1 FROM outcome WHERE project_id = $1 AND kind <> $3)",
        );
        let query = query.bind(self.project).bind(but_of).bind(OutcomeKind::Refused.as_str());
        Ok(query.fetch_one(&self.readers).await?)
    }
}
