//! Reports that wait for attribution, kept whole.
use flawless_core::Report;
use sqlx::FromRow;

use super::facets::{self, Facet};
use super::samples::decode_sample;
use super::{PROJECT, Store, StoreError, WriteTx};
use crate::sealing::SealError;

pub(super) const TABLE: &str = "pending_report";

fn sealed(source: SealError) -> StoreError {
    StoreError::Sealed { what: "a waiting report".into(), source }
}

/// A report whose line is not known yet.
#[derive(Debug)]
pub struct NewPending {
    /// Names all reports with the same traceback.
    pub fingerprint: String,
    /// Occurrences it stands for.
    pub occurrences: i64,
    /// How many reports were put together.
    pub reports: i64,
    /// Of the report, else the configured one.
    pub error_threshold: i64,
    /// When it came in.
    pub at: i64,
    /// What the reports say of their programs.
    pub facets: Vec<Facet>,
    /// The report, encoded.
    pub body: Vec<u8>,
}

/// A report to attribute.
#[derive(Debug, FromRow)]
pub struct PendingRow {
    /// Names all reports with the same traceback.
    pub fingerprint: String,
    /// How often it was tried in vain.
    pub attempts: i64,
    /// When the first one came in.
    pub first_at: i64,
    /// The report, encoded and maybe sealed: see [`Store::pending_report`].
    pub body: Vec<u8>,
}

/// What had come together when the row was taken away.
#[derive(Debug, FromRow)]
pub struct TakenPending {
    /// All occurrences.
    pub occurrences: i64,
    /// All reports.
    pub reports: i64,
    /// The lowest of all.
    pub error_threshold: i64,
    /// When the first one came in.
    pub first_at: i64,
    /// When the last one came in.
    pub last_at: i64,
    facets: String,
}

impl TakenPending {
    /// What the reports say of their programs; empty when an earlier version wrote the row.
    pub fn facets(&self) -> Vec<Facet> {
        facets::read(&self.facets)
    }
}

impl WriteTx {
    /// Keeps a report until it is attributed; one with the same traceback that waits already
    /// takes the count.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn add_pending(&mut self, new: &NewPending) -> Result<(), StoreError> {
        let body = self.1.seal(TABLE, new.body.clone()).map_err(sealed)?;
        let before: Option<String> = sqlx::query_scalar(
            "SELECT facets FROM pending_report WHERE project_id = $1 AND fingerprint = $2",
        )
        .bind(PROJECT)
        .bind(&new.fingerprint)
        .fetch_optional(&mut *self.0)
        .await?;
        let facets = facets::add_to(before.as_deref().unwrap_or("[]"), &new.facets);
        sqlx::query(
            "INSERT INTO pending_report (project_id, fingerprint, occurrences, reports, \
             error_threshold, first_at, last_at, attempts, next_attempt_at, body, facets) \
             VALUES ($1, $2, $3, $4, $5, $6, $6, 0, $6, $7, $8) \
             ON CONFLICT (project_id, fingerprint) DO UPDATE SET \
             occurrences = pending_report.occurrences + excluded.occurrences, \
             reports = pending_report.reports + excluded.reports, \
             error_threshold = CASE WHEN excluded.error_threshold < pending_report.error_threshold \
             THEN excluded.error_threshold ELSE pending_report.error_threshold END, \
             last_at = excluded.last_at, facets = excluded.facets",
        )
        .bind(PROJECT)
        .bind(&new.fingerprint)
        .bind(new.occurrences)
        .bind(new.reports)
        .bind(new.error_threshold)
        .bind(new.at)
        .bind(body)
        .bind(facets)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }

    /// Takes a report away because it is being counted; `None` when it is gone already.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn take_pending(
        &mut self,
        fingerprint: &str,
    ) -> Result<Option<TakenPending>, StoreError> {
        let query = sqlx::query_as(
            "DELETE FROM pending_report WHERE project_id = $1 AND fingerprint = $2 \
             RETURNING occurrences, reports, error_threshold, first_at, last_at, facets",
        );
        Ok(query.bind(PROJECT).bind(fingerprint).fetch_optional(&mut *self.0).await?)
    }

    /// Puts a report off after a try that failed.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn postpone_pending(
        &mut self,
        fingerprint: &str,
        next_attempt_at: i64,
        error: &str,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE pending_report SET attempts = attempts + 1, next_attempt_at = $3, \
             last_error = $4 WHERE project_id = $1 AND fingerprint = $2",
        )
        .bind(PROJECT)
        .bind(fingerprint)
        .bind(next_attempt_at)
        .bind(error)
        .execute(&mut *self.0)
        .await?;
        Ok(())
    }
}

impl Store {
    /// The report of a row.
    ///
    /// # Errors
    /// It cannot be decrypted, or is none.
    pub fn pending_report(&self, row: &PendingRow) -> Result<Report, StoreError> {
        let body = self.sealing.open(TABLE, row.body.clone()).map_err(sealed)?;
        decode_sample(&body)
    }

    /// Reports that are due, oldest first.
    ///
    /// # Errors
    /// The database refuses.
    pub async fn due_pending(&self, now: i64, limit: i64) -> Result<Vec<PendingRow>, StoreError> {
        let query = sqlx::query_as(
            "SELECT fingerprint, attempts, first_at, body FROM pending_report \
             WHERE next_attempt_at <= $1 ORDER BY next_attempt_at LIMIT $2",
        );
        Ok(query.bind(now).bind(limit).fetch_all(&self.readers).await?)
    }
}
