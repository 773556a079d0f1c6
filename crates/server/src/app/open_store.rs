//! Opens the store that a configuration names: the embedded database, or one on PostgreSQL.
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use flawless_store::{Store, StoreError, make_private_folder};

use crate::config::Config;

/// How often, and after which pauses, the lock of a data folder is tried.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

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

/// The file whose lock keeps others out of a data folder.
pub fn lock_file(data_dir: &Path) -> PathBuf {
    data_dir.join("flawless.lock")
}

/// Keeps other servers and commands out of a data folder until the file is dropped. The folder is
/// made if it is missing.
///
/// # Errors
/// `WouldBlock`: a running server has it. Otherwise it cannot be written.
pub fn lock_data_dir(data_dir: &Path) -> io::Result<File> {
    make_private_folder(data_dir)?;
    let path = lock_file(data_dir);
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    // When a server ends, a process that it was just starting may hold the lock a moment longer.
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
            Ok(()) => return Ok(file),
        }
    }
    file.try_lock()?;
    Ok(file)
}
