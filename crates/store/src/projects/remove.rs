//! Removes a project with everything that belongs to it.
use sqlx::FromRow;

use crate::{Store, StoreError, WriteTx, db};

/// How much goes with a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, FromRow)]
pub struct ProjectSize {
    /// Its issues.
    pub issues: i64,
    /// Reports that wait for attribution.
    pub waiting: i64,
    /// Mails and posts that were not sent yet.
    pub unsent: i64,
    /// Entries of its lists of rules.
    pub rules: i64,
    /// Its channels.
    pub channels: i64,
    /// Its keys.
    pub keys: i64,
}

/// Tables whose rows belong to an issue and name no project.
const OF_ISSUES: [&str; 2] = ["sample", "issue_facet"];

/// Tables whose rows name their project, those that refer to others first.
const OF_PROJECT: [&str; 26] = [
    "notification",
    "alert",
    "outbox",
    "action",
    "issue_hour",
    "hour_revision",
    "issue_alias",
    "place",
    "issue",
    "pending_report",
    "module_set",
    "outcome",
    "client_loss",
    "quota_use",
    "function_seen",
    "line_fact",
    "running_revision",
    "release",
    "artifact",
    "artifact_body",
    "rule",
    "channel",
    "unwanted_mail",
    "retried_address",
    "project_setting",
    "project_key",
];

impl WriteTx {
    /// Removes the project. Roles for it go too; its number is not used again.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_project(&mut self) -> Result<(), StoreError> {
        self.keep_last_issue().await?;
        self.note_erasure().await?;
        let of_issues = OF_ISSUES.map(|table| {
            format!(
                "DELETE FROM {table} WHERE issue_id IN (SELECT id FROM issue WHERE project_id = $1)"
            )
        });
        let merged = "UPDATE issue SET merged_into = NULL WHERE project_id = $1".to_owned();
        let of_project =
            OF_PROJECT.map(|table| format!("DELETE FROM {table} WHERE project_id = $1"));
        let itself = [
            "DELETE FROM person_role WHERE project_id = $1".to_owned(),
            "DELETE FROM project WHERE id = $1".to_owned(),
        ];
        for statement in of_issues.into_iter().chain([merged]).chain(of_project).chain(itself) {
            let query = db::query(db::assembled(statement));
            query.bind(self.project).execute(&mut self.tx).await?;
        }
        self.projects_changed().await
    }
}

impl Store {
    /// How much goes with the project when it is removed.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn project_size(&self) -> Result<ProjectSize, StoreError> {
        let query = db::query(
            "SELECT (SELECT COUNT(*) FROM issue WHERE project_id = $1) AS issues, \
             (SELECT COUNT(*) FROM pending_report WHERE project_id = $1) AS waiting, \
             (SELECT COUNT(*) FROM outbox WHERE project_id = $1 AND sent_at IS NULL \
              AND gave_up_at IS NULL) AS unsent, \
             (SELECT COUNT(*) FROM rule WHERE project_id = $1) AS rules, \
             (SELECT COUNT(*) FROM channel WHERE project_id = $1 AND removed_at IS NULL) \
             AS channels, \
             (SELECT COUNT(*) FROM project_key WHERE project_id = $1) AS keys",
        );
        Ok(query.bind(self.project).fetch_one(&self.readers).await?)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::sealing::Sealing;

    #[tokio::test(flavor = "multi_thread")]
    async fn lists_have_every_table_that_refers_to_a_project_or_an_issue() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), &Sealing::default(), 0).await.expect("it opens");
        let refers = async |to: &str| -> BTreeSet<String> {
            let tables = db::query_scalar(
                "SELECT DISTINCT m.name FROM sqlite_master AS m \
                 JOIN pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table' \
                 AND f.\"table\" = $1",
            );
            let tables: Vec<String> =
                tables.bind(to).fetch_all(&store.readers).await.expect("the schema");
            tables.into_iter().collect()
        };
        let of_project = BTreeSet::from(OF_PROJECT.map(str::to_owned));
        assert_eq!(of_project, refers("project").await);
        let of_issues = refers("issue").await.difference(&of_project).cloned().collect();
        assert_eq!(BTreeSet::from(OF_ISSUES.map(str::to_owned)), of_issues);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn number_of_a_removed_project_is_not_used_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), &Sealing::default(), 0).await.expect("it opens");
        let mut tx = store.write().await.expect("a transaction");
        let first = tx.add_project("shop", 0).await.expect("it is made").expect("the name is free");
        assert_eq!(tx.add_project("SHOP", 0).await.expect("no error"), None);
        tx.remove_project().await.expect("it is removed");
        let next = tx.add_project("shop", 0).await.expect("it is made").expect("the name is free");
        assert!(next > first);
    }
}
