//! Copies a whole installation from one database to another, in either direction.
mod row;
mod table;

use flawless_base::hex::hex;
use sha2::{Digest, Sha256};

use self::row::Cell;
use self::table::{Columns, TABLES, Table};
use super::dialect;
use super::pool::{Pool, Tx};
use crate::{DEFAULT_PROJECT, Store, StoreError, db};

/// A table that was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// Its name.
    pub name: &'static str,
    /// Number of its rows, equal on both sides.
    pub rows: u64,
    /// SHA-256 of all rows in the order of their keys, equal on both sides.
    pub checksum: String,
}

/// What to do with data that is in the target already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingData {
    /// It stays, and nothing is copied.
    Keep,
    /// It is deleted first.
    Replace,
}

/// Why an installation was not copied. The target is as it was before.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The target has data, and not the same as the source.
    #[error(
        "the target is not empty: its table {table} has rows. Copy to a new database, or have its \
         data replaced"
    )]
    NotEmpty {
        /// A table with rows.
        table: &'static str,
    },
    /// The schemas of both databases are not the same.
    #[error("the table {table} has other columns in the target: use one version of Flawless")]
    OtherColumns {
        /// The table.
        table: &'static str,
    },
    /// What was written is not what was read.
    #[error(
        "the copy of the table {table} differs from the original: {copied} rows instead of {rows}, \
         or other values"
    )]
    Differs {
        /// The table.
        table: &'static str,
        /// Rows of the source.
        rows: u64,
        /// Rows of the target.
        copied: u64,
    },
    /// The source cannot be read.
    #[error("the source: {0}")]
    Source(#[source] StoreError),
    /// The target cannot be written.
    #[error("the target: {0}")]
    Target(#[source] StoreError),
}

fn source(error: impl Into<StoreError>) -> CopyError {
    CopyError::Source(error.into())
}

fn target(error: impl Into<StoreError>) -> CopyError {
    CopyError::Target(error.into())
}

impl Store {
    /// Copies everything that `from` holds, in all projects, and compares the copy with it. All of
    /// it is one transaction, so that an interrupted copy leaves nothing behind. When the target
    /// holds the same already, it is only compared. No server may be running on either of them.
    ///
    /// # Errors
    /// The target has other data that is to be kept, one of both fails, or the copy differs.
    pub async fn copy_from(
        &self,
        from: &Self,
        existing: ExistingData,
    ) -> Result<Vec<CopiedTable>, CopyError> {
        let mut reading = from.readers.begin_read().await.map_err(source)?;
        let mut writing = self.writer.begin_write(DEFAULT_PROJECT).await.map_err(target)?;
        // One of them waits while the other one reads or writes a large table.
        reading.wait_without_limit().await.map_err(source)?;
        writing.wait_without_limit().await.map_err(target)?;
        writing.lock_all_projects().await.map_err(target)?;
        writing.lock_shared().await.map_err(target)?;
        let mut columns = Vec::with_capacity(TABLES.len());
        for table in &TABLES {
            let of_source = Columns::of(&mut reading, table).await.map_err(source)?;
            let of_target = Columns::of(&mut writing, table).await.map_err(target)?;
            if of_source != of_target {
                return Err(CopyError::OtherColumns { table: table.name });
            }
            columns.push(of_source);
        }
        let tables = || TABLES.iter().zip(&columns);
        if existing == ExistingData::Keep
            && let Some(table) = first_filled(&mut writing).await.map_err(target)?
        {
            return match same(&mut reading, &mut writing, tables()).await? {
                Some(compared) => Ok(compared),
                None => Err(CopyError::NotEmpty { table }),
            };
        }
        for table in TABLES.iter().rev() {
            let delete = db::query(db::assembled(format!("DELETE FROM {}", table.name)));
            delete.execute(&mut writing).await.map_err(target)?;
        }
        let mut copied = Vec::with_capacity(TABLES.len());
        for (table, columns) in tables() {
            let original = copy_table(&mut reading, &mut writing, table, columns).await?;
            let copy = sum(&mut writing, table, columns).await.map_err(target)?;
            if original != copy {
                let (table, rows, copied) = (table.name, original.rows, copy.rows);
                return Err(CopyError::Differs { table, rows, copied });
            }
            tracing::info!(table = table.name, rows = copy.rows, "copied");
            copied.push(copy);
        }
        self.continue_numbers(&mut writing).await.map_err(target)?;
        writing.commit().await.map_err(target)?;
        Ok(copied)
    }

    /// Lets new rows get numbers above all that are or were in use.
    async fn continue_numbers(&self, tx: &mut Tx) -> Result<(), sqlx::Error> {
        match &self.writer {
            Pool::Sqlite(_) => {
                for statement in dialect::sqlite::CONTINUE_ISSUES {
                    db::query(statement).execute(&mut *tx).await?;
                }
            }
            Pool::Postgres(_) => {
                for table in TABLES.iter().filter(|table| table.is_numbered()) {
                    let statement = dialect::postgres::continue_numbers(table.name);
                    let _: i64 =
                        db::query_scalar(db::assembled(statement)).fetch_one(&mut *tx).await?;
                }
            }
        }
        Ok(())
    }
}

/// A table with rows that a new store does not have.
async fn first_filled(tx: &mut Tx) -> Result<Option<&'static str>, sqlx::Error> {
    for table in TABLES.iter().filter(|table| !table.is_in_a_new_store) {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM {})", table.name);
        if db::query_scalar(db::assembled(sql)).fetch_one::<bool>(&mut *tx).await? {
            return Ok(Some(table.name));
        }
    }
    let projects: i64 =
        db::query_scalar("SELECT COUNT(*) FROM project").fetch_one(&mut *tx).await?;
    Ok((projects > 1).then_some("project"))
}

/// The sums of all tables, when they are the same on both sides.
async fn same<'t>(
    reading: &mut Tx,
    writing: &mut Tx,
    tables: impl Iterator<Item = (&'static Table, &'t Columns)>,
) -> Result<Option<Vec<CopiedTable>>, CopyError> {
    let mut compared = Vec::new();
    for (table, columns) in tables {
        let original = sum(reading, table, columns).await.map_err(source)?;
        if original != sum(writing, table, columns).await.map_err(target)? {
            return Ok(None);
        }
        compared.push(original);
    }
    Ok(Some(compared))
}

/// Adds up the rows of a table.
struct Sum {
    rows: u64,
    hash: Sha256,
}

impl Sum {
    fn new(columns: &Columns) -> Self {
        let mut hash = Sha256::new();
        for (name, _) in &columns.0 {
            hash.update(name.as_bytes());
            hash.update([0]);
        }
        Self { rows: 0, hash }
    }

    fn add(&mut self, rows: &[Vec<Cell>]) {
        for cell in rows.iter().flatten() {
            cell.add_to(&mut self.hash);
        }
        self.rows += u64::try_from(rows.len()).unwrap_or(u64::MAX);
    }

    fn of(self, table: &Table) -> CopiedTable {
        let digits = hex(&self.hash.finalize());
        CopiedTable { name: table.name, rows: self.rows, checksum: digits }
    }
}

async fn sum(tx: &mut Tx, table: &Table, columns: &Columns) -> Result<CopiedTable, StoreError> {
    let mut sum = Sum::new(columns);
    let mut last = None;
    while let Some(rows) = table.batch(tx, columns, last.as_deref()).await? {
        sum.add(&rows);
        last = rows.last().map(|row| table.key_of(columns, row));
    }
    Ok(sum.of(table))
}

/// Copies the rows of a table; returns their sum as they were read.
async fn copy_table(
    reading: &mut Tx,
    writing: &mut Tx,
    table: &Table,
    columns: &Columns,
) -> Result<CopiedTable, CopyError> {
    let mut sum = Sum::new(columns);
    let mut last = None;
    loop {
        let rows = table.batch(reading, columns, last.as_deref()).await.map_err(source)?;
        let Some(rows) = rows else { return Ok(sum.of(table)) };
        sum.add(&rows);
        last = rows.last().map(|row| table.key_of(columns, row));
        table.insert(writing, columns, rows).await.map_err(target)?;
    }
}
