//! Revisions of issues: lists keep the facts of all issues in memory, and read only what changed
//! since. A statement that changes one of these facts also writes the issue's revision; mere
//! counting does not. Counts by the hour have revisions of their own.
//!
//! The row of the project stays locked until the transaction ends: whoever takes the next revision
//! waits for that. So revisions become visible in their order, and a reader that has seen one
//! misses none below it. A transaction takes one revision for all that it changes, because that
//! becomes visible as one; and because on PostgreSQL each change of a row leaves a version that
//! the next one in the same transaction has to step over.
use std::collections::{HashMap, HashSet};

use crate::{ProjectId, StoreError, WriteTx, db};

/// What a transaction has taken already, by project.
#[derive(Debug, Default)]
pub(crate) struct Revisions {
    issues: HashMap<ProjectId, i64>,
    counts: HashMap<ProjectId, i64>,
    /// Projects whose cached verdicts are invalid.
    pub(crate) rules: HashSet<ProjectId>,
}

const NEXT_OF_ISSUES: &str = "UPDATE project SET issues_revision = issues_revision + 1 \
     WHERE id = $1 RETURNING issues_revision";
const NEXT_OF_COUNTS: &str = "UPDATE project SET counts_revision = counts_revision + 1 \
     WHERE id = $1 RETURNING counts_revision";

impl WriteTx {
    /// The revision to write with a change of an issue of any project; 0 when there is none.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn next_revision_of(&mut self, issue: i64) -> Result<i64, StoreError> {
        let query = db::query_scalar("SELECT project_id FROM issue WHERE id = $1");
        match query.bind(issue).fetch_optional(&mut self.tx).await? {
            Some(project) => self.issues_revision(project).await,
            None => Ok(0),
        }
    }

    /// The revision of a new issue of the project.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) async fn next_revision(&mut self) -> Result<i64, StoreError> {
        self.issues_revision(self.project).await
    }

    async fn issues_revision(&mut self, project: ProjectId) -> Result<i64, StoreError> {
        if let Some(revision) = self.revisions.issues.get(&project) {
            return Ok(*revision);
        }
        let query = db::query_scalar(NEXT_OF_ISSUES).bind(project);
        let revision = query.fetch_one(&mut self.tx).await?;
        self.revisions.issues.insert(project, revision);
        Ok(revision)
    }

    /// The revision to write with counts of the project.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) async fn counts_revision(&mut self) -> Result<i64, StoreError> {
        if let Some(revision) = self.revisions.counts.get(&self.project) {
            return Ok(*revision);
        }
        let query = db::query_scalar(NEXT_OF_COUNTS).bind(self.project);
        let revision = query.fetch_one(&mut self.tx).await?;
        self.revisions.counts.insert(self.project, revision);
        Ok(revision)
    }
}
