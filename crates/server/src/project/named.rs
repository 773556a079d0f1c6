//! A project as the store has it.
use flawless_base::secret::Secret;
use flawless_store::{DEFAULT_PROJECT, KeyRow, ProjectId, ProjectRow, SettingRow};
use url::Url;

use super::keys::working;

/// A project with its keys and settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    pub row: ProjectRow,
    /// The oldest first.
    pub keys: Vec<KeyRow>,
    /// What it sets itself, by option.
    pub settings: Vec<SettingRow>,
}

/// Below this path are the pages of projects other than the first.
pub const PROJECTS_PATH: &str = "/projects";

impl Project {
    pub fn id(&self) -> ProjectId {
        self.row.id
    }

    pub fn name(&self) -> &str {
        &self.row.name
    }

    /// The path of its pages, without a slash at the end: that of the first project is empty.
    pub fn root(&self) -> String {
        match self.row.id {
            DEFAULT_PROJECT => String::new(),
            _ => format!("{PROJECTS_PATH}/{}", self.row.name),
        }
    }

    /// The newest key that works: new programs are given this one.
    pub fn newest_key(&self) -> Option<&Secret> {
        working(&self.keys).next_back().map(|key| &key.secret)
    }

    /// The address that clients are given, `http(s)://KEY@HOST[:PORT][/PREFIX]/NUMBER`; `None`
    /// when `server_url` is not a URL, or no key works. SDKs demand that it ends in a number.
    pub fn dsn(&self, server_url: &str) -> Option<String> {
        let mut url = Url::parse(server_url).ok()?;
        url.set_username(self.newest_key()?.reveal()).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().push(&self.row.id.to_string());
        Some(url.into())
    }
}

/// Longer names are refused.
const MAX_NAME: usize = 50;

/// Checks the name of a project: it stands in addresses and in the names of mail threads.
///
/// # Errors
/// What is wrong with it, and what a name looks like.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c);
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    match begins && name.len() <= MAX_NAME && name.chars().all(is_fine) {
        true => Ok(()),
        false => Err(format!(
            "{name:?} cannot be the name of a project: write at most {MAX_NAME} lower-case \
             letters, digits, \u{201c}-\u{201d}, \u{201c}_\u{201d} and \u{201c}.\u{201d}, \
             beginning with a letter"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(id: ProjectId, keys: &[(&str, Option<i64>)]) -> Project {
        let key = |(at, (secret, disabled_at)): (i64, &(&str, Option<i64>))| KeyRow {
            id: at,
            project_id: id,
            secret: Secret::new(*secret),
            label: String::new(),
            created_at: 0,
            disabled_at: *disabled_at,
        };
        let keys = (1..).zip(keys).map(key).collect();
        let row = ProjectRow { id, name: "shop".into(), created_at: 0, archived_at: None };
        Project { row, keys, settings: Vec::new() }
    }

    #[test]
    fn dsn_has_the_newest_key_that_works_and_the_number_of_the_project() {
        let project = project(7, &[("ff", None), ("0f", None), ("aa", Some(7))]);
        for (base, expected) in [
            ("http://127.0.0.1:8080", "http://0f@127.0.0.1:8080/7"),
            ("https://errors.example.com", "https://0f@errors.example.com/7"),
            ("https://example.com:8443/flawless/", "https://0f@example.com:8443/flawless/7"),
            ("http://[::1]:8080", "http://0f@[::1]:8080/7"),
        ] {
            assert_eq!(project.dsn(base).as_deref(), Some(expected));
        }
        assert_eq!(project.dsn("no address"), None);
    }

    #[test]
    fn pages_of_the_first_project_are_at_the_top() {
        assert_eq!(project(DEFAULT_PROJECT, &[]).root(), "");
        assert_eq!(project(2, &[]).root(), "/projects/shop");
    }

    #[test]
    fn names_fit_into_addresses_and_are_no_numbers() {
        for name in ["shop", "a", "pay-2", "web.front_end"] {
            assert_eq!(check_name(name), Ok(()));
        }
        let long = "a".repeat(MAX_NAME + 1);
        for name in ["", "7", "Shop", "a/b", "a b", "..", "\u{e4}pfel", "a\n", long.as_str()] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
