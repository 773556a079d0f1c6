//! Reports that wait for attribution, stored whole.
use std::collections::HashMap;

use flawless_core::{ExceptionAt, Report};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::issues::facets::{self, Facet};
use crate::issues::samples::decode_sample;
use crate::sealing::SealError;
use crate::{ProjectId, Store, StoreError, WriteTx, db};

pub(crate) const TABLE: &str = "pending_report";

fn sealed(source: SealError) -> StoreError {
    StoreError::Sealed { what: "a waiting report".into(), source }
}

/// A report whose line is not known yet.
#[derive(Debug)]
pub struct NewPending {
    /// Identifies all reports with the same traceback.
    pub fingerprint: String,
    /// Occurrences it stands for.
    pub occurrences: i64,
    /// Those of them in environments of which nobody is notified.
    pub only_listed: i64,
    /// Number of merged reports.
    pub reports: i64,
    /// The threshold of the report, else the configured one.
    pub error_threshold: i64,
    /// When it came in.
    pub at: i64,
    /// What the reports say about their programs.
    pub facets: Vec<Facet>,
    /// The sender whose quota is charged.
    pub source: String,
    /// The report, encoded.
    pub body: Vec<u8>,
}

/// A report to attribute.
#[derive(Debug, FromRow)]
pub struct PendingRow {
    /// Identifies all reports with the same traceback.
    pub fingerprint: String,
    /// Number of failed attempts.
    pub attempts: i64,
    /// When the first one came in.
    pub first_at: i64,
    /// Occurrences that wait to be counted; 0 when the report is only attributed again.
    pub occurrences: i64,
    /// The report, encoded and possibly encrypted: see [`Store::pending_report`].
    pub body: Vec<u8>,
}

/// What may let a report be attributed differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitsFor {
    /// Nothing but time.
    Nothing,
    /// A fetch of the mirror.
    Fetch,
    /// A source map that is uploaded.
    SourceMap,
}

impl WaitsFor {
    fn number(self) -> i64 {
        match self {
            Self::Nothing => 0,
            Self::Fetch => 1,
            Self::SourceMap => 2,
        }
    }
}

/// How a report was counted while it was unknown who is to blame.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedBefore {
    /// Occurrences that were counted.
    pub occurrences: i64,
    /// Those of them in environments of which nobody is notified.
    pub only_listed: i64,
    /// Reports that were counted.
    pub reports: i64,
    /// The faults that somebody was blamed for, whose attribution is final.
    pub settled: Vec<ExceptionAt>,
    /// The other faults, each with the issue that counts it.
    pub unblamed: Vec<(ExceptionAt, i64)>,
}

/// The contents of a row when it was removed.
#[derive(Debug, FromRow)]
pub struct TakenPending {
    /// All occurrences.
    pub occurrences: i64,
    /// Those of them in environments of which nobody is notified.
    pub only_listed: i64,
    /// All reports.
    pub reports: i64,
    /// The lowest threshold of all.
    pub error_threshold: i64,
    /// When the first one came in.
    pub first_at: i64,
    /// When the last one came in.
    pub last_at: i64,
    /// The sender whose quota is charged.
    pub source: String,
    facets: String,
    body: Vec<u8>,
    counted: Option<String>,
}

impl TakenPending {
    /// What the reports say about their programs; empty when an earlier version wrote the row.
    pub fn facets(&self) -> Vec<Facet> {
        facets::read(&self.facets)
    }

    /// Bytes of the stored report.
    pub fn bytes(&self) -> i64 {
        i64::try_from(self.body.len()).unwrap_or(i64::MAX)
    }

    /// How it was counted before; its own counts are those added since.
    pub fn counted(&self) -> Option<CountedBefore> {
        serde_json::from_str(self.counted.as_deref()?).ok()
    }
}

/// Longer than any row is postponed: a later time was written by a clock that was ahead.
const LONGEST_WAIT_MS: i64 = 2 * 3_600_000;

impl WriteTx {
    /// The facets of a report with this traceback that already waits to be counted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn pending_facets(
        &mut self,
        fingerprint: &str,
    ) -> Result<Option<String>, StoreError> {
        let query = db::query_scalar(
            "SELECT facets FROM pending_report WHERE project_id = $1 AND fingerprint = $2 \
             AND occurrences > 0",
        );
        Ok(query.bind(self.project).bind(fingerprint).fetch_optional(&mut self.tx).await?)
    }

    /// Stores a report until it is attributed. If one with the same traceback waits already, the
    /// counts are added to it; `before` are its facets. Returns how many bytes the body takes; the
    /// body of a waiting report is kept, that of a counted one is replaced.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn put_pending(&mut self, new: &NewPending, before: &str) -> Result<i64, StoreError> {
        let body = self.sealing.seal(TABLE, new.body.clone()).map_err(sealed)?;
        let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
        let facets = facets::add_to(before, &new.facets);
        db::query(
            "INSERT INTO pending_report (project_id, fingerprint, occurrences, reports, \
             error_threshold, first_at, last_at, attempts, next_attempt_at, body, facets, source, only_listed) \
             VALUES ($1, $2, $3, $4, $5, $6, $6, 0, $6, $7, $8, $9, $10) \
             ON CONFLICT (project_id, fingerprint) DO UPDATE SET \
             occurrences = pending_report.occurrences + excluded.occurrences, \
             only_listed = pending_report.only_listed + excluded.only_listed, \
             reports = pending_report.reports + excluded.reports, \
             error_threshold = CASE WHEN excluded.error_threshold < pending_report.error_threshold \
             THEN excluded.error_threshold ELSE pending_report.error_threshold END, \
             last_at = excluded.last_at, facets = excluded.facets, \
             next_attempt_at = CASE WHEN pending_report.occurrences > 0 \
             THEN pending_report.next_attempt_at ELSE excluded.next_attempt_at END, \
             first_at = CASE WHEN pending_report.occurrences > 0 \
             THEN pending_report.first_at ELSE excluded.first_at END, \
             body = CASE WHEN pending_report.occurrences > 0 \
             THEN pending_report.body ELSE excluded.body END, \
             source = CASE WHEN pending_report.occurrences > 0 \
             THEN pending_report.source ELSE excluded.source END",
        )
        .bind(self.project)
        .bind(&new.fingerprint)
        .bind(new.occurrences)
        .bind(new.reports)
        .bind(new.error_threshold)
        .bind(new.at)
        .bind(body)
        .bind(facets)
        .bind(&new.source)
        .bind(new.only_listed)
        .execute(&mut self.tx)
        .await?;
        Ok(bytes)
    }

    /// The number of reports that wait to be counted, by sender.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn waiting_by_source(&mut self) -> Result<HashMap<String, i64>, StoreError> {
        let query = db::query(
            "SELECT source, COUNT(*) FROM pending_report \
             WHERE project_id = $1 AND occurrences > 0 GROUP BY source",
        );
        let rows: Vec<(String, i64)> = query.bind(self.project).fetch_all(&mut self.tx).await?;
        Ok(rows.into_iter().collect())
    }

    /// Removes a report to count it; `None` when it is gone already.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn take_pending(
        &mut self,
        fingerprint: &str,
    ) -> Result<Option<TakenPending>, StoreError> {
        let query = db::query(
            "DELETE FROM pending_report WHERE project_id = $1 AND fingerprint = $2 \
             RETURNING occurrences, only_listed, reports, error_threshold, first_at, last_at, source, facets, \
             body, counted",
        );
        Ok(query.bind(self.project).bind(fingerprint).fetch_optional(&mut self.tx).await?)
    }

    /// Puts back a report that was removed and counted, to be attributed again at `next_attempt_at`
    /// or when what it waits for is there: somebody may be blamed then.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn keep_counted(
        &mut self,
        fingerprint: &str,
        taken: &TakenPending,
        counted: &CountedBefore,
        (next_attempt_at, waits_for): (i64, WaitsFor),
    ) -> Result<(), StoreError> {
        let counted = serde_json::to_string(counted).unwrap_or_default();
        db::query(
            "INSERT INTO pending_report (project_id, fingerprint, occurrences, reports, \
             error_threshold, first_at, last_at, attempts, next_attempt_at, body, facets, \
             waits_for, counted, source) \
             VALUES ($1, $2, 0, 0, $3, $4, $5, 1, $6, $7, '[]', $10, $8, $9)",
        )
        .bind(self.project)
        .bind(fingerprint)
        .bind(taken.error_threshold)
        .bind(taken.first_at)
        .bind(taken.last_at)
        .bind(next_attempt_at)
        .bind(&taken.body)
        .bind(counted)
        .bind(&taken.source)
        .bind(waits_for.number())
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }

    /// Postpones a report after a failed attempt; it is due earlier when what it waits for is there.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn postpone_pending(
        &mut self,
        fingerprint: &str,
        next_attempt_at: i64,
        waits_for: WaitsFor,
        error: &str,
    ) -> Result<(), StoreError> {
        db::query(
            "UPDATE pending_report SET attempts = attempts + 1, next_attempt_at = $3, \
             last_error = $4, waits_for = $5 WHERE project_id = $1 AND fingerprint = $2",
        )
        .bind(self.project)
        .bind(fingerprint)
        .bind(next_attempt_at)
        .bind(error)
        .bind(waits_for.number())
        .execute(&mut self.tx)
        .await?;
        Ok(())
    }

    /// Makes the reports due that waited for this. Returns whether there are any.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn release_waiting(
        &mut self,
        waited_for: WaitsFor,
        now: i64,
    ) -> Result<bool, StoreError> {
        let query = db::query(
            "UPDATE pending_report SET next_attempt_at = $2, waits_for = 0 \
             WHERE project_id = $1 AND waits_for = $3",
        );
        let query = query.bind(self.project).bind(now).bind(waited_for.number());
        Ok(query.execute(&mut self.tx).await?.rows_affected() > 0)
    }
}

impl Store {
    /// Decodes the report of a row.
    ///
    /// # Errors
    /// It cannot be decrypted, or is not a report.
    pub fn pending_report(&self, row: &PendingRow) -> Result<Report, StoreError> {
        let body = self.sealing.open(TABLE, row.body.clone()).map_err(sealed)?;
        decode_sample(&body)
    }

    /// The projects with reports that are due.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn projects_with_due_reports(&self, now: i64) -> Result<Vec<ProjectId>, StoreError> {
        let query = db::query_scalar(
            "SELECT id FROM project WHERE EXISTS (SELECT 1 FROM pending_report AS due \
             WHERE due.project_id = project.id AND due.next_attempt_at <= $1) \
             OR EXISTS (SELECT 1 FROM pending_report AS ahead \
             WHERE ahead.project_id = project.id AND ahead.next_attempt_at > $2) ORDER BY id",
        );
        let query = query.bind(now).bind(now.saturating_add(LONGEST_WAIT_MS));
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// Reports that are due, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn due_pending(&self, now: i64, limit: i64) -> Result<Vec<PendingRow>, StoreError> {
        let query = db::query(
            "SELECT fingerprint, attempts, first_at, occurrences, body FROM pending_report \
             WHERE project_id = $4 AND (next_attempt_at <= $1 OR next_attempt_at > $3) \
             ORDER BY next_attempt_at LIMIT $2",
        );
        let query = query.bind(now).bind(limit).bind(now.saturating_add(LONGEST_WAIT_MS));
        Ok(query.bind(self.project).fetch_all(&self.readers).await?)
    }
}
