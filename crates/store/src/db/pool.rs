//! Connections and transactions of either database.
use sqlx::postgres::PgPool;
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{Sqlite, Transaction};

use super::dialect;
use super::postgres_tx::PostgresTx;
use crate::ProjectId;

/// Connections to a database.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A transaction. Dropping it takes its changes back.
#[derive(Debug)]
pub(crate) enum Tx {
    Sqlite(SqliteTx),
    Postgres(PostgresTx),
}

/// A transaction on SQLite.
#[derive(Debug)]
pub(crate) struct SqliteTx {
    tx: Transaction<'static, Sqlite>,
    has_failed: bool,
}

/// Where a statement runs.
pub(crate) enum Target<'e> {
    SqlitePool(&'e SqlitePool),
    Sqlite(&'e mut SqliteTx),
    PostgresPool(&'e PgPool),
    Postgres(&'e mut PostgresTx),
}

impl<'e> From<&'e Pool> for Target<'e> {
    fn from(pool: &'e Pool) -> Self {
        match pool {
            Pool::Sqlite(pool) => Self::SqlitePool(pool),
            Pool::Postgres(pool) => Self::PostgresPool(pool),
        }
    }
}

impl<'e> From<&'e mut Tx> for Target<'e> {
    fn from(tx: &'e mut Tx) -> Self {
        match tx {
            Tx::Sqlite(tx) => Self::Sqlite(tx),
            Tx::Postgres(tx) => Self::Postgres(tx),
        }
    }
}

impl Pool {
    /// Begins a transaction that writes, in a project.
    pub(crate) async fn begin_write(&self, project: ProjectId) -> Result<Tx, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => {
                let tx = pool.begin_with(dialect::sqlite::BEGIN_WRITE).await?;
                Tx::Sqlite(SqliteTx { tx, has_failed: false })
            }
            Self::Postgres(pool) => {
                let mut tx = PostgresTx::new(pool, dialect::postgres::BEGIN_WRITE).await?;
                tx.lock_projects(std::iter::once(project));
                Tx::Postgres(tx)
            }
        })
    }

    /// Begins a transaction whose statements all read the same state of the database.
    pub(crate) async fn begin_read(&self) -> Result<Tx, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => {
                Tx::Sqlite(SqliteTx { tx: pool.begin().await?, has_failed: false })
            }
            Self::Postgres(pool) => {
                Tx::Postgres(PostgresTx::new(pool, dialect::postgres::BEGIN_READ).await?)
            }
        })
    }

    /// Waits for running statements and closes the connections.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Makes the changes durable. When a statement failed, PostgreSQL takes all of the transaction
    /// back, and says so only to those who read the answer closely. SQLite would keep the rest.
    /// Here it is an error on both, so that nothing works on one of them alone.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(SqliteTx { has_failed: true, .. }) => Err(failed_before()),
            Self::Sqlite(tx) => tx.tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }

    /// Lets it wait between two statements for as long as it takes.
    pub(crate) async fn wait_without_limit(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(tx) => tx.wait_without_limit().await,
        }
    }

    /// Lets nobody else write to projects, from the next statement on. They are locked in this
    /// order.
    pub(crate) fn lock_projects(&mut self, projects: impl Iterator<Item = ProjectId>) {
        if let Self::Postgres(tx) = self {
            tx.lock_projects(projects);
        }
    }

    /// Lets nobody else write to any project, from now on.
    pub(crate) async fn lock_all_projects(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(tx) => tx.lock_all_projects().await,
        }
    }

    /// Lets nobody else decide about what belongs to no project, from now on.
    pub(crate) async fn lock_shared(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(tx) => tx.lock_shared().await,
        }
    }
}

impl SqliteTx {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.tx
    }

    /// Notes whether a statement failed.
    pub(super) fn noted<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        self.has_failed |= is_failure(&result);
        result
    }
}

/// Whether the database refused a statement. A missing row is not a failure.
pub(super) fn is_failure<T>(result: &Result<T, sqlx::Error>) -> bool {
    matches!(result, Err(sqlx::Error::Database(_) | sqlx::Error::Io(_)))
}

/// Why a transaction is not committed.
pub(super) fn failed_before() -> sqlx::Error {
    sqlx::Error::Protocol("a statement of this transaction failed: nothing was changed".to_owned())
}
