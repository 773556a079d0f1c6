//! Connects to a PostgreSQL database and brings it to this program's schema.
use std::str::FromStr;
use std::time::Duration;

use flawless_base::secret::Secret;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

use super::check::facts;
use super::dialect;
use super::error::is_denied;
use super::pool::Pool;
use crate::sealing::Sealing;
use crate::{DEFAULT_PROJECT, Store, StoreError};

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations/postgres");

/// The oldest version of PostgreSQL that the statements and the tests are written for.
pub(super) const OLDEST_VERSION: i64 = 14;
/// How long one attempt to connect may take when the server starts.
const CONNECTING: Duration = Duration::from_secs(10);
/// How long a statement waits for a connection. A client whose report cannot be stored within that
/// time is told to send it later.
const WAITING: Duration = Duration::from_secs(5);
/// A connection that was used within this time is taken as it is: to ask it before each statement
/// would double the round trips of a busy server.
const TRUSTED: Duration = Duration::from_millis(100);
/// Statements that stay prepared on each connection: there are some two hundred.
const STATEMENTS: usize = 400;
/// Sessions of this program. A server whose machine dies within a transaction must not keep the
/// others waiting: PostgreSQL finds out by itself, and nobody waits longer for a lock. What is
/// committed is on the disk, whatever the database does for others; a stricter setting stays.
const SESSION: &str = "SET lock_timeout = '20s'; \
     SET idle_in_transaction_session_timeout = '30s'; \
     SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3; \
     SELECT set_config('synchronous_commit', 'on', FALSE) \
     WHERE current_setting('synchronous_commit') IN ('off', 'local')";

/// How to reach a PostgreSQL database.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database?sslmode=verify-full`, with the parameters that
    /// libpq knows: `sslmode`, `sslrootcert`, `sslcert`, `sslkey` and `host` for a socket's folder.
    pub url: Secret,
    /// Connections that this server opens at most; at least 2.
    pub connections: u32,
}

impl PostgresSettings {
    /// Checks the URL, without reaching for the database.
    ///
    /// # Errors
    /// It is not a URL of a PostgreSQL database.
    pub fn check(&self) -> Result<(), StoreError> {
        self.options().map(drop)
    }

    /// The database for messages: its name, host and user, never a password.
    pub fn shown(&self) -> String {
        self.options().map_or_else(|_| "none".to_owned(), |options| shown(&options))
    }

    /// What the URL says.
    ///
    /// # Errors
    /// It is not a URL of a PostgreSQL database.
    pub(super) fn options(&self) -> Result<PgConnectOptions, StoreError> {
        let url = self.url.reveal();
        if !["postgres://", "postgresql://"].iter().any(|scheme| url.starts_with(scheme)) {
            return Err(StoreError::DatabaseUrl("it begins with another word".to_owned()));
        }
        let options = PgConnectOptions::from_str(url);
        let options = options.map_err(|error| StoreError::DatabaseUrl(error.to_string()))?;
        let options = options.application_name("flawless").extra_float_digits(None);
        Ok(options.statement_cache_capacity(STATEMENTS))
    }
}

/// The database for messages: its name, host and user, never a password.
pub(super) fn shown(options: &PgConnectOptions) -> String {
    let user = options.get_username();
    let name = options.get_database().unwrap_or(user);
    match options.get_socket() {
        Some(folder) => format!("{name} on the socket in {} (user {user})", folder.display()),
        None => format!("{name} on {}:{} (user {user})", options.get_host(), options.get_port()),
    }
}

/// Opens one connection, without waiting for a server that is not there.
pub(super) async fn connection(options: &PgConnectOptions) -> Result<PgConnection, StoreError> {
    let connecting = tokio::time::timeout(CONNECTING, options.connect()).await;
    let late = || Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()));
    connecting.unwrap_or_else(|_| late()).map_err(|source| StoreError::Connect {
        database: shown(options),
        source: Box::new(source),
    })
}

impl Store {
    /// Connects to a PostgreSQL database and migrates its schema; other servers may do the same at
    /// the same time. Values are encrypted and decrypted with `sealing`; `now` is the time for new
    /// rows. When the database goes away later, statements fail with
    /// [`StoreError::is_temporary`] until it is back.
    ///
    /// # Errors
    /// The URL is none, the database cannot be reached, is too old, does not store UTF-8 or was
    /// written by a newer program, or the user may not create tables there.
    pub async fn connect(
        settings: &PostgresSettings,
        sealing: &Sealing,
        now: i64,
    ) -> Result<Self, StoreError> {
        let options = settings.options()?;
        let database = shown(&options);
        let mut first = connection(&options).await?;
        let facts = facts(&mut first).await?;
        if facts.major_version < OLDEST_VERSION {
            return Err(StoreError::TooOld { database, version: facts.version });
        }
        if facts.encoding != "UTF8" {
            return Err(StoreError::Encoding { database, encoding: facts.encoding });
        }
        // It is not needed any more: an error in closing it changes nothing.
        let _ = first.close().await;
        migrate(&options, database).await?;
        let writers = (settings.connections / 3).max(1);
        let readers = settings.connections.saturating_sub(writers).max(1);
        let store = Self {
            // Pages that read much never take the connections of those who write.
            readers: Pool::Postgres(pool(readers).connect_lazy_with(options.clone())),
            writer: Pool::Postgres(pool(writers).connect_lazy_with(options)),
            sealing: sealing.clone(),
            project: DEFAULT_PROJECT,
        };
        store.add_default_project(now).await?;
        Ok(store)
    }
}

/// A connection that was idle is asked before it is used: one that is broken, or leads to a server that became a
/// standby, is replaced.
fn pool(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .min_connections(0)
        .max_connections(connections)
        .acquire_timeout(WAITING)
        .idle_timeout(Duration::from_secs(300))
        .max_lifetime(Duration::from_secs(3600))
        .test_before_acquire(false)
        .before_acquire(|connection, state| {
            Box::pin(async move {
                if state.idle_for < TRUSTED {
                    return Ok(true);
                }
                let is_primary = sqlx::query_scalar(dialect::postgres::IS_PRIMARY);
                is_primary.fetch_one(connection).await
            })
        })
        .after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::raw_sql(SESSION).execute(connection).await?;
                Ok(())
            })
        })
}

/// The schema that this program creates and knows.
pub(super) fn schema_version() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// Migrates under a lock of the database, which sqlx takes: servers that start together take turns.
/// The connection has none of the limits of [`SESSION`], because a migration may take long.
async fn migrate(options: &PgConnectOptions, database: String) -> Result<(), StoreError> {
    let known = schema_version();
    let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
    let migrated = MIGRATIONS.run(&pool).await;
    pool.close().await;
    match migrated {
        Ok(()) => Ok(()),
        Err(MigrateError::VersionMissing(version)) if version > known => {
            Err(StoreError::NewerSchema { database, version, known })
        }
        Err(MigrateError::Execute(source) | MigrateError::ExecuteMigration(source, _))
            if is_denied(&source) =>
        {
            Err(StoreError::Rights { database, source: Box::new(source) })
        }
        Err(MigrateError::Execute(source)) => Err(source.into()),
        Err(error) => Err(StoreError::Migrate(error)),
    }
}
