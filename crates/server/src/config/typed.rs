//! Parses what was typed into what an option must be: numbers, dates, paths, addresses.
use std::path::{Path, PathBuf};

use fancy_regex::Regex;
use flawless_base::dates::parse_date;
use flawless_base::secret::Secret;
use flawless_core::{PathPatterns, is_mailable};
use jiff::tz::TimeZone;

use super::error::ConfigError;
use super::file::RawConfig;
use super::option_def::OptionType;
use super::options::OPTIONS;

/// Typed access to the raw configuration.
pub(super) struct Options<'a> {
    pub(super) raw: &'a RawConfig,
}

impl Options<'_> {
    pub(super) fn wrong(
        &self,
        name: &str,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> ConfigError {
        ConfigError::new(self.raw.location(name), problem, hint)
    }

    /// The value as typed, or the default; empty when there is neither.
    pub(super) fn text(&self, name: &'static str) -> &str {
        let default = OPTIONS.iter().find(|option| option.name == name).map_or("", |o| o.default);
        self.raw.get(name).unwrap_or(default)
    }

    pub(super) fn number(&self, name: &'static str) -> Result<u64, ConfigError> {
        let text = self.text(name);
        text.parse().map_err(|_| {
            self.wrong(name, format!("{text:?} is not a whole number from 0"), "Write digits only.")
        })
    }

    pub(super) fn count(&self, name: &'static str) -> Result<usize, ConfigError> {
        match usize::try_from(self.number(name)?) {
            Ok(count) if count > 0 => Ok(count),
            _ => Err(self.wrong(name, "must be at least 1", "Write a larger number.")),
        }
    }

    pub(super) fn bool(&self, name: &'static str) -> Result<bool, ConfigError> {
        match self.text(name).to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Ok(true),
            "false" | "no" | "off" | "0" => Ok(false),
            other => {
                Err(self.wrong(name, format!("{other:?} is not a boolean"), "Write True or False."))
            }
        }
    }

    pub(super) fn list(&self, name: &'static str) -> Vec<String> {
        let parts = self.text(name).split([',', '\n']).map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    pub(super) fn word(&self, name: &'static str) -> Result<&str, ConfigError> {
        let text = self.text(name);
        let option = OPTIONS.iter().find(|option| option.name == name);
        let Some(OptionType::Word(words)) = option.map(|option| option.kind) else {
            return Ok(text);
        };
        match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
            Some(word) => Ok(word),
            None if text.is_empty() => Ok(text),
            None => Err(self.wrong(
                name,
                format!("{text:?} is not one of the possible words"),
                format!("Write one of: {}.", words.join(", ")),
            )),
        }
    }

    pub(super) fn path(&self, name: &'static str) -> Option<PathBuf> {
        Some(self.absolute(self.raw.get(name)?))
    }

    pub(super) fn absolute(&self, text: &str) -> PathBuf {
        let home = || std::env::var_os("HOME").map(PathBuf::from);
        let path = match (text.strip_prefix("~/"), home()) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(text),
        };
        let folder = self.raw.path.as_deref().and_then(Path::parent);
        folder.map_or_else(|| path.clone(), |folder| folder.join(&path))
    }

    /// A bare name is searched for in `PATH`; only a text with a slash is a path.
    pub(super) fn git(&self) -> PathBuf {
        let text = self.text("git_cli_path");
        if text.contains('/') { self.absolute(text) } else { PathBuf::from(text) }
    }

    pub(super) fn address(&self, name: &'static str) -> Result<Option<String>, ConfigError> {
        match self.raw.get(name) {
            None => Ok(None),
            Some(address) if is_mailable(address) => Ok(Some(address.to_owned())),
            Some(other) => Err(self.wrong(
                name,
                format!("{other:?} is not a mail address"),
                "Write one address, like dev@example.com.",
            )),
        }
    }

    pub(super) fn date(&self, name: &'static str, timezone: &TimeZone) -> Result<i64, ConfigError> {
        let text = self.text(name);
        parse_date(text, timezone).ok_or_else(|| {
            self.wrong(name, format!("{text:?} is not a date"), "Write it as YYYY-MM-DD.")
        })
    }

    pub(super) fn timezone(&self) -> Result<TimeZone, ConfigError> {
        match self.raw.get("timezone") {
            None => Ok(TimeZone::system()),
            Some(name) => TimeZone::get(name).map_err(|error| {
                let hint = "Write a name like Europe/Berlin or UTC.";
                self.wrong("timezone", format!("{name:?}: {error}"), hint)
            }),
        }
    }

    pub(super) fn patterns(&self, name: &'static str) -> Result<PathPatterns, ConfigError> {
        PathPatterns::new(&self.list(name))
            .map_err(|error| self.bad_pattern(name, &error.pattern, error.message))
    }

    pub(super) fn pattern(&self, name: &'static str) -> Result<Option<Regex>, ConfigError> {
        let compile = |text: &str| {
            Regex::new(text).map_err(|error| self.bad_pattern(name, text, error.to_string()))
        };
        self.raw.get(name).map(compile).transpose()
    }

    pub(super) fn bad_pattern(&self, name: &str, pattern: &str, message: String) -> ConfigError {
        let hint = "Write a Python-style regular expression; separate several with commas.";
        self.wrong(name, format!("{pattern:?} is not a regular expression: {message}"), hint)
    }

    /// A secret, from the option or from the file that its twin names.
    pub(super) fn secret(&self, name: &'static str) -> Result<Option<Secret>, ConfigError> {
        let twin = format!("{name}_file");
        let Some(file) = self.raw.get(&twin) else {
            return Ok(self.raw.get(name).map(Secret::new));
        };
        if self.raw.get(name).is_some() {
            let hint = format!("Remove {name} or {twin}.");
            return Err(self.wrong(&twin, format!("{name} is set as well"), hint));
        }
        let path = self.absolute(file);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            let problem = format!("{} cannot be read: {error}", path.display());
            self.wrong(&twin, problem, "Name a file that holds only the secret.")
        })?;
        Ok(Some(Secret::new(text.trim())))
    }
}
