//! Projects and the keys with which clients may report to them.
use flawless_base::secret::Secret;
use sqlx::FromRow;

use crate::{PROJECT, Store, StoreError, WriteTx};

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

impl WriteTx {
    /// Gives the project a key when it has none; returns whether it did.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_first_key(&mut self, key: &Secret, now: i64) -> Result<bool, StoreError> {
        let count = sqlx::query_scalar("SELECT COUNT(*) FROM project_key WHERE project_id = $1");
        let count: i64 = count.bind(PROJECT).fetch_one(&mut *self.0).await?;
        if count > 0 {
            return Ok(false);
        }
        let insert = "INSERT INTO project_key (project_id, secret, created_at) VALUES ($1, $2, $3)";
        let query = sqlx::query(insert).bind(PROJECT).bind(key.reveal()).bind(now);
        query.execute(&mut *self.0).await?;
        Ok(true)
    }
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

    /// The keys of the project, the oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn project_keys(&self) -> Result<Vec<Secret>, StoreError> {
        let query = sqlx::query_scalar(
            "SELECT secret FROM project_key WHERE project_id = $1 ORDER BY created_at, secret",
        );
        let keys: Vec<String> = query.bind(PROJECT).fetch_all(&self.readers).await?;
        Ok(keys.into_iter().map(Secret::new).collect())
    }
}
