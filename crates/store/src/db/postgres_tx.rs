//! Connections to PostgreSQL while they are in use, and transactions that lock projects.
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{AssertSqlSafe, Postgres};

use super::dialect::postgres::{PROJECTS, WAIT_WITHOUT_LIMIT, lock};
use super::pool::{failed_before, is_failure};
use crate::ProjectId;

/// How long the answer to a statement may take. The connection is given up then: when a machine
/// dies or a network breaks without a word, nothing else would end the wait for a quarter of an
/// hour. Retention and erasure of much data take their time.
const ANSWER: Duration = Duration::from_secs(300);
/// How long it may take to take a transaction back.
const ROLLBACK: Duration = Duration::from_secs(5);

/// A connection that is in use. One that is dropped before it is given back is closed, because
/// nobody knows what it is doing.
#[derive(Debug)]
pub(super) struct Lent(Option<PoolConnection<Postgres>>);

impl Lent {
    pub(super) async fn of(pool: &PgPool) -> Result<Self, sqlx::Error> {
        Ok(Self(Some(pool.acquire().await?)))
    }

    pub(super) fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.0.as_deref_mut().ok_or(sqlx::Error::PoolClosed)
    }

    /// Returns it to its pool, unless it is broken.
    pub(super) fn give_back<T>(mut self, result: &Result<T, sqlx::Error>) {
        if !matches!(result, Err(sqlx::Error::Io(_) | sqlx::Error::Protocol(_))) {
            drop(self.0.take());
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(mut connection) = self.0.take() {
            connection.close_on_drop();
        }
    }
}

/// Waits for the answer to a statement, but not for ever.
pub(super) async fn answered<T>(
    running: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = |_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    tokio::time::timeout(ANSWER, running).await.map_err(late)?
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
    lent: Option<Lent>,
    /// What begins it; sent with the first lock, to save a round trip.
    begin: Option<&'static str>,
    /// The locks to take before the next statement, in this order.
    wanted: Vec<ProjectId>,
    held: Vec<ProjectId>,
    has_failed: bool,
}

/// The lock for what belongs to no project. Projects are numbered from 1.
const SHARED: ProjectId = 0;

impl PostgresTx {
    pub(super) async fn new(pool: &PgPool, begin: &'static str) -> Result<Self, sqlx::Error> {
        let lent = Some(Lent::of(pool).await?);
        let (begin, wanted, held) = (Some(begin), Vec::new(), Vec::new());
        Ok(Self { lent, begin, wanted, held, has_failed: false })
    }

    /// Locks projects before the next statement, in this order.
    pub(super) fn lock_projects(&mut self, projects: impl Iterator<Item = ProjectId>) {
        self.wanted.clear();
        self.wanted.extend(projects.filter(|project| !self.held.contains(project)));
    }

    /// Locks all projects, by number, so that two transactions that do this never wait for each
    /// other in turn.
    pub(super) async fn lock_all_projects(&mut self) -> Result<(), sqlx::Error> {
        self.wanted.clear();
        let projects = sqlx::query_scalar(PROJECTS).fetch_all(self.connection().await?);
        let projects: Vec<ProjectId> = answered(projects).await?;
        self.lock_projects(projects.into_iter());
        self.connection().await?;
        Ok(())
    }

    /// Lets it wait between two statements for as long as it takes.
    pub(super) async fn wait_without_limit(&mut self) -> Result<(), sqlx::Error> {
        let setting = sqlx::query(WAIT_WITHOUT_LIMIT).execute(self.connection().await?);
        answered(setting).await.map(|_| ())
    }

    /// Locks what belongs to no project.
    pub(super) async fn lock_shared(&mut self) -> Result<(), sqlx::Error> {
        self.connection().await?;
        self.lock_projects(std::iter::once(SHARED));
        self.connection().await?;
        Ok(())
    }

    /// The connection, after the locks that are wanted.
    pub(super) async fn connection(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        if self.begin.is_some() || !self.wanted.is_empty() {
            let locks = self.wanted.iter().map(|project| lock(*project));
            let begin = self.begin.map(str::to_owned).into_iter();
            let sql = begin.chain(locks).collect::<Vec<_>>().join(";");
            let result = answered(sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.lent()?)).await;
            self.noted(result)?;
            self.begin = None;
            self.held.append(&mut self.wanted);
        }
        self.lent()
    }

    /// Notes whether a statement failed.
    pub(super) fn noted<T>(&mut self, result: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        self.has_failed |= is_failure(&result);
        result
    }

    pub(super) async fn commit(mut self) -> Result<(), sqlx::Error> {
        if self.has_failed {
            return Err(failed_before());
        }
        let done = match self.begin {
            Some(_) => Ok(()),
            None => {
                let commit = sqlx::raw_sql("COMMIT").execute(self.lent()?);
                answered(commit).await.map(|_| ())
            }
        };
        if let Some(lent) = self.lent.take() {
            lent.give_back(&done);
        }
        done
    }

    fn lent(&mut self) -> Result<&mut PgConnection, sqlx::Error> {
        self.lent.as_mut().ok_or(sqlx::Error::PoolClosed)?.connection()
    }
}

impl Drop for PostgresTx {
    fn drop(&mut self) {
        let Some(mut lent) = self.lent.take() else { return };
        // Without a runtime the connection is closed, which takes everything back too.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            let Ok(connection) = lent.connection() else { return };
            let taken_back = sqlx::raw_sql("ROLLBACK").execute(connection);
            if let Ok(result) = tokio::time::timeout(ROLLBACK, taken_back).await {
                lent.give_back(&result);
            }
        });
    }
}
