//! Opens the store that a configuration names: the embedded database, or one on PostgreSQL.
use flawless_store::{Store, StoreError};

use crate::config::Config;

/// Opens the store, creates what is missing, and migrates the schema. `now` is the time for new
/// rows, milliseconds since 1970 UTC.
///
/// # Errors
/// It cannot be reached or used.
pub async fn open_store(config: &Config, now: i64) -> Result<Store, StoreError> {
    match &config.database {
        None => Store::open(&config.data_dir, &config.sealing, now).await,
        Some(settings) => Store::connect(settings, &config.sealing, now).await,
    }
}
