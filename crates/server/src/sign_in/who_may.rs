//! Which role an address has: first as an administrator in the configuration, then as given by an
//! administrator, then as allowed by the configuration.
use flawless_core::Role;
use flawless_store::{GivenRole, PersonRole, ProjectId, RoleScope, StoreError};

use crate::app::App;
use crate::config::SignInConfig;

/// The role of an address, and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleWithReason {
    /// `None`: it may not sign in.
    pub role: Option<Role>,
    /// In words.
    pub why: &'static str,
    /// Whether the configuration fixes it, so that no page can change it.
    pub is_fixed: bool,
}

/// The role of an address; `given` is the one that an administrator gave it.
pub fn role_with_reason(
    config: &SignInConfig,
    given: Option<GivenRole>,
    address: &str,
) -> RoleWithReason {
    let from = |role, why, is_fixed| RoleWithReason { role, why, is_fixed };
    match (config.role_of(&address.to_ascii_lowercase()), given) {
        (Some((role, true)), _) => from(Some(role), "administrators in the configuration", true),
        (_, Some(GivenRole::Role(role))) => from(Some(role), "given by an administrator", false),
        (_, Some(GivenRole::Blocked)) => from(None, "blocked by an administrator", false),
        (Some((role, false)), None) => from(Some(role), "default_role of the configuration", false),
        (None, None) => from(None, "not allowed by the configuration", false),
    }
}

/// The roles of an address in all projects now.
#[derive(Debug)]
pub struct Roles {
    app: App,
    /// In lower case.
    address: String,
    given: Vec<PersonRole>,
}

impl Roles {
    /// Reads what administrators gave to an address.
    pub async fn read(app: &App, address: &str) -> Result<Self, StoreError> {
        let address = address.to_ascii_lowercase();
        let given = app.store.roles_of(&address).await?;
        Ok(Self { app: app.clone(), address, given })
    }

    /// The role in the current project; `None`: none of it may be seen.
    pub fn here(&self) -> Option<Role> {
        self.in_project(self.app.project_id())
    }

    /// The role in all projects, unless the address has another one in some.
    pub fn in_all(&self) -> Option<Role> {
        self.role(self.given_for(RoleScope::AllProjects))
    }

    /// The highest role in any project; `None`: the address may not sign in.
    pub fn highest(&self) -> Option<Role> {
        self.projects().into_iter().map(|(_, role)| role).max()
    }

    /// The projects that the address may see, with its role in each.
    pub fn projects(&self) -> Vec<(App, Role)> {
        let all = self.app.projects.all().into_iter();
        all.filter_map(|app| self.in_project(app.project_id()).map(|role| (app, role))).collect()
    }

    fn in_project(&self, project: ProjectId) -> Option<Role> {
        let of_all = self.given_for(RoleScope::AllProjects);
        let own = self.given_for(RoleScope::Project(project));
        // Nobody lets in whom an administrator of all projects has blocked.
        let is_blocked = of_all.is_some_and(|row| row.role == GivenRole::Blocked.as_str());
        self.role(own.filter(|_| !is_blocked).or(of_all))
    }

    fn given_for(&self, scope: RoleScope) -> Option<&PersonRole> {
        self.given.iter().find(|row| row.scope == scope)
    }

    fn role(&self, given: Option<&PersonRole>) -> Option<Role> {
        let given = given.map(|row| GivenRole::parse(&row.role).unwrap_or(GivenRole::Blocked));
        role_with_reason(&self.app.config.sign_in, given, &self.address).role
    }
}

/// The role of an address in the project now; `None` when it may not see anything of it.
pub async fn role_of(app: &App, address: &str) -> Result<Option<Role>, StoreError> {
    Ok(Roles::read(app, address).await?.here())
}

/// The highest role of an address in any project now; `None` when it may not sign in.
pub async fn highest_role_of(app: &App, address: &str) -> Result<Option<Role>, StoreError> {
    Ok(Roles::read(app, address).await?.highest())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, RawConfig};

    #[test]
    fn configured_administrators_outrank_roles_given_on_the_page() {
        let mut raw = RawConfig::default();
        for set in [
            "administrators=Root@example.com",
            "allowed_email_domains=@example.com",
            "allowed_emails=guest@other.org",
            "default_role=reader",
            "data_dir_path=/nowhere",
        ] {
            raw.set_argument(set).expect("an option");
        }
        let config = Config::resolve(&raw).expect("valid").sign_in;
        let role = |given, address| role_with_reason(&config, given, address).role;
        let blocked = Some(GivenRole::Blocked);
        assert_eq!(role(blocked, "ROOT@example.com"), Some(Role::Administrator));
        assert_eq!(role(None, "ann@Example.com"), Some(Role::Reader));
        assert_eq!(role(Some(GivenRole::Role(Role::Developer)), "x@y.z"), Some(Role::Developer));
        assert_eq!(role(blocked, "ann@example.com"), None);
        assert_eq!(role(None, "guest@other.org"), Some(Role::Reader));
        for stranger in ["ann@other.org", "ann@sub.example.com", "ann@notexample.com", "", "@"] {
            assert_eq!(role(None, stranger), None, "{stranger}");
        }
    }
}
