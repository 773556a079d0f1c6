//! What kind of database it is, and what is wrong with it, for `flawless check`.
use sqlx::postgres::PgConnection;
use sqlx::{Connection, FromRow};

use super::connect::{OLDEST_VERSION, PostgresSettings, connection, schema_version};
use super::dialect;
use super::pool::Pool;
use crate::{Store, StoreError, db};

/// A database and its problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseReport {
    /// `SQLite` or `PostgreSQL`.
    pub kind: &'static str,
    /// Its version.
    pub version: String,
    /// How it stores texts, such as `UTF8`.
    pub encoding: String,
    /// The schema that a Flawless created in it; `None` when none did yet.
    pub schema: Option<i64>,
    /// Whether the connection is encrypted; `None` when there is none over a network.
    pub is_encrypted: Option<bool>,
    /// What keeps it from being used, or from being safe.
    pub problems: Vec<DatabaseProblem>,
}

/// Something that is wrong with a database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseProblem {
    /// It is older than the oldest supported version.
    #[error("PostgreSQL {0} is too old: this program needs {OLDEST_VERSION} or newer")]
    TooOld(String),
    /// It cannot store all texts.
    #[error("it stores texts as {0}, not as UTF8: create the database with ENCODING 'UTF8'")]
    Encoding(String),
    /// Its schema was written by a newer program.
    #[error("a newer Flawless wrote it (schema {0}): start that version again")]
    Newer(i64),
    /// The user cannot create the tables.
    #[error("its user may not create tables in the schema {0}: GRANT CREATE ON SCHEMA {0} TO it")]
    CannotCreate(String),
    /// No schema is there to create tables in.
    #[error("none of the schemas in search_path exists, so that there is no place for tables")]
    NoSchema,
    /// Tables belong to somebody else, so that the next version could not change them.
    #[error("the table {0} belongs to another user: give all tables to one")]
    ForeignTable(String),
    /// It is a copy of another database, or was made read-only.
    #[error("it can only be read: it is a standby, or default_transaction_read_only is on")]
    ReadOnly,
    /// What it has accepted can be lost.
    #[error("{0} is off: after a power failure, data that it has confirmed may be lost or damaged")]
    NotDurable(String),
}

/// What PostgreSQL says about itself.
#[derive(Debug, FromRow)]
pub(super) struct Facts {
    pub(super) major_version: i64,
    pub(super) version: String,
    pub(super) encoding: String,
    /// Where new tables are created.
    schema: Option<String>,
    may_create: bool,
    is_read_only: bool,
    /// NULL over a socket of this machine.
    is_encrypted: Option<bool>,
    /// A table of this program that belongs to somebody else.
    foreign_table: Option<String>,
    has_migrations: bool,
    off: String,
}

pub(super) async fn facts(connection: &mut PgConnection) -> Result<Facts, StoreError> {
    Ok(sqlx::query_as(dialect::postgres::FACTS).fetch_one(connection).await?)
}

impl Store {
    /// Looks at the open database.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn check(&self) -> Result<DatabaseReport, StoreError> {
        let mut report = match &self.readers {
            Pool::Sqlite(_) => DatabaseReport {
                kind: "SQLite",
                version: self.database_version().await?,
                encoding: db::query_scalar(dialect::sqlite::ENCODING)
                    .fetch_one(&self.readers)
                    .await?,
                schema: None,
                is_encrypted: None,
                problems: Vec::new(),
            },
            Pool::Postgres(pool) => report(facts(&mut *pool.acquire().await?).await?),
        };
        let schema = db::query_scalar(dialect::SCHEMA).fetch_one(&self.readers).await?;
        report.schema = Some(schema);
        Ok(report)
    }

    /// Looks at a PostgreSQL database and changes nothing there.
    ///
    /// # Errors
    /// It cannot be reached.
    pub async fn check_postgres(settings: &PostgresSettings) -> Result<DatabaseReport, StoreError> {
        let mut connection = connection(&settings.options()?).await?;
        let facts = facts(&mut connection).await?;
        let has_migrations = facts.has_migrations;
        let mut report = report(facts);
        if has_migrations {
            let schema: i64 =
                sqlx::query_scalar(dialect::SCHEMA).fetch_one(&mut connection).await?;
            report.schema = Some(schema);
            if schema > schema_version() {
                report.problems.push(DatabaseProblem::Newer(schema));
            }
        }
        // An error in closing it changes nothing about what was found.
        let _ = connection.close().await;
        Ok(report)
    }
}

fn report(facts: Facts) -> DatabaseReport {
    let mut problems = Vec::new();
    if facts.major_version < OLDEST_VERSION {
        problems.push(DatabaseProblem::TooOld(facts.version.clone()));
    }
    if facts.encoding != "UTF8" {
        problems.push(DatabaseProblem::Encoding(facts.encoding.clone()));
    }
    match facts.schema {
        None => problems.push(DatabaseProblem::NoSchema),
        Some(schema) if !facts.may_create => problems.push(DatabaseProblem::CannotCreate(schema)),
        Some(_) => {}
    }
    problems.extend(facts.foreign_table.map(DatabaseProblem::ForeignTable));
    if facts.is_read_only {
        problems.push(DatabaseProblem::ReadOnly);
    }
    let off = facts.off.split(' ').filter(|name| !name.is_empty());
    problems.extend(off.map(|name| DatabaseProblem::NotDurable(name.to_owned())));
    DatabaseReport {
        kind: "PostgreSQL",
        version: facts.version,
        encoding: facts.encoding,
        schema: None,
        is_encrypted: facts.is_encrypted,
        problems,
    }
}
