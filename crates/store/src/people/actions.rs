//! What people did, and whether it was undone.
use sqlx::FromRow;

use crate::{Store, StoreError, WriteTx, db};
use flawless_core::Role;

/// An action that somebody has just taken.
#[derive(Debug, Clone)]
pub struct NewAction {
    /// Who took it: an address, or the name of a token.
    pub who: String,
    /// The issue that it applies to.
    pub issue_id: Option<i64>,
    /// The kind of action, in one word.
    pub kind: &'static str,
    /// A description.
    pub what: String,
    /// How to undo it, as JSON; `None` when that is impossible.
    pub undo: Option<String>,
    /// The role that an undo requires.
    pub undo_role: Option<Role>,
}

/// An action that somebody took.
#[derive(Debug, Clone, FromRow)]
pub struct ActionRow {
    /// Its number.
    pub id: i64,
    /// When it was taken.
    pub at: i64,
    /// Who took it.
    pub who: String,
    /// The issue that it applies to.
    pub issue_id: Option<i64>,
    /// The kind of action, in one word.
    pub kind: String,
    /// A description.
    pub what: String,
    /// Whether the store has the undo, which may be long: [`Store::undo_of`].
    pub has_undo: bool,
    /// The role that an undo requires.
    pub undo_role: Option<String>,
    /// When it was undone.
    pub undone_at: Option<i64>,
    /// Who undid it.
    pub undone_by: Option<String>,
}

impl ActionRow {
    /// The role that an undo requires; `None` when it cannot be undone.
    pub fn undo_needs(&self) -> Option<Role> {
        let role = self.undo_role.as_deref().and_then(Role::parse);
        self.has_undo.then_some(role.unwrap_or(Role::Administrator))
    }
}

/// The columns of an [`ActionRow`].
macro_rules! select_action {
    ($rest:literal) => {
        concat!(
            "SELECT id, at, who, issue_id, kind, what, undo IS NOT NULL AS has_undo, undo_role, \
             undone_at, undone_by FROM action ",
            $rest
        )
    };
}

const UNDO_OF: &str = "SELECT undo FROM action WHERE project_id = $1 AND id = $2";

impl WriteTx {
    /// Stores an action; returns its number.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn add_action(&mut self, action: &NewAction, at: i64) -> Result<i64, StoreError> {
        let query = db::query_scalar(
            "INSERT INTO action (project_id, at, who, issue_id, kind, what, undo, undo_role) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
        );
        let query = query.bind(self.project).bind(at).bind(&action.who).bind(action.issue_id);
        let query = query.bind(action.kind).bind(&action.what).bind(&action.undo);
        let query = query.bind(action.undo_role.map(Role::as_str));
        Ok(query.fetch_one(&mut self.tx).await?)
    }

    /// One action, within this transaction.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn action(&mut self, id: i64) -> Result<Option<ActionRow>, StoreError> {
        let query = db::query(select_action!("WHERE project_id = $1 AND id = $2"));
        Ok(query.bind(self.project).bind(id).fetch_optional(&mut self.tx).await?)
    }

    /// How to undo an action, as JSON, within this transaction.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn undo_of(&mut self, id: i64) -> Result<Option<String>, StoreError> {
        let query = db::query_scalar(UNDO_OF).bind(self.project).bind(id);
        Ok(query.fetch_optional(&mut self.tx).await?.flatten())
    }

    /// Notes that an action was undone.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_undone(&mut self, id: i64, who: &str, at: i64) -> Result<(), StoreError> {
        let query = db::query("UPDATE action SET undone_at = $2, undone_by = $3 WHERE id = $1");
        query.bind(id).bind(at).bind(who).execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// One action.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn action(&self, id: i64) -> Result<Option<ActionRow>, StoreError> {
        let query = db::query(select_action!("WHERE project_id = $1 AND id = $2"));
        Ok(query.bind(self.project).bind(id).fetch_optional(&self.readers).await?)
    }

    /// How to undo an action, as JSON; `None` when that is impossible.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn undo_of(&self, id: i64) -> Result<Option<String>, StoreError> {
        let query = db::query_scalar(UNDO_OF).bind(self.project).bind(id);
        Ok(query.fetch_optional(&self.readers).await?.flatten())
    }

    /// The actions on an issue, newest first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn actions_of(&self, issue: i64, limit: i64) -> Result<Vec<ActionRow>, StoreError> {
        let query = db::query(select_action!("WHERE issue_id = $1 ORDER BY id DESC LIMIT $2"));
        Ok(query.bind(issue).bind(limit).fetch_all(&self.readers).await?)
    }

    /// All actions, newest first; `before` is the number of the last known one.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn actions(
        &self,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<ActionRow>, StoreError> {
        let query = db::query(select_action!(
            "WHERE project_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3"
        ));
        let query = query.bind(self.project).bind(before.unwrap_or(i64::MAX)).bind(limit);
        Ok(query.fetch_all(&self.readers).await?)
    }
}
