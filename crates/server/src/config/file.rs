//! The configuration as typed: an INI file in the dialect of Python's configparser, each value
//! with the place where it was set.
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::ini::{Line, interpolate, lines};
use super::options::{OPTIONS, find_option};

/// Options as typed, with the place of each.
#[derive(Debug, Clone, Default)]
pub struct RawConfig {
    /// The file's absolute path; `None` when started without one.
    pub path: Option<PathBuf>,
    values: BTreeMap<String, RawValue>,
    /// Names of the options that were set over the file's values.
    changed: BTreeSet<String>,
    /// The file's text, so that comments and order survive an edit.
    text: Option<String>,
}

#[derive(Debug, Clone)]
struct RawValue {
    text: String,
    location: String,
}

const SECTION: &str = "flawless";

impl RawConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, is not an INI file, or sets an option that does not exist.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let unreadable = |error: std::io::Error| {
            let hint = "Write one with `flawless configure`, or give its path with -conf.";
            ConfigError::new(shown.clone(), format!("cannot be read: {error}"), hint)
        };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut config = Self::parse(&text, &shown)?;
        config.path = Some(std::path::absolute(path).map_err(unreadable)?);
        Ok(config)
    }

    /// Reads the text of a file, which messages call `name`.
    ///
    /// # Errors
    /// As [`RawConfig::read`].
    pub fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        let mut config = Self { text: Some(text.to_owned()), ..Self::default() };
        let mut has_section = false;
        let mut current = String::new();
        for (number, (_, line)) in (1..).zip(lines(text)) {
            let location = format!("{name}:{number}");
            match line {
                Line::Silent => {}
                Line::Section(Some(SECTION)) => has_section = true,
                Line::Section(Some(title)) => {
                    let problem =
                        format!("[{title}] is not [{SECTION}], the only section there is");
                    let hint = "Write its options below [flawless], or remove it. There are no \
                                sections for single projects: their settings are in the store.";
                    return Err(ConfigError::new(location, problem, hint));
                }
                Line::Section(None) => {
                    let hint = "Write [flawless].";
                    return Err(ConfigError::new(location, "a section without its ]", hint));
                }
                Line::Option(..) | Line::Unreadable(_) if !has_section => {
                    let hint = "Begin the file with a line [flawless].";
                    return Err(ConfigError::new(location, "an option before any section", hint));
                }
                Line::Unreadable(text) => {
                    let (problem, hint) =
                        (format!("{text:?} is not an option"), "Write it as: option = value.");
                    return Err(ConfigError::new(location, problem, hint));
                }
                Line::Option(key, value) => {
                    if let Some(before) = config.values.get(&key) {
                        let problem = format!("{key} was already set at {}", before.location);
                        return Err(ConfigError::new(location, problem, "Remove one of them."));
                    }
                    config.set_at(&key, value, location)?;
                    current = key;
                }
                Line::Continued(more) => {
                    if let Some(value) = config.values.get_mut(&current) {
                        value.text.push('\n');
                        value.text.push_str(more);
                    }
                }
            }
        }
        config.interpolate();
        Ok(config)
    }

    /// Sets an option from the command line (`NAME=VALUE`).
    ///
    /// # Errors
    /// There is no `=`, or no such option.
    pub fn set_argument(&mut self, argument: &str) -> Result<(), ConfigError> {
        let Some((name, value)) = argument.split_once('=') else {
            let hint = "Write it as --set option=value.";
            return Err(ConfigError::new("--set", format!("{argument:?} has no ="), hint));
        };
        let name = name.trim();
        self.set_at(name, value.trim(), format!("--set {name}"))?;
        self.changed.insert(name.to_owned());
        Ok(())
    }

    fn set_at(&mut self, name: &str, text: &str, location: String) -> Result<(), ConfigError> {
        if find_option(name).is_none() {
            return Err(unknown(name, &location));
        }
        self.values.insert(name.to_owned(), RawValue { text: text.to_owned(), location });
        Ok(())
    }

    fn interpolate(&mut self) {
        let typed = self.values.clone();
        for value in self.values.values_mut() {
            let value_of = |name: &str| typed.get(name).map(|other| other.text.as_str());
            value.text = interpolate(&value.text, value_of);
        }
    }

    /// Sets an option to what a project sets.
    pub(super) fn set_for_project(
        &mut self,
        name: &str,
        text: &str,
        project: &str,
    ) -> Result<(), ConfigError> {
        self.set_at(name, text, format!("project {project}"))
    }

    /// Unsets an option and its twin.
    pub(super) fn forget(&mut self, name: &str) {
        self.values.remove(name);
        self.values.remove(&format!("{name}_file"));
    }

    pub(super) fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of an option as typed; `None` when it is not set or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.as_str()).filter(|text| !text.is_empty())
    }

    /// Where an option was set, with its name; only its name if it was not set.
    pub fn location(&self, name: &str) -> String {
        match self.values.get(name) {
            Some(value) if value.location.starts_with("--set") => value.location.clone(),
            Some(value) => format!("{}: {name}", value.location),
            None => name.to_owned(),
        }
    }

    /// The text of the file that was read; empty when there was none.
    pub(super) fn source(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// The options that were set over the file's values, in the order of `flawless options`.
    pub(super) fn changes(&self) -> Vec<(&str, &str)> {
        let order = |name: &str| OPTIONS.iter().position(|option| name.starts_with(option.name));
        let value = |name: &str| self.values.get(name).map_or("", |value| value.text.as_str());
        let changed = self.changed.iter().map(String::as_str);
        let mut changes: Vec<_> = changed.map(|name| (name, value(name))).collect();
        changes.sort_by_key(|(name, _)| order(name));
        changes
    }
}

/// The error for an option that does not exist, and was set at `location`.
pub(super) fn unknown(name: &str, location: &str) -> ConfigError {
    let hint = match nearest_name(name) {
        Some(nearest) => format!("Did you mean {nearest}? `flawless options` lists all."),
        None => "`flawless options` lists all.".to_owned(),
    };
    ConfigError::new(location, format!("unknown option {name:?}"), hint)
}

fn nearest_name(name: &str) -> Option<&'static str> {
    let scored = OPTIONS.iter().map(|option| (edit_distance(name, option.name), option.name));
    scored.min().filter(|(distance, _)| *distance <= 1 + name.len() / 3).map(|(_, name)| name)
}

/// The number of insertions, deletions and changes of one letter from `a` to `b`.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configparser_dialect_is_read() {
        let text = "\
# comment
[flawless]
PORT: 9100
smtp_password = 50%%=x
hostname = http://h:%(port)s
report_runtime_package_directory_names = a,
    b
; comment
default_contact =
";
        let config = RawConfig::parse(text, "f.cfg").expect("valid");
        assert_eq!(config.get("port"), Some("9100"));
        assert_eq!(config.get("smtp_password"), Some("50%=x"));
        assert_eq!(config.get("hostname"), Some("http://h:9100"));
        assert_eq!(config.get("report_runtime_package_directory_names"), Some("a,\nb"));
        assert_eq!(config.get("default_contact"), None);
        assert_eq!(config.location("port"), "f.cfg:3: port");
        assert_eq!(config.location("log_file"), "log_file");
    }

    #[test]
    fn wrong_option_is_named_with_its_line_and_the_nearest_one() {
        let error = |text: &str| RawConfig::parse(text, "f.cfg").expect_err(text).to_string();
        assert_eq!(
            error("[flawless]\n\nsmtp_hots = x"),
            "f.cfg:3: unknown option \"smtp_hots\". Did you mean smtp_host? \
             `flawless options` lists all."
        );
        assert!(error("[flawless]\nzzzzzzzz = 1").ends_with("zz\". `flawless options` lists all."));
        assert!(error("port = 1").starts_with("f.cfg:1: an option before any section"));
        assert!(error("[flawles]\nport = 1").contains("[flawles] is not [flawless]"));
        assert!(error("[flawless]\nport = 1\nport = 2").contains("was already set at f.cfg:2"));
        assert!(error("[flawless\n").starts_with("f.cfg:1: a section without its ]"));
        assert!(error("[flawless]\nport").starts_with("f.cfg:2: \"port\" is not an option"));
        let error = RawConfig::default().set_argument("port").expect_err("no =");
        assert!(error.to_string().contains("--set option=value"), "{error}");
    }
}
