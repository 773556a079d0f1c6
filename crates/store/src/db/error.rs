//! Why the store cannot do what it was asked, in words for the one who runs the server.
use std::io::{ErrorKind, Write};
use std::path::Path;

use sqlx::migrate::MigrateError;

use crate::sealing::SealError;

/// Why the store cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or the file cannot be made.
    #[error(
        "data_dir_path: {path} cannot be written: {source}. Choose a folder that the user who \
         runs the server may write to"
    )]
    Folder {
        /// Which one.
        path: String,
        /// Why not.
        source: std::io::Error,
    },
    /// Nothing is wrong but that there is no room.
    #[error(
        "the disk that holds data_dir_path is full ({0}). Make room on it: what was accepted is \
         kept, and a running server goes on by itself"
    )]
    Full(String),
    /// The file was written by a newer program.
    #[error(
        "{path} was written by a newer Flawless (schema {version}; this one knows {known}). Start \
         that version again, or point data_dir_path at another folder"
    )]
    Newer {
        /// The file.
        path: String,
        /// Its schema.
        version: i64,
        /// Ours.
        known: i64,
    },
    /// The file is no database, or damaged.
    #[error(
        "data_dir_path: {path} cannot be used as a database: {source}. Put a backup in its place, \
         or move it away to begin anew"
    )]
    Unusable {
        /// The file.
        path: String,
        /// The database's words.
        source: sqlx::Error,
    },
    /// The file cannot be opened, and nothing says that it is damaged.
    #[error(
        "data_dir_path: {path} cannot be opened: {source}. Nothing says that the database is \
         damaged: leave it where it is, and look at the disk and at who may write to the folder"
    )]
    NotOpened {
        /// The file.
        path: String,
        /// The database's words.
        source: sqlx::Error,
    },
    /// The schema cannot be brought up to date.
    #[error("the database cannot be brought to this program's schema: {0}")]
    Migrate(#[source] MigrateError),
    /// The database refuses.
    #[error("the database refuses: {0}")]
    Database(#[source] sqlx::Error),
    /// A row is encrypted, and cannot be decrypted.
    #[error("{what} {source}")]
    Sealed {
        /// What it holds, e.g. `the sample of issue 7`.
        what: String,
        /// Why not.
        source: SealError,
    },
    /// A row holds something this program did not write.
    #[error("the database holds something unreadable: {0}")]
    Corrupt(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        match code(&source) {
            Some(FULL) => Self::Full(source.to_string()),
            _ => Self::Database(source),
        }
    }
}

impl StoreError {
    /// A file in the data folder cannot be made or written.
    pub fn folder(path: &Path, source: std::io::Error) -> Self {
        match is_full(&source) {
            true => Self::Full(source.to_string()),
            false => Self::Folder { path: path.display().to_string(), source },
        }
    }

    /// The database in `path` cannot be opened. What the database says of a full disk depends on
    /// the step that met it, so the disk itself is asked.
    pub(crate) fn opening(path: &Path, source: sqlx::Error) -> Self {
        let shown = path.display().to_string();
        match code(&source) {
            Some(CORRUPT | NOT_A_DATABASE) => return Self::Unusable { path: shown, source },
            Some(FULL) => return Self::Full(source.to_string()),
            _ => {}
        }
        match path.parent().map(try_to_write) {
            Some(Err(error)) if is_full(&error) => Self::Full(error.to_string()),
            _ => Self::NotOpened { path: shown, source },
        }
    }

    /// The schema of the database in `path` cannot be brought up to date.
    pub(crate) fn migrating(path: &Path, error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(source) => Self::opening(path, source),
            MigrateError::ExecuteMigration(source, version) => match Self::opening(path, source) {
                Self::NotOpened { source, .. } => {
                    Self::Migrate(MigrateError::ExecuteMigration(source, version))
                }
                known => known,
            },
            error => Self::Migrate(error),
        }
    }

    /// What the visitors of pages and the API are told; the log has more.
    pub fn for_visitors(&self) -> &'static str {
        match self {
            Self::Full(_) => {
                "The server's disk is full: nothing was changed. Until there is room, reports are \
                 refused and counted; clients keep them and send them again, those of 0.4.5 do not."
            }
            _ => {
                "The store does not answer: nothing was changed. The server's log says why. A \
                 report that cannot be stored is refused, and its client is told so."
            }
        }
    }
}

/// SQLite's primary result codes.
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const NOT_A_DATABASE: i32 = 26;

/// The primary result code: the lowest byte of the one that the database gives.
fn code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// No room on the disk, or for this user, or for a file of this size.
fn is_full(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// As much as the database needs to be opened: its index of the journal is 32 KiB.
const PROBE: usize = 64 * 1024;

/// Says that the disk is full when it is: a database may be opened all the same, and refuses then.
pub(crate) fn say_when_full(folder: &Path) {
    if let Err(error) = try_to_write(folder)
        && is_full(&error)
    {
        tracing::error!("{}", StoreError::Full(error.to_string()));
    }
}

fn try_to_write(folder: &Path) -> std::io::Result<()> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&[0; PROBE])?;
    file.sync_data()
}
