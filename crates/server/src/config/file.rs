//! The configuration as typed: an INI file in the dialect of Python's configparser, each value
//! with the place where it was set.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::error::ConfigError;
use super::options::{OPTIONS, find_option};

/// Options as typed, with the place of each.
#[derive(Debug, Clone, Default)]
pub struct RawConfig {
    /// The file, absolute; `None` when started without one.
    pub path: Option<PathBuf>,
    values: BTreeMap<String, RawValue>,
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
    /// It cannot be read, is no INI, or sets an option that does not exist.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let shown = path.display().to_string();
        let unreadable = |error: std::io::Error| {
            let mend = "Write one with `flawless configure`, or give its path with -conf.";
            ConfigError::new(shown.clone(), format!("cannot be read: {error}"), mend)
        };
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let mut config = Self::parse(&text, &shown)?;
        config.path = Some(std::path::absolute(path).map_err(unreadable)?);
        Ok(config)
    }

    /// Reads the text of a file; `name` stands for it in messages.
    ///
    /// # Errors
    /// As [`RawConfig::read`].
    pub fn parse(text: &str, name: &str) -> Result<Self, ConfigError> {
        let mut config = Self::default();
        let mut section: Option<String> = None;
        let mut current: Option<String> = None;
        let (mut first_section, mut has_ours) = (None, false);
        for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let location = format!("{name}:{number}");
            let trimmed = line.trim();
            if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
                continue;
            }
            if line.starts_with(char::is_whitespace)
                && let Some(value) = current.as_ref().and_then(|key| config.values.get_mut(key))
            {
                value.text.push('\n');
                value.text.push_str(trimmed);
                continue;
            }
            if let Some(title) = trimmed.strip_prefix('[') {
                let title = title.strip_suffix(']').ok_or_else(|| {
                    ConfigError::new(&location, "a section without its ]", "Write [flawless].")
                })?;
                section = Some(title.to_owned());
                first_section.get_or_insert((location, title.to_owned()));
                has_ours |= title == SECTION;
                current = None;
                continue;
            }
            match section.as_deref() {
                Some(SECTION) => {}
                None => {
                    let mend = "Begin the file with a line [flawless].";
                    return Err(ConfigError::new(location, "an option before any section", mend));
                }
                // configparser ignores sections nobody asks for; so do we.
                Some(_) => continue,
            }
            let Some(at) = trimmed.find(['=', ':']) else {
                let mend = "Write it as: option = value.";
                return Err(ConfigError::new(location, format!("{trimmed:?} is no option"), mend));
            };
            let key = trimmed[..at].trim().to_ascii_lowercase();
            if let Some(before) = config.values.get(&key) {
                let problem = format!("{key} was set at {} already", before.location);
                return Err(ConfigError::new(location, problem, "Leave one of them out."));
            }
            config.set_at(&key, trimmed[at + 1..].trim(), location)?;
            current = Some(key);
        }
        if let (Some((location, title)), false) = (first_section, has_ours) {
            let problem = format!("there is no section [flawless], only [{title}]");
            return Err(ConfigError::new(location, problem, "Options stand below [flawless]."));
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
            let mend = "Write it as --set option=value.";
            return Err(ConfigError::new("--set", format!("{argument:?} has no ="), mend));
        };
        self.set_at(name.trim(), value.trim(), format!("--set {}", name.trim()))
    }

    fn set_at(&mut self, name: &str, text: &str, location: String) -> Result<(), ConfigError> {
        if find_option(name).is_none() {
            let nearest = nearest_name(name);
            let mend = match nearest {
                Some(nearest) => format!("Did you mean {nearest}? `flawless options` lists all."),
                None => "`flawless options` lists all.".to_owned(),
            };
            return Err(ConfigError::new(location, format!("unknown option {name:?}"), mend));
        }
        self.values.insert(name.to_owned(), RawValue { text: text.to_owned(), location });
        Ok(())
    }

    /// `%%` is a per cent sign and `%(name)s` another option's value, as configparser reads them.
    fn interpolate(&mut self) {
        let plain = self.values.clone();
        for value in self.values.values_mut() {
            for (name, other) in &plain {
                let reference = format!("%({name})s");
                if value.text.contains(&reference) {
                    value.text = value.text.replace(&reference, &other.text);
                }
            }
            value.text = value.text.replace("%%", "%");
        }
    }

    /// The value of an option as typed; `None` when it is not set or empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.text.as_str()).filter(|text| !text.is_empty())
    }

    /// Where an option was set, with its name; only its name when it was not.
    pub fn location(&self, name: &str) -> String {
        match self.values.get(name) {
            Some(value) if value.location.starts_with("--set") => value.location.clone(),
            Some(value) => format!("{}: {name}", value.location),
            None => name.to_owned(),
        }
    }

    /// All options that are set, in the order of `flawless options`, as typed.
    pub fn set_values(&self) -> impl Iterator<Item = (&str, &str)> {
        let order = |name: &str| OPTIONS.iter().position(|option| name.starts_with(option.name));
        let mut values: Vec<_> =
            self.values.iter().map(|(name, value)| (name.as_str(), value.text.as_str())).collect();
        values.sort_by_key(|(name, _)| order(name));
        values.into_iter()
    }
}

fn nearest_name(name: &str) -> Option<&'static str> {
    let scored = OPTIONS.iter().map(|option| (edit_distance(name, option.name), option.name));
    scored.min().filter(|(distance, _)| *distance <= 1 + name.len() / 3).map(|(_, name)| name)
}

/// Insertions, deletions and changes of one letter that lead from `a` to `b`.
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
    fn the_dialect_of_configparser_is_read() {
        let text = "\
# comment
[other]
anything = 1
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
        assert_eq!(config.location("port"), "f.cfg:5: port");
        assert_eq!(config.location("log_file"), "log_file");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line_and_the_nearest_option() {
        let error = |text: &str| RawConfig::parse(text, "f.cfg").expect_err(text).to_string();
        assert_eq!(
            error("[flawless]\n\nsmtp_hots = x"),
            "f.cfg:3: unknown option \"smtp_hots\". Did you mean smtp_host? \
             `flawless options` lists all."
        );
        assert!(error("[flawless]\nzzzzzzzz = 1").ends_with("zz\". `flawless options` lists all."));
        assert!(error("port = 1").starts_with("f.cfg:1: an option before any section"));
        assert!(error("[flawles]\nport = 1").contains("no section [flawless], only [flawles]"));
        assert!(error("[flawless]\nport = 1\nport = 2").contains("was set at f.cfg:2 already"));
        assert!(error("[flawless\n").starts_with("f.cfg:1: a section without its ]"));
        assert!(error("[flawless]\nport").starts_with("f.cfg:2: \"port\" is no option"));
        let error = RawConfig::default().set_argument("port").expect_err("no =");
        assert!(error.to_string().contains("--set option=value"), "{error}");
    }
}
