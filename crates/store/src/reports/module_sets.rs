//! The modules of programs: stored once for all reports that name them by their id.
use std::collections::BTreeMap;

use crate::db::key_text::key_text;
use crate::issues::samples::decode_sample;
use crate::sealing::SealError;
use crate::{Store, StoreError, WriteTx, db};

pub(crate) const TABLE: &str = "module_set";

fn sealed(source: SealError) -> StoreError {
    StoreError::Sealed { what: "the modules of a program".into(), source }
}

/// Sets that are kept, those last seen first. A frequently deployed program sends a new set with
/// each version.
const MOST: i64 = 500;

impl WriteTx {
    /// Notes that a set was seen; returns whether it is known.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn see_module_set(&mut self, modules_id: &str, at: i64) -> Result<bool, StoreError> {
        let query = db::query(
            "UPDATE module_set SET last_seen_at = $3 WHERE project_id = $1 AND modules_id = $2",
        );
        let query = query.bind(self.project).bind(key_text(modules_id)).bind(at);
        Ok(query.execute(&mut self.tx).await?.rows_affected() > 0)
    }

    /// Stores a set; a known one is never changed, whatever other clients send under its id.
    /// Returns how many bytes it takes.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_module_set(
        &mut self,
        modules_id: &str,
        body: &[u8],
        at: i64,
    ) -> Result<i64, StoreError> {
        let body = self.sealing.seal(TABLE, body.to_vec()).map_err(sealed)?;
        let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
        let query = db::query(
            "INSERT INTO module_set (project_id, modules_id, last_seen_at, body) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (project_id, modules_id) DO NOTHING",
        );
        let query = query.bind(self.project).bind(key_text(modules_id)).bind(at).bind(body);
        query.execute(&mut self.tx).await?;
        let query = db::query(
            "DELETE FROM module_set WHERE project_id = $1 AND modules_id IN \
             (SELECT old.modules_id FROM module_set AS old WHERE old.project_id = $1 \
              ORDER BY old.last_seen_at DESC, old.modules_id LIMIT 1000000 OFFSET $2)",
        );
        query.bind(self.project).bind(MOST).execute(&mut self.tx).await?;
        Ok(bytes)
    }
}

impl Store {
    /// Versions by name; `None` when the set is unknown or was deleted.
    ///
    /// # Errors
    /// The database or the set cannot be read.
    pub async fn module_set(
        &self,
        modules_id: &str,
    ) -> Result<Option<BTreeMap<String, String>>, StoreError> {
        let query = db::query_scalar(
            "SELECT body FROM module_set WHERE project_id = $1 AND modules_id = $2",
        );
        let query = query.bind(self.project).bind(key_text(modules_id));
        let body: Option<Vec<u8>> = query.fetch_optional(&self.readers).await?;
        let Some(body) = body else { return Ok(None) };
        decode_sample(&self.sealing.open(TABLE, body).map_err(sealed)?).map(Some)
    }
}
