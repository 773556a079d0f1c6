//! Revisions of issues: lists keep the facts of all issues in memory, and read only what changed
//! since. A statement that changes one of these facts also writes the issue's revision; mere
//! counting does not. Each hour has a revision of its own, which grows with its counts.
//!
//! The row of the project stays locked until the transaction ends: whoever takes the next revision
//! waits for that. So revisions become visible in their order, and a reader that has seen one
//! misses none below it. A transaction takes one revision for all that it changes, because that
//! becomes visible as one; and because on PostgreSQL each change of a row leaves a version that
//! the next one in the same transaction has to step over.
use std::collections::{BTreeSet, HashMap, HashSet};

use crate::{ProjectId, StoreError, WriteTx, db};

/// What a transaction has taken already, by project.
#[derive(Debug, Default)]
pub(crate) struct Revisions {
    issues: HashMap<ProjectId, i64>,
    hours: HashSet<(ProjectId, i64)>,
    /// Projects whose cached verdicts are invalid.
    pub(crate) rules: HashSet<ProjectId>,
}

const NEXT_OF_ISSUES: &str = "UPDATE project SET issues_revision = issues_revision + 1 \
     WHERE id = $1 RETURNING issues_revision";

/// An hour of a project whose counts changed at this time.
pub(crate) type ChangedHour = (ProjectId, i64, i64);

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

    /// Notes that the counts of hours change. Their first revision is a time, so that an hour which
    /// was deleted and is counted again has none that it had before.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(super) async fn hours_change(
        &mut self,
        hours: BTreeSet<ChangedHour>,
    ) -> Result<(), StoreError> {
        let is_first =
            |(project, hour, _): &ChangedHour| self.revisions.hours.insert((*project, *hour));
        let hours: Vec<ChangedHour> = hours.into_iter().filter(is_first).collect();
        for part in db::parts(&hours) {
            let sql = format!(
                "INSERT INTO hour_revision (project_id, hour, revision) VALUES {} \
                 ON CONFLICT (project_id, hour) DO UPDATE SET revision = hour_revision.revision + 1",
                db::rows(1, part.len(), 3)
            );
            let query = db::query(db::assembled(sql));
            let add = |query: db::Query<'static>, (project, hour, at): &ChangedHour| {
                query.bind(*project).bind(*hour).bind(*at)
            };
            part.iter().fold(query, add).execute(&mut self.tx).await?;
        }
        Ok(())
    }

    /// Notes that all hours of the issues which the query `issues` selects change. `parameters` are
    /// those of the query.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn hours_of_issues_change(
        &mut self,
        issues: &str,
        parameters: &[i64],
    ) -> Result<(), StoreError> {
        let sql = format!(
            "UPDATE hour_revision SET revision = revision + 1 WHERE (project_id, hour) IN \
             (SELECT project_id, hour FROM issue_hour WHERE issue_id IN ({issues}))"
        );
        let query = db::query(db::assembled(sql));
        let query = parameters.iter().fold(query, |query, parameter| query.bind(*parameter));
        query.execute(&mut self.tx).await?;
        Ok(())
    }
}
