//! What somebody who uses the pages may do.
use std::fmt;

/// Each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees everything.
    Reader,
    /// Acts on issues, and changes rules about code.
    Developer,
    /// Changes rules about people, and roles.
    Administrator,
}

/// All roles, from the least to the most.
pub const ROLES: [Role; 3] = [Role::Reader, Role::Developer, Role::Administrator];

impl Role {
    /// The role with this name.
    pub fn parse(name: &str) -> Option<Self> {
        ROLES.into_iter().find(|role| role.as_str() == name)
    }

    /// Its name in the configuration, on pages and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Developer => "developer",
            Self::Administrator => "administrator",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
