//! Samples: the first and the few newest reports of an issue, complete.
use std::collections::BTreeMap;

use flawless_core::{Report, ResolvedFrame};
use serde::{Deserialize, Serialize};

use crate::sealing::{SealError, Sealing};
use crate::{Store, StoreError, WriteTx, db};

/// A report, its frames as they were resolved, and the blamed one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sample<R = Report> {
    /// The report.
    pub report: R,
    /// One for each frame of its traceback.
    pub frames: std::sync::Arc<[ResolvedFrame]>,
    /// The blamed frame's place in the traceback; `None` when nobody is blamed.
    pub blamed_frame: Option<usize>,
}

/// A sample as the issue's page lists it.
#[derive(Debug)]
pub struct KeptSample {
    /// 0 is the first sample of the issue; the other slots are reused in turn.
    pub slot: i64,
    /// When it came in.
    pub received_at: i64,
    /// The sample, or why it cannot be read.
    pub sample: Result<Sample, StoreError>,
}

pub(crate) const TABLE: &str = "sample";

fn sealed(issue_id: i64) -> impl Fn(SealError) -> StoreError {
    move |source| StoreError::Sealed { what: format!("the sample of issue {issue_id}"), source }
}

/// How many newest samples are kept besides the first.
const NEWEST: i64 = 3;
/// Higher levels take several times as long and save a tenth.
const LEVEL: i32 = 1;
/// Limit of a decompressed sample: reports are bounded when they come in.
const MAX_SAMPLE: u64 = 64 * 1024 * 1024;

/// Encodes a value as it is stored: JSON, compressed.
///
/// # Errors
/// Never for the types of this program.
pub fn encode_sample(value: &impl Serialize) -> Result<Vec<u8>, StoreError> {
    let json = serde_json::to_vec(value).map_err(|error| StoreError::Corrupt(error.to_string()))?;
    zstd::bulk::compress(&json, LEVEL).map_err(|error| StoreError::Corrupt(error.to_string()))
}

/// Decodes the output of [`encode_sample`].
///
/// # Errors
/// The data is something else.
pub(crate) fn decode_sample<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, StoreError> {
    let corrupt = |error: &dyn std::fmt::Display| StoreError::Corrupt(error.to_string());
    let decoder = zstd::stream::read::Decoder::with_buffer(body).map_err(|e| corrupt(&e))?;
    let mut json = Vec::new();
    std::io::Read::read_to_end(&mut std::io::Read::take(decoder, MAX_SAMPLE), &mut json)
        .map_err(|e| corrupt(&e))?;
    serde_json::from_slice(&json).map_err(|e| corrupt(&e))
}

impl WriteTx {
    /// Keeps samples. Of each issue the first one is kept, later ones replace each other in turn.
    /// Returns by how many bytes the stored data grew for each, in the same order.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_samples(&mut self, new: &[NewSample<'_>]) -> Result<Vec<i64>, StoreError> {
        let mut grew = vec![0; new.len()];
        // Of two in one slot, the later one stays.
        let mut slots: BTreeMap<(i64, i64), (usize, Vec<u8>)> = BTreeMap::new();
        for (at, sample) in new.iter().enumerate() {
            let body = self.sealing.seal(TABLE, sample.body.to_vec());
            slots.insert((sample.issue, sample.slot()), (at, body.map_err(sealed(sample.issue))?));
        }
        let slots: Vec<_> = slots.into_iter().collect();
        for part in db::parts(&slots) {
            let keys = db::rows(1, part.len(), 2);
            let sql = format!(
                "SELECT issue_id, slot, CAST(LENGTH(body) AS BIGINT) FROM sample \
                 JOIN (VALUES {keys}) AS new ON issue_id = column1 AND slot = column2"
            );
            let mut query = db::query(db::assembled(sql));
            for ((issue, slot), _) in part {
                query = query.bind(*issue).bind(*slot);
            }
            let before: Vec<(i64, i64, i64)> = query.fetch_all(&mut self.tx).await?;
            let rows = db::rows(1, part.len(), 4);
            let sql = format!(
                "INSERT INTO sample (issue_id, slot, received_at, body) VALUES {rows} \
                 ON CONFLICT (issue_id, slot) DO UPDATE SET received_at = excluded.received_at, \
                 body = excluded.body"
            );
            let mut query = db::query(db::assembled(sql));
            for ((issue, slot), (at, body)) in part {
                let known = before.iter().find(|row| (row.0, row.1) == (*issue, *slot));
                let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
                grew[*at] = bytes - known.map_or(0, |row| row.2);
                query = query.bind(*issue).bind(*slot).bind(new[*at].received_at).bind(body);
            }
            query.execute(&mut self.tx).await?;
        }
        Ok(grew)
    }
}

/// A sample to be kept.
#[derive(Debug, Clone, Copy)]
pub struct NewSample<'a> {
    /// Its issue.
    pub issue: i64,
    /// Which sample of the issue it is, from 1.
    pub number: i64,
    /// When it came in.
    pub received_at: i64,
    /// The sample, encoded.
    pub body: &'a [u8],
}

impl NewSample<'_> {
    fn slot(&self) -> i64 {
        if self.number <= 1 { 0 } else { 1 + (self.number - 2) % NEWEST }
    }
}

/// Number of the newest rows of each kind that are checked.
const LOOKED_AT: i64 = 500;

impl Store {
    /// How many of the newest samples, waiting reports and mails cannot be read because their key
    /// is unknown.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn unreadable_values(&self) -> Result<i64, StoreError> {
        let mut unreadable = 0;
        for newest in [
            "SELECT SUBSTR(body, 1, CAST($1 AS INTEGER)) FROM sample ORDER BY received_at DESC LIMIT $2",
            "SELECT SUBSTR(body, 1, CAST($1 AS INTEGER)) FROM pending_report \
             ORDER BY project_id DESC, next_attempt_at DESC LIMIT $2",
            "SELECT SUBSTR(message, 1, CAST($1 AS INTEGER)) FROM outbox WHERE sent_at IS NULL \
             AND gave_up_at IS NULL ORDER BY next_attempt_at DESC LIMIT $2",
        ] {
            let head = i64::try_from(Sealing::HEAD).unwrap_or(i64::MAX);
            let query = db::query_scalar(newest).bind(head).bind(LOOKED_AT);
            let heads: Vec<Vec<u8>> = query.fetch_all(&self.readers).await?;
            let unknown = heads.iter().filter(|head| !self.sealing.knows_key_of(head)).count();
            unreadable += i64::try_from(unknown).unwrap_or(i64::MAX);
        }
        Ok(unreadable)
    }

    /// All stored samples of an issue, oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn samples_of(&self, issue_id: i64) -> Result<Vec<KeptSample>, StoreError> {
        let rows: Vec<(i64, i64, Vec<u8>)> = db::query(
            "SELECT slot, received_at, body FROM sample WHERE issue_id = $1 \
             ORDER BY received_at, slot",
        )
        .bind(issue_id)
        .fetch_all(&self.readers)
        .await?;
        let read = |(slot, received_at, body)| {
            let body = self.sealing.open(TABLE, body).map_err(sealed(issue_id));
            KeptSample { slot, received_at, sample: body.and_then(|body| decode_sample(&body)) }
        };
        Ok(rows.into_iter().map(read).collect())
    }

    /// The newest sample of an issue and when it came in.
    ///
    /// # Errors
    /// The database or the sample cannot be read.
    pub async fn newest_sample(&self, issue_id: i64) -> Result<Option<(i64, Sample)>, StoreError> {
        let row: Option<(i64, Vec<u8>)> = db::query(
            "SELECT received_at, body FROM sample WHERE issue_id = $1 \
             ORDER BY received_at DESC, slot DESC LIMIT 1",
        )
        .bind(issue_id)
        .fetch_optional(&self.readers)
        .await?;
        let Some((at, body)) = row else { return Ok(None) };
        let body = self.sealing.open(TABLE, body).map_err(sealed(issue_id))?;
        Ok(Some((at, decode_sample(&body)?)))
    }

    /// The newest sample, if there is one that can be read.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn readable_sample(&self, issue_id: i64) -> Result<Option<Sample>, StoreError> {
        match self.newest_sample(issue_id).await {
            Ok(sample) => Ok(sample.map(|(_, sample)| sample)),
            Err(error) if error.is_unreadable() => Ok(None),
            Err(error) => Err(error),
        }
    }
}
