//! The tables whose rows belong to an issue: one list for erasure, retention and merges.
use crate::{StoreError, WriteTx, db};

/// What deleting an issue does to a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnDelete {
    /// Its rows go too.
    Delete,
    /// Its rows stay as a record, without the issue, unless the issue is erased.
    Detach,
}

/// Tables with a column `issue_id`. Notifications belong to an alert, and go with it.
const DEPENDENTS: [(&str, OnDelete); 7] = [
    ("alert", OnDelete::Delete),
    ("action", OnDelete::Detach),
    ("sample", OnDelete::Delete),
    ("issue_hour", OnDelete::Delete),
    ("issue_facet", OnDelete::Delete),
    ("place", OnDelete::Delete),
    ("issue_alias", OnDelete::Delete),
];

impl WriteTx {
    /// Deletes the issues that the query `issues` selects, with everything that belongs to them.
    /// `parameters` are those of the query. With `is_erasure` nothing stays as a record.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn delete_issues(
        &mut self,
        issues: &'static str,
        parameters: &[i64],
        is_erasure: bool,
    ) -> Result<(), StoreError> {
        self.hours_of_issues_change(issues, parameters).await?;
        let notifications = format!(
            "DELETE FROM notification WHERE alert_id IN \
             (SELECT id FROM alert WHERE issue_id IN ({issues}))"
        );
        let dependents = DEPENDENTS.iter().map(|(table, on_delete)| match on_delete {
            OnDelete::Detach if !is_erasure => {
                format!("UPDATE {table} SET issue_id = NULL WHERE issue_id IN ({issues})")
            }
            _ => format!("DELETE FROM {table} WHERE issue_id IN ({issues})"),
        });
        let themselves = ["merged_into", "id"]
            .map(|column| format!("DELETE FROM issue WHERE {column} IN ({issues})"));
        for statement in std::iter::once(notifications).chain(dependents).chain(themselves) {
            let mut query = db::query(db::assembled(statement));
            for parameter in parameters {
                query = query.bind(parameter);
            }
            query.execute(&mut self.tx).await?;
        }
        Ok(())
    }

    /// Gives the rows of `older` to `into`. Rows that would be there twice were added up before.
    ///
    /// # Errors
    /// The database cannot be written.
    pub(crate) async fn move_dependents(
        &mut self,
        older: i64,
        into: i64,
    ) -> Result<(), StoreError> {
        for (table, _) in DEPENDENTS {
            let statement = format!("UPDATE {table} SET issue_id = $2 WHERE issue_id = $1");
            let query = db::query(db::assembled(statement));
            query.bind(older).bind(into).execute(&mut self.tx).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::DEPENDENTS;
    use crate::sealing::Sealing;
    use crate::{Store, db};

    #[tokio::test(flavor = "multi_thread")]
    async fn list_has_every_table_that_refers_to_an_issue() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path(), &Sealing::default(), 0).await.expect("it opens");
        let refers: Vec<String> = db::query_scalar(
            "SELECT DISTINCT m.name FROM sqlite_master AS m JOIN pragma_foreign_key_list(m.name) \
             AS f WHERE m.type = 'table' AND f.\"table\" = 'issue' AND f.\"from\" = 'issue_id'",
        )
        .fetch_all(&store.readers)
        .await
        .expect("the schema");
        let listed = DEPENDENTS.map(|(table, _)| table.to_owned());
        assert_eq!(BTreeSet::from(listed), refers.into_iter().collect());
    }
}
