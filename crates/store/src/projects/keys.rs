//! The keys with which clients may report to a project.
use flawless_base::secret::Secret;
use sqlx::FromRow;

use crate::{ProjectId, Store, StoreError, WriteTx, db};

/// A key of a project.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct KeyRow {
    /// Its number, which stays when other keys come and go.
    pub id: i64,
    /// The project that it reports to.
    pub project_id: ProjectId,
    /// The key itself.
    #[sqlx(try_from = "String")]
    pub secret: Secret,
    /// What people call it; may be empty.
    pub label: String,
    /// When it was made.
    pub created_at: i64,
    /// Since when it is refused; `None` when it works.
    pub disabled_at: Option<i64>,
}

impl KeyRow {
    /// Its first digits and its label: enough for its owner to know it, too little to report with.
    pub fn in_short(&self) -> String {
        let digits: String = self.secret.reveal().chars().take(4).collect();
        match self.label.as_str() {
            "" => format!("{digits}…"),
            label => format!("{digits}… ({label})"),
        }
    }
}

impl WriteTx {
    /// Gives the project a key when it has none; returns whether it did.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_first_key(&mut self, key: &Secret, now: i64) -> Result<bool, StoreError> {
        let count = db::query_scalar("SELECT COUNT(*) FROM project_key WHERE project_id = $1");
        let count: i64 = count.bind(self.project).fetch_one(&mut self.tx).await?;
        if count > 0 {
            return Ok(false);
        }
        self.add_key(key, "", now).await?;
        Ok(true)
    }

    /// Adds a key to the project.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_key(&mut self, key: &Secret, label: &str, now: i64) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO project_key (project_id, secret, label, created_at) \
             VALUES ($1, $2, $3, $4)",
        );
        let query = query.bind(self.project).bind(key.reveal()).bind(label).bind(now);
        query.execute(&mut self.tx).await?;
        self.projects_changed().await
    }

    /// Switches a key off, or on again with `None`. `false`: it would be the last one that works.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_key_disabled(
        &mut self,
        id: i64,
        disabled_at: Option<i64>,
    ) -> Result<bool, StoreError> {
        if disabled_at.is_some() {
            let others = db::query_scalar(
                "SELECT COUNT(*) FROM project_key \
                 WHERE project_id = $1 AND id <> $2 AND disabled_at IS NULL",
            );
            let others = others.bind(self.project).bind(id);
            if others.fetch_one::<i64>(&mut self.tx).await? == 0 {
                return Ok(false);
            }
        }
        let query =
            db::query("UPDATE project_key SET disabled_at = $2 WHERE id = $1 AND project_id = $3");
        query.bind(id).bind(disabled_at).bind(self.project).execute(&mut self.tx).await?;
        self.projects_changed().await?;
        Ok(true)
    }
}

impl Store {
    /// The keys of all projects, the oldest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn all_keys(&self) -> Result<Vec<KeyRow>, StoreError> {
        let query = db::query(
            "SELECT id, project_id, secret, label, created_at, disabled_at FROM project_key \
             ORDER BY id",
        );
        Ok(query.fetch_all(&self.readers).await?)
    }
}
