//! Projects: one for each code base.
use std::collections::BTreeSet;

use sqlx::FromRow;

use crate::issues::issue::HOUR_MS;
use crate::{ProjectId, Store, StoreError, WriteTx, db};

/// A project.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct ProjectRow {
    /// Its number, which is never used again.
    pub id: ProjectId,
    /// Its name.
    pub name: String,
    /// When it was made.
    pub created_at: i64,
    /// Since when its reports are refused; `None`: it is in use.
    pub archived_at: Option<i64>,
}

impl WriteTx {
    /// Makes a project and enters it; `None` when another one has the name.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_project(
        &mut self,
        name: &str,
        at: i64,
    ) -> Result<Option<ProjectId>, StoreError> {
        self.tx.lock_shared().await?;
        if self.project_named(name).await?.is_some() {
            return Ok(None);
        }
        let id: ProjectId = db::query_scalar(
            "UPDATE setting SET value = value + 1 WHERE name = 'last_project' RETURNING value",
        )
        .fetch_one(&mut self.tx)
        .await?;
        let query = db::query("INSERT INTO project (id, name, created_at) VALUES ($1, $2, $3)");
        query.bind(id).bind(name).bind(at).execute(&mut self.tx).await?;
        self.enter(id);
        self.projects_changed().await?;
        Ok(Some(id))
    }

    /// Whether the project is still there: another process may have removed it.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn has_project(&mut self) -> Result<bool, StoreError> {
        Ok(!self.projects_there(&[self.project]).await?.is_empty())
    }

    /// Which of these projects are there.
    pub(crate) async fn projects_there(
        &mut self,
        projects: &[ProjectId],
    ) -> Result<BTreeSet<ProjectId>, StoreError> {
        let mut there = BTreeSet::new();
        for part in db::parts(projects) {
            let places = db::places(1, part.len());
            let sql = format!("SELECT id FROM project WHERE id IN ({places})");
            let query = db::query_scalar(db::assembled(sql));
            let query = part.iter().fold(query, |query, project| query.bind(*project));
            there.extend(query.fetch_all::<ProjectId>(&mut self.tx).await?);
        }
        Ok(there)
    }

    /// The number of the project with this name.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn project_named(&mut self, name: &str) -> Result<Option<ProjectId>, StoreError> {
        let query = db::query_scalar("SELECT id FROM project WHERE LOWER(name) = $1");
        Ok(query.bind(name.to_ascii_lowercase()).fetch_optional(&mut self.tx).await?)
    }

    /// Gives the project another name; `false` when another project has it.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn rename_project(&mut self, name: &str) -> Result<bool, StoreError> {
        self.tx.lock_shared().await?;
        if self.project_named(name).await?.is_some_and(|other| other != self.project) {
            return Ok(false);
        }
        let query = db::query("UPDATE project SET name = $2 WHERE id = $1");
        query.bind(self.project).bind(name).execute(&mut self.tx).await?;
        self.projects_changed().await?;
        Ok(true)
    }

    /// Refuses the project's reports from now on, or with `None` accepts them again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_archived(&mut self, archived_at: Option<i64>) -> Result<(), StoreError> {
        let query = db::query("UPDATE project SET archived_at = $2 WHERE id = $1");
        query.bind(self.project).bind(archived_at).execute(&mut self.tx).await?;
        self.projects_changed().await
    }

    /// Lets servers read the projects again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn projects_changed(&mut self) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO setting (name, value) VALUES ('projects_revision', 1) \
             ON CONFLICT (name) DO UPDATE SET value = setting.value + 1",
        );
        query.execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// Grows with each change of a project, its keys or its settings.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn projects_revision(&self) -> Result<i64, StoreError> {
        let query = db::query_scalar("SELECT value FROM setting WHERE name = 'projects_revision'");
        Ok(query.fetch_optional(&self.readers).await?.unwrap_or(0))
    }

    /// All projects, by number.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn projects(&self) -> Result<Vec<ProjectRow>, StoreError> {
        let query = db::query("SELECT id, name, created_at, archived_at FROM project ORDER BY id");
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// The revision of each project's rules.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn rules_revisions(&self) -> Result<Vec<(ProjectId, i64)>, StoreError> {
        let query = db::query("SELECT id, rules_revision FROM project ORDER BY id");
        Ok(query.fetch_all(&self.readers).await?)
    }
}

/// Two weeks of a project in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, FromRow)]
pub struct ProjectWeeks {
    /// The project.
    pub project_id: ProjectId,
    /// Issues that occurred since the middle.
    pub issues: i64,
    /// Occurrences since the middle.
    pub occurrences: i64,
    /// Issues that occurred before it.
    pub issues_before: i64,
    /// Occurrences before it.
    pub occurrences_before: i64,
}

impl Store {
    /// What occurred in each project since `from`, before and after `middle`.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn project_weeks(
        &self,
        from: i64,
        middle: i64,
    ) -> Result<Vec<ProjectWeeks>, StoreError> {
        let query = db::query(
            "SELECT project_id, \
             COUNT(DISTINCT CASE WHEN hour >= $2 THEN issue_id END) AS issues, \
             CAST(SUM(CASE WHEN hour >= $2 THEN occurrences ELSE 0 END) AS BIGINT) AS occurrences, \
             COUNT(DISTINCT CASE WHEN hour < $2 THEN issue_id END) AS issues_before, \
             CAST(SUM(CASE WHEN hour < $2 THEN occurrences ELSE 0 END) AS BIGINT) \
             AS occurrences_before FROM issue_hour \
             WHERE project_id IN (SELECT id FROM project) AND hour >= $1 GROUP BY project_id",
        );
        let query = query.bind(from.div_euclid(HOUR_MS)).bind(middle.div_euclid(HOUR_MS));
        Ok(query.fetch_all(&self.readers).await?)
    }

    /// How many reports wait for attribution in each project, and how many alerts wait because
    /// nobody could be notified. Projects without any are omitted.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn project_queues(&self) -> Result<Vec<(ProjectId, i64, i64)>, StoreError> {
        let query = db::query(
            "SELECT id, (SELECT COUNT(*) FROM pending_report \
             WHERE pending_report.project_id = project.id AND occurrences > 0) AS waiting, \
             (SELECT COUNT(*) FROM alert WHERE alert.project_id = project.id \
             AND composed_at IS NULL AND note IS NOT NULL) AS deferred FROM project",
        );
        Ok(query.fetch_all(&self.readers).await?)
    }
}
