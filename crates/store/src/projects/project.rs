//! Projects.
use sqlx::FromRow;

use crate::{PROJECT, Store, StoreError};

/// A project.
#[derive(Debug, Clone, FromRow)]
pub struct ProjectRow {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// When it was created.
    pub created_at: i64,
}

impl Store {
    /// The only project for now.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn project(&self) -> Result<ProjectRow, StoreError> {
        let query =
            sqlx::query_as("SELECT id, name, created_at FROM project WHERE id = $1").bind(PROJECT);
        Ok(query.fetch_one(&self.readers).await?)
    }
}
