//! Connections and transactions of either database.
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::sqlite::{SqliteConnection, SqlitePool};
use sqlx::{Postgres, Sqlite, Transaction};

use super::dialect;
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
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(PostgresTx),
}

/// A transaction on PostgreSQL, with the projects that it has to itself.
///
/// Several servers write at the same time. Most methods of [`crate::WriteTx`] read something,
/// decide, and write; and what one project's rows are decided by are rows of the same project. So a
/// transaction locks each project that it enters, before the first statement there and until its
/// end: within a project, writers take turns, as they all do on SQLite, and of two that meet a new
/// line at the same time one makes the issue and the other finds it. Locks of single rows would let
/// more of them run at once, but two batches of reports count the same issues in different orders,
/// and would stop each other with a deadlock all the time.
///
/// Rows that belong to no project (people, sign-ins, settings) change in single statements, or
/// under a lock of their own: see [`SHARED`]. Transactions in several projects can still wait for
/// each other in turn. PostgreSQL ends one of these after a second; it has changed nothing, and its
/// error is [`crate::StoreError::Busy`].
#[derive(Debug)]
pub(crate) struct PostgresTx {
    tx: Transaction<'static, Postgres>,
    /// The lock to take before the next statement.
    wanted: Option<ProjectId>,
    held: Vec<ProjectId>,
}

/// The lock for what belongs to no project. Projects are numbered from 1.
pub(crate) const SHARED: ProjectId = 0;

/// Where a statement runs.
pub(crate) enum Target<'e> {
    SqlitePool(&'e SqlitePool),
    Sqlite(&'e mut SqliteConnection),
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
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin_with(dialect::sqlite::BEGIN_WRITE).await?),
            Self::Postgres(pool) => {
                let tx = pool.begin().await?;
                Tx::Postgres(PostgresTx { tx, wanted: Some(project), held: Vec::new() })
            }
        })
    }

    /// Begins a transaction whose statements all read the same state of the database.
    pub(crate) async fn begin_read(&self) -> Result<Tx, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => Tx::Sqlite(pool.begin().await?),
            Self::Postgres(pool) => {
                let tx = pool.begin_with(dialect::postgres::BEGIN_READ).await?;
                Tx::Postgres(PostgresTx { tx, wanted: None, held: Vec::new() })
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
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.tx.commit().await,
        }
    }

    /// Lets nobody else write to a project, from the next statement on.
    pub(crate) fn lock_project(&mut self, project: ProjectId) {
        if let Self::Postgres(tx) = self {
            tx.wanted = Some(project);
        }
    }

    /// Lets nobody else write to any project, from now on. They are locked by number, so that two
    /// transactions that do this never wait for each other in turn.
    pub(crate) async fn lock_all_projects(&mut self) -> Result<(), sqlx::Error> {
        let Self::Postgres(tx) = self else { return Ok(()) };
        tx.wanted = None;
        let projects: Vec<ProjectId> =
            sqlx::query_scalar(dialect::postgres::PROJECTS).fetch_all(&mut *tx.tx).await?;
        for project in projects {
            tx.lock(project).await?;
        }
        Ok(())
    }

    /// Lets nobody else decide about what belongs to no project, from now on.
    pub(crate) async fn lock_shared(&mut self) -> Result<(), sqlx::Error> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(tx) => tx.lock(SHARED).await,
        }
    }
}

impl PostgresTx {
    /// The connection, after the lock that is wanted.
    pub(super) async fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        if let Some(project) = self.wanted {
            self.lock(project).await?;
            self.wanted = None;
        }
        Ok(&mut self.tx)
    }

    async fn lock(&mut self, project: ProjectId) -> Result<(), sqlx::Error> {
        if !self.held.contains(&project) {
            let lock = sqlx::query(dialect::postgres::LOCK_PROJECT).bind(project);
            lock.execute(&mut *self.tx).await?;
            self.held.push(project);
        }
        Ok(())
    }
}
