//! Errors of the store, in words for the person who runs the server.
use std::io::{ErrorKind, Write};
use std::path::Path;

use sqlx::error::DatabaseError;
use sqlx::migrate::MigrateError;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use crate::sealing::SealError;

/// Why an operation of the store failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or the file cannot be created.
    #[error(
        "data_dir_path: {path} cannot be written: {source}. Choose a folder that the server's \
         user may write to"
    )]
    Folder {
        /// Its path.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The disk is full; nothing is damaged.
    #[error(
        "the disk that holds data_dir_path is full ({0}). Free space on it: accepted data is \
         kept, and a running server continues by itself"
    )]
    Full(String),
    /// The file was written by a newer program.
    #[error(
        "{path} was written by a newer Flawless (schema {version}; this one knows {known}). Start \
         that version again, or point data_dir_path at another folder"
    )]
    Newer {
        /// The path of the file.
        path: String,
        /// The schema of the file.
        version: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The file is not a database, or damaged.
    #[error(
        "data_dir_path: {path} cannot be used as a database: {source}. Put a backup in its place, \
         or move it away to start from scratch"
    )]
    Unusable {
        /// The path of the file.
        path: String,
        /// The error of the database.
        source: sqlx::Error,
    },
    /// The file cannot be opened, and nothing indicates that it is damaged.
    #[error(
        "data_dir_path: {path} cannot be opened: {source}. Nothing indicates that it is \
         damaged: leave it where it is, and check the disk and the permissions of the folder"
    )]
    NotOpened {
        /// The path of the file.
        path: String,
        /// The error of the database.
        source: sqlx::Error,
    },
    /// The URL of the database cannot be read.
    #[error(
        "database_url is not the URL of a PostgreSQL database: {0}. Write \
         postgres://USER:PASSWORD@HOST:5432/DATABASE?sslmode=verify-full, with %40 for an @ in the \
         password"
    )]
    DatabaseUrl(String),
    /// The database cannot be reached when the server starts.
    #[error(
        "database_url: cannot connect to the database {database}: {source}. Check that PostgreSQL \
         runs there and accepts connections from this machine, and the name, the user and the \
         password in the URL"
    )]
    Connect {
        /// Its name, host and user.
        database: String,
        /// The reason.
        source: Box<sqlx::Error>,
    },
    /// The database is too old.
    #[error(
        "database_url: the database {database} runs PostgreSQL {version}, which is too old. \
         Upgrade it to 14 or newer"
    )]
    TooOld {
        /// Its name, host and user.
        database: String,
        /// Its version.
        version: String,
    },
    /// The database cannot store all texts.
    #[error(
        "database_url: the database {database} stores texts as {encoding}. Create one with \
         CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0"
    )]
    Encoding {
        /// Its name, host and user.
        database: String,
        /// How it stores them.
        encoding: String,
    },
    /// The user of the database may not do what is needed.
    #[error(
        "database_url: tables cannot be created or changed in the database {database}: {source}. \
         Give the database to the user, such as with ALTER DATABASE … OWNER TO …, and connect to \
         the primary server, not to a standby"
    )]
    Rights {
        /// Its name, host and user.
        database: String,
        /// The reason.
        source: Box<sqlx::Error>,
    },
    /// The database was written by a newer program.
    #[error(
        "database_url: the database {database} was written by a newer Flawless (schema {version}; \
         this one knows {known}). Start that version again, or name another database"
    )]
    NewerSchema {
        /// Its name, host and user.
        database: String,
        /// The schema of the database.
        version: i64,
        /// The newest schema that this program knows.
        known: i64,
    },
    /// The database does not answer right now.
    #[error(
        "the database cannot be used right now: {0}. Nothing was changed, and a running server \
         continues by itself when the database is back"
    )]
    Unreachable(#[source] sqlx::Error),
    /// Others were using the same rows, and one had to give way.
    #[error("the database was busy with others: {0}. Nothing was changed; it can be tried again")]
    Busy(#[source] sqlx::Error),
    /// The schema cannot be migrated.
    #[error("the database cannot be migrated to this program's schema: {0}")]
    Migrate(#[source] MigrateError),
    /// A query failed.
    #[error("the database failed: {0}")]
    Database(#[source] sqlx::Error),
    /// A row is encrypted, and cannot be decrypted.
    #[error("{what} {source}")]
    Sealed {
        /// What the row contains, e.g. `the sample of issue 7`.
        what: String,
        /// The reason.
        source: SealError,
    },
    /// A row contains data that this program did not write.
    #[error("the database contains unreadable data: {0}")]
    Corrupt(String),
}

impl From<sqlx::Error> for StoreError {
    fn from(source: sqlx::Error) -> Self {
        match (code(&source), state(&source).as_deref()) {
            (Some(FULL), _) => Self::Full(source.to_string()),
            (Some(LOCKED), _) => Self::Busy(source),
            (_, Some(state)) if BUSY.contains(&state) => Self::Busy(source),
            (_, Some(state)) if AWAY.iter().any(|class| state.starts_with(class)) => {
                Self::Unreachable(source)
            }
            _ if is_broken_connection(&source) => Self::Unreachable(source),
            _ => Self::Database(source),
        }
    }
}

impl StoreError {
    /// Whether what was asked for is there, and cannot be read however often it is tried.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::Corrupt(_) | Self::Sealed { .. })
    }

    /// Whether the same may succeed in a while, without anybody doing anything to the data: the
    /// database is away, or others were using the same rows. Nothing was changed.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Busy(_))
    }

    /// A file in the data folder cannot be created or written.
    pub fn folder(path: &Path, source: std::io::Error) -> Self {
        match is_full(&source) {
            true => Self::Full(source.to_string()),
            false => Self::Folder { path: path.display().to_string(), source },
        }
    }

    /// The database in `path` cannot be opened. The database's error for a full disk depends on the
    /// step that hit it, so the disk itself is checked.
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

    /// The schema of the database in `path` cannot be migrated.
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

    /// The text for visitors of pages and the API; the log has more.
    pub fn for_visitors(&self) -> &'static str {
        match self {
            Self::Full(_) => {
                "The server's disk is full: nothing was changed. Until space is freed, reports are \
                 refused and counted; clients keep them and send them again, those of 0.4.5 do not."
            }
            Self::Unreachable(_) | Self::Busy(_) => {
                "The database does not answer right now: nothing was changed. Try again in a while."
            }
            _ => {
                "The store does not answer: nothing was changed. The server's log says why. A \
                 report that cannot be stored is refused, and its client is told so."
            }
        }
    }
}

/// SQLite's primary result codes.
const LOCKED: i32 = 5;
const CORRUPT: i32 = 11;
const FULL: i32 = 13;
const NOT_A_DATABASE: i32 = 26;

/// SQLite's primary result code: the lowest byte of the one that it gives.
fn code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.try_downcast_ref::<SqliteError>()?.code()?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// PostgreSQL's states for those that had to give way: a deadlock, and a lock that took too long.
const BUSY: [&str; 3] = ["40001", "40P01", "55P03"];
/// Beginnings of PostgreSQL's states while it cannot be used: no connection, or too many; no disk
/// or memory; shut down, restarted or cancelled by its administrator; only a standby at the moment.
const AWAY: [&str; 4] = ["08", "53", "57", "25006"];

/// PostgreSQL's state of five characters.
fn state(error: &sqlx::Error) -> Option<String> {
    let error = error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?;
    Some(error.code().to_owned())
}

/// Whether the user may not do that, or nobody may: it is a standby.
pub(super) fn is_denied(error: &sqlx::Error) -> bool {
    matches!(state(error).as_deref(), Some("42501" | "3F000" | "25006"))
}

/// Whether the connection is the problem, and not what was asked for.
fn is_broken_connection(error: &sqlx::Error) -> bool {
    use sqlx::Error::{Io, PoolTimedOut, Tls};
    matches!(error, Io(_) | Tls(_) | PoolTimedOut)
}

/// No space on the disk, or for this user, or for a file of this size.
fn is_full(error: &std::io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge
    )
}

/// Bytes that the database needs to be opened: its index of the journal is 32 KiB.
const PROBE: usize = 64 * 1024;

/// Logs that the disk is full if it is: the database may open all the same, but cannot write.
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
