//! Revisions of issues: lists keep the facts of all issues in memory, and read only what changed
//! since. A statement that changes one of these facts also writes the issue's revision; mere
//! counting does not. Counts by the hour have revisions of their own.
use crate::{StoreError, WriteTx, db};

impl WriteTx {
    /// The revision to write with a change of an issue; 0 when the issue does not exist.
    ///
    /// The row of the project stays locked until the transaction ends: whoever takes the next
    /// revision waits for that. So revisions become visible in their order, and a reader that has
    /// seen one misses none below it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn next_revision_of(&mut self, issue: i64) -> Result<i64, StoreError> {
        let query = db::query_scalar(
            "UPDATE project SET issues_revision = issues_revision + 1 \
             WHERE id = (SELECT project_id FROM issue WHERE id = $1) RETURNING issues_revision",
        );
        Ok(query.bind(issue).fetch_optional(&mut self.tx).await?.unwrap_or(0))
    }

    /// The revision to write with counts of the project: one for all that the transaction counts,
    /// because it becomes visible as one.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) async fn counts_revision(&mut self) -> Result<i64, StoreError> {
        if let Some((project, revision)) = self.counts_revision
            && project == self.project
        {
            return Ok(revision);
        }
        let query = db::query_scalar(
            "UPDATE project SET counts_revision = counts_revision + 1 WHERE id = $1 \
             RETURNING counts_revision",
        );
        let revision = query.bind(self.project).fetch_one(&mut self.tx).await?;
        self.counts_revision = Some((self.project, revision));
        Ok(revision)
    }

    /// The revision of a new issue of the project.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) async fn next_revision(&mut self) -> Result<i64, StoreError> {
        let query = db::query_scalar(
            "UPDATE project SET issues_revision = issues_revision + 1 WHERE id = $1 \
             RETURNING issues_revision",
        );
        Ok(query.bind(self.project).fetch_one(&mut self.tx).await?)
    }
}
