//! What projects set themselves instead of the configuration.
use sqlx::FromRow;

use crate::{ProjectId, Store, StoreError, WriteTx, db};

/// An option that a project sets.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct SettingRow {
    /// The project.
    pub project_id: ProjectId,
    /// The option's name in the configuration.
    #[sqlx(rename = "option_name")]
    pub option: String,
    /// Its value as written in a configuration.
    pub value: String,
    /// When it was set.
    pub set_at: i64,
    /// Who set it.
    pub set_by: String,
}

impl WriteTx {
    /// Sets an option of the project; with `None` the configuration's value holds again. Returns
    /// whether that changed anything.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_option(
        &mut self,
        option: &str,
        value: Option<&str>,
        at: i64,
        by: &str,
    ) -> Result<bool, StoreError> {
        let done = match value {
            Some(value) => {
                let query = db::query(
                    "INSERT INTO project_setting (project_id, option_name, value, set_at, set_by) \
                     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (project_id, option_name) DO UPDATE \
                     SET value = excluded.value, set_at = excluded.set_at, \
                     set_by = excluded.set_by WHERE project_setting.value <> excluded.value",
                );
                let query = query.bind(self.project).bind(option).bind(value).bind(at).bind(by);
                query.execute(&mut self.tx).await?
            }
            None => {
                let query = db::query(
                    "DELETE FROM project_setting WHERE project_id = $1 AND option_name = $2",
                );
                query.bind(self.project).bind(option).execute(&mut self.tx).await?
            }
        };
        let is_changed = done.rows_affected() > 0;
        if is_changed {
            // What was found under other settings has to be looked at again.
            self.invalidate_verdicts().await?;
            self.projects_changed().await?;
        }
        Ok(is_changed)
    }
}

impl WriteTx {
    /// What the project sets, within this transaction.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn settings(&mut self) -> Result<Vec<SettingRow>, StoreError> {
        let query = db::query(
            "SELECT project_id, option_name, value, set_at, set_by FROM project_setting \
             WHERE project_id = $1 ORDER BY option_name",
        );
        Ok(query.bind(self.project).fetch_all(&mut self.tx).await?)
    }
}

impl Store {
    /// What all projects set, by project and option.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn project_settings(&self) -> Result<Vec<SettingRow>, StoreError> {
        let query = db::query(
            "SELECT project_id, option_name, value, set_at, set_by FROM project_setting \
             ORDER BY project_id, option_name",
        );
        Ok(query.fetch_all(&self.readers).await?)
    }
}
