//! Roles that administrators assigned, and whether there ever was an administrator.
use sqlx::FromRow;

use crate::{ProjectId, Store, StoreError, WriteTx, db};
use flawless_core::Role;

/// What an administrator assigned to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenRole {
    /// It has this role.
    Role(Role),
    /// It may not sign in.
    Blocked,
}

impl GivenRole {
    /// The assignment with this name.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "blocked" => Some(Self::Blocked),
            name => Role::parse(name).map(Self::Role),
        }
    }

    /// Its name in forms and rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Role(role) => role.as_str(),
            Self::Blocked => "blocked",
        }
    }
}

/// Where an assigned role holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleScope {
    /// In all projects for which the address has no role of its own.
    AllProjects,
    /// In this project.
    Project(ProjectId),
}

impl RoleScope {
    /// The number in rows: projects are numbered from 1.
    fn number(self) -> ProjectId {
        match self {
            Self::AllProjects => 0,
            Self::Project(project) => project,
        }
    }
}

impl From<i64> for RoleScope {
    fn from(number: i64) -> Self {
        match number {
            0 => Self::AllProjects,
            project => Self::Project(project),
        }
    }
}

/// An assigned role.
#[derive(Debug, Clone, FromRow)]
pub struct PersonRole {
    /// The address, in lower case.
    pub address: String,
    /// Where it holds.
    #[sqlx(rename = "project_id", try_from = "i64")]
    pub scope: RoleScope,
    /// As [`GivenRole::as_str`].
    pub role: String,
    /// When it was assigned.
    pub set_at: i64,
    /// Who assigned it.
    pub set_by: String,
}

impl WriteTx {
    /// Assigns a role, replacing an earlier assignment. `address` is in lower case.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn give_role(
        &mut self,
        address: &str,
        scope: RoleScope,
        role: GivenRole,
        at: i64,
        by: &str,
    ) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO person_role (address, role, set_at, set_by, project_id) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (address, project_id) DO UPDATE SET role = excluded.role, set_at = excluded.set_at, \
             set_by = excluded.set_by",
        );
        let query = query.bind(address).bind(role.as_str()).bind(at).bind(by);
        query.bind(scope.number()).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Removes an assigned role: only the configuration's role remains.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn remove_role(&mut self, address: &str, scope: RoleScope) -> Result<(), StoreError> {
        let query = db::query("DELETE FROM person_role WHERE address = $1 AND project_id = $2");
        query.bind(address).bind(scope.number()).execute(&mut self.tx).await?;
        Ok(())
    }

    /// Assigns a role, or removes the assignment. `address` is in lower case.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn put_role(
        &mut self,
        address: &str,
        scope: RoleScope,
        role: Option<GivenRole>,
        at: i64,
        by: &str,
    ) -> Result<(), StoreError> {
        match role {
            Some(role) => self.give_role(address, scope, role, at, by).await,
            None => self.remove_role(address, scope).await,
        }
    }

    /// The assignment of exactly this scope for an address, in lower case, within this transaction.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn given_role(
        &mut self,
        address: &str,
        scope: RoleScope,
    ) -> Result<Option<GivenRole>, StoreError> {
        let query =
            db::query_scalar("SELECT role FROM person_role WHERE address = $1 AND project_id = $2");
        let query = query.bind(address).bind(scope.number());
        let role: Option<String> = query.fetch_optional(&mut self.tx).await?;
        Ok(role.map(|role| GivenRole::parse(&role).unwrap_or(GivenRole::Blocked)))
    }

    /// Notes that an administrator has signed in.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn note_administrator(&mut self, at: i64) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO setting (name, value) VALUES ('administrator_since', $1) \
             ON CONFLICT (name) DO NOTHING",
        );
        query.bind(at).execute(&mut self.tx).await?;
        Ok(())
    }
}

impl Store {
    /// The assignment that holds in this project for an address, in lower case: that of the project
    /// comes before that of all, except for somebody who is blocked in all.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn given_role(&self, address: &str) -> Result<Option<GivenRole>, StoreError> {
        let query = db::query_scalar(
            "SELECT role FROM person_role WHERE address = $1 AND project_id IN (0, $2) \
             ORDER BY CASE WHEN project_id = 0 AND role = 'blocked' THEN 0 ELSE 1 END, \
             project_id DESC LIMIT 1",
        );
        let query = query.bind(address).bind(self.project);
        let role: Option<String> = query.fetch_optional(&self.readers).await?;
        // An unreadable role must not grant access.
        Ok(role.map(|role| GivenRole::parse(&role).unwrap_or(GivenRole::Blocked)))
    }

    /// All assignments for an address, in lower case.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn roles_of(&self, address: &str) -> Result<Vec<PersonRole>, StoreError> {
        let query = db::query(
            "SELECT address, project_id, role, set_at, set_by FROM person_role WHERE address = $1",
        );
        Ok(query.bind(address).fetch_all(&self.readers).await?)
    }

    /// The roles assigned for this project and for all, by address; that for all comes first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn given_roles(&self) -> Result<Vec<PersonRole>, StoreError> {
        let query = db::query(
            "SELECT address, project_id, role, set_at, set_by FROM person_role \
             WHERE project_id IN (0, $1) ORDER BY address, project_id LIMIT 5000",
        );
        Ok(query.bind(self.project).fetch_all(&self.readers).await?)
    }

    /// Whether an administrator has ever signed in.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn had_administrator(&self) -> Result<bool, StoreError> {
        let query =
            db::query_scalar("SELECT COUNT(*) FROM setting WHERE name = 'administrator_since'");
        Ok(query.fetch_one::<i64>(&self.readers).await? > 0)
    }
}
