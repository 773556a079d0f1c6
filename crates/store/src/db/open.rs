//! Opens the SQLite database, private to its owner and at this program's schema.
use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::Connection;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};

use super::error::say_when_full;
use super::history::{recreated_in_words, remains};
use super::pool::Pool;
use crate::sealing::Sealing;
use crate::{DEFAULT_PROJECT, Store, StoreError, db};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations/sqlite");

impl Store {
    /// Opens the database in `data_dir`, creates both when they are missing, and migrates the
    /// schema. Values are encrypted and decrypted with `sealing`; `now` is the time for new rows.
    ///
    /// # Errors
    /// The folder cannot be written, or the file is of a newer program or none of ours.
    pub async fn open(data_dir: &Path, sealing: &Sealing, now: i64) -> Result<Self, StoreError> {
        let path = data_dir.join("flawless.db");
        let folder_error = |source| StoreError::folder(data_dir, source);
        make_private_folder(data_dir).map_err(folder_error)?;
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(&path);
        // The journal files inherit the mode of the main one.
        file.and_then(|file| file.set_permissions(Permissions::from_mode(0o600)))
            .map_err(folder_error)?;
        // `flawless projects` may run while the server creates the database.
        let others = lock(data_dir.join("schema.lock")).await.map_err(folder_error)?;
        let is_new = path.metadata().map_err(folder_error)?.len() == 0;
        let remains = if is_new { remains(data_dir) } else { Vec::new() };
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // Deleted data is overwritten, not only unlinked.
            .pragma("secure_delete", "ON")
            .busy_timeout(Duration::from_secs(20));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            // An embedded database does not go away; testing the connection costs a round trip.
            .test_before_acquire(false)
            .acquire_timeout(Duration::from_secs(60))
            .before_acquire(|connection, _| Box::pin(is_sound(connection)))
            .connect_with(options.clone())
            .await
            .map_err(|source| StoreError::opening(&path, source))?;
        migrate(&writer, &path).await?;
        drop(others);
        let readers = SqlitePoolOptions::new()
            .min_connections(0)
            .max_connections(4)
            .test_before_acquire(false)
            .before_acquire(|connection, _| Box::pin(is_sound(connection)))
            .idle_timeout(Duration::from_secs(60))
            .connect_lazy_with(options.pragma("query_only", "1"));
        let store = Self {
            readers: Pool::Sqlite(readers),
            writer: Pool::Sqlite(writer),
            sealing: sealing.clone(),
            project: DEFAULT_PROJECT,
        };
        store.add_default_project(now).await?;
        say_when_full(data_dir);
        if !remains.is_empty() {
            tracing::error!(found = remains.join(", "), "{}", recreated_in_words(data_dir));
            let mut tx = store.write().await?;
            tx.recreated(now).await?;
            tx.commit().await?;
        }
        Ok(store)
    }

    /// Makes sure that there is a project.
    pub(super) async fn add_default_project(&self, now: i64) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO project (id, name, created_at) VALUES ($1, $2, $3) \
             ON CONFLICT DO NOTHING",
        );
        let query = query.bind(DEFAULT_PROJECT).bind("default").bind(now);
        query.execute(&self.writer).await?;
        Ok(())
    }

    /// Waits for running statements and closes the files or connections.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Creates a folder that only its owner can read; an existing one is left as it is.
///
/// # Errors
/// It cannot be created.
pub fn make_private_folder(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Waits until no other process has this file locked. Dropping the file unlocks it.
async fn lock(path: PathBuf) -> std::io::Result<File> {
    let work = move || {
        let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
        file.lock()?;
        Ok(file)
    };
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}

/// Whether a returned connection may be reused. After a full disk, an I/O error or a lack of memory
/// the database rolls back by itself; the rollback that follows then fails, and the connection
/// would consider itself within a transaction forever. Such a connection is closed and replaced.
async fn is_sound(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    let is_sound = !connection.is_in_transaction();
    if !is_sound {
        tracing::warn!("a connection to the database is replaced after an error");
    }
    Ok(is_sound)
}

/// The schema that this program creates and knows.
pub fn schema_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

async fn migrate(writer: &SqlitePool, path: &Path) -> Result<(), StoreError> {
    let known = schema_version();
    match MIGRATIONS.run(writer).await {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(version)) if version > known => {
            Err(StoreError::Newer { path: path.display().to_string(), version, known })
        }
        Err(error) => Err(StoreError::migrating(path, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn new_store_may_be_opened_by_many_programs_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let opening = (0..8).map(|_| {
            let folder = folder.path().to_owned();
            tokio::spawn(async move { Store::open(&folder, &Sealing::default(), 0).await })
        });
        for opened in opening.collect::<Vec<_>>() {
            let store = opened.await.expect("no panic").expect("it opens");
            store.close().await;
        }
    }
}
