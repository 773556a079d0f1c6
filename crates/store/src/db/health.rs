//! Whether the database works, and which one it is.
use super::dialect;
use crate::{Store, StoreError, WriteTx};

impl Store {
    /// The version of the database program.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn database_version(&self) -> Result<String, StoreError> {
        Ok(sqlx::query_scalar(dialect::VERSION).fetch_one(&self.readers).await?)
    }
}

impl WriteTx {
    /// Proves that the store can be written to.
    ///
    /// # Errors
    /// It cannot be written to.
    pub async fn touch(&mut self, at: i64) -> Result<(), StoreError> {
        let query = sqlx::query(
            "INSERT INTO setting (name, value) VALUES ('touched_at', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        query.bind(at).execute(&mut *self.tx).await?;
        Ok(())
    }
}
