//! Releases, which name the revision that they were built from.
use sqlx::FromRow;

use crate::db::key_text::key_text;
use crate::{Store, StoreError, WriteTx, db};

/// A release.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ReleaseRow {
    /// Its name.
    pub version: String,
    /// The commit that it was built from, once somebody has said so.
    pub commit_id: Option<String>,
    /// When it was announced.
    pub created_at: i64,
}

impl WriteTx {
    /// Adds a release, or the commit of one that is known. Without a commit an older one stays.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn put_release(
        &mut self,
        version: &str,
        commit: Option<&str>,
        at: i64,
    ) -> Result<(), StoreError> {
        db::query(
            "INSERT INTO release (project_id, version, commit_id, created_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (project_id, version) DO UPDATE SET \
             commit_id = COALESCE(excluded.commit_id, release.commit_id)",
        )
        .bind(self.project)
        .bind(key_text(version))
        .bind(commit)
        .bind(at)
        .execute(&mut self.tx)
        .await?;
        // Reports that name it may be blamed in another revision from now on.
        self.invalidate_verdicts().await
    }
}

impl Store {
    /// A release of the project.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn release(&self, version: &str) -> Result<Option<ReleaseRow>, StoreError> {
        let query = db::query(
            "SELECT version, commit_id, created_at FROM release \
             WHERE project_id = $1 AND version = $2",
        );
        let query = query.bind(self.project).bind(key_text(version));
        Ok(query.fetch_optional(&self.readers).await?)
    }
}
