//! Whether the database works, and which one it is.
use super::dialect;
use super::pool::Pool;
use crate::{Store, StoreError, WriteTx, db};

impl Store {
    /// The version of the database program.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn database_version(&self) -> Result<String, StoreError> {
        let version = match &self.readers {
            Pool::Sqlite(_) => dialect::sqlite::VERSION,
            Pool::Postgres(_) => dialect::postgres::VERSION,
        };
        Ok(db::query_scalar(version).fetch_one(&self.readers).await?)
    }
}

impl WriteTx {
    /// Proves that the store can be written to.
    ///
    /// # Errors
    /// It cannot be written to.
    pub async fn touch(&mut self, at: i64) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO setting (name, value) VALUES ('touched_at', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        query.bind(at).execute(&mut self.tx).await?;
        Ok(())
    }
}
