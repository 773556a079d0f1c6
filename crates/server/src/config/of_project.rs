//! What a project sets itself: the same options, over the values of the configuration.
use std::path::{Path, PathBuf};

use flawless_store::{DEFAULT_PROJECT, ProjectId};

use super::error::ConfigError;
use super::file::RawConfig;
use super::option_def::OptionDef;
use super::options::find_option;
use super::resolve::Config;

/// Options that say where the code of a project is, and describe that repository.
const OF_REPOSITORY: ProjectOptions = ProjectOptions {
    topic: "Repository",
    options: &[
        "repo_url",
        "repo_dir",
        "repo_branch_pattern",
        "repo_web_url",
        "repo_fetch_interval",
        "submodules",
        "ignore_revs_file",
        "path_prefixes",
        "report_runtime_package_directory_names",
    ],
};

/// All options that a project may set, in the order of display.
pub const PROJECT_OPTIONS: [ProjectOptions; 5] = [
    OF_REPOSITORY,
    ProjectOptions {
        topic: "Who is notified",
        options: &[
            "default_contact",
            "email_domain_name",
            "ignore_vcs_email_domain",
            "automation_patterns",
            "author_gone_days",
        ],
    },
    ProjectOptions {
        topic: "What they are notified of",
        options: &[
            "report_error_threshold",
            "notify_environments",
            "otlp_services",
            "baseline_hours",
            "report_only_after_minimum_date",
            "blame_frame",
            "only_blame_filepaths_matching",
        ],
    },
    ProjectOptions {
        topic: "Mails",
        options: &[
            "digest_minutes",
            "mails_per_person_per_hour",
            "mails_per_hour",
            "subject_style",
            "mail_locals",
        ],
    },
    ProjectOptions {
        topic: "Data",
        options: &[
            "redact_names",
            "redact_values",
            "retention_days",
            "max_artifact_bytes",
            "new_issues_per_day",
            "new_issues_per_sender_per_day",
            "new_bytes_per_day",
            "new_bytes_per_sender_per_day",
        ],
    },
];

/// Options of one topic that a project may set.
#[derive(Debug, Clone, Copy)]
pub struct ProjectOptions {
    /// What they are about.
    pub topic: &'static str,
    /// Their names.
    pub options: &'static [&'static str],
}

/// Options of which a project's values come in addition to those of the configuration.
const ADDED: &[&str] = &["redact_names", "redact_values"];

pub(super) fn is_of_projects(option: &OptionDef) -> bool {
    PROJECT_OPTIONS.iter().any(|topic| topic.options.contains(&option.name))
}

/// Options that may name any file or folder of the server's machine, or take much of its time.
const OF_THE_MACHINE: &[&str] = &[
    "repo_url",
    "repo_url_file",
    "repo_dir",
    "submodules",
    "ignore_revs_file",
    "repo_fetch_interval",
];

/// Whether only who administers all projects may set the option.
pub fn for_administrators_of_all(option: &str) -> bool {
    OF_THE_MACHINE.contains(&option)
}

/// Checks that a project may set the option.
///
/// # Errors
/// There is no such option, or it belongs to the server.
pub fn check_project_option(name: &str) -> Result<&'static OptionDef, ConfigError> {
    let Some(option) = find_option(name) else { return Err(super::file::unknown(name, name)) };
    match is_of_projects(option) {
        true => Ok(option),
        false => {
            let hint = "It belongs to the server: set it in flawless.cfg and restart. `flawless \
                        options` says which options a project may set.";
            Err(ConfigError::new(name, "a project cannot set this option", hint))
        }
    }
}

impl Config {
    /// The configuration of a project: `settings` are the options that it sets, with their values.
    ///
    /// # Errors
    /// The first value that is wrong, with a hint.
    pub fn of_project(
        &self,
        id: ProjectId,
        name: &str,
        settings: &[(&str, &str)],
    ) -> Result<Self, ConfigError> {
        if id == DEFAULT_PROJECT && settings.is_empty() {
            return Ok(self.clone());
        }
        let mut raw = RawConfig::clone(&self.raw);
        let has_repository = settings.iter().any(|(option, value)| {
            option.starts_with("repo_url") || *option == "repo_dir" && !value.is_empty()
        });
        if has_repository {
            // Those of the configuration describe another repository.
            OF_REPOSITORY.options.iter().for_each(|option| raw.forget(option));
        } else if id != DEFAULT_PROJECT && (raw.is_set("repo_url") || raw.is_set("repo_url_file")) {
            // Each project has a mirror of its own.
            raw.forget("repo_dir");
        }
        for (option, value) in settings {
            let value = match raw.get(option) {
                Some(before) if ADDED.contains(option) => format!("{before}, {value}"),
                _ => (*value).to_owned(),
            };
            raw.set_for_project(option, &value, name)?;
        }
        let mut config = Self::resolve_in(&raw, Some(id), Some(self))?;
        // Mails of all projects have one sender.
        config.smtp = self.smtp.clone();
        if !settings.iter().any(|(option, _)| *option == "repo_fetch_interval") {
            config.mirror = self.mirror;
        }
        config.raw = self.raw.clone();
        Ok(config)
    }
}

impl Config {
    /// Whether its mirror is that of another configuration.
    pub fn has_repository_of(&self, other: &Self) -> bool {
        let pattern = |config: &Self| config.branch_pattern.as_ref().map(|p| p.as_str().to_owned());
        self.repository == other.repository
            && pattern(self) == pattern(other)
            && self.submodules == other.submodules
            && self.ignore_revs == other.ignore_revs
            && self.shown.get("automation_patterns") == other.shown.get("automation_patterns")
            && self.mirror == other.mirror
    }
}

/// The folder that holds the mirrors of a project.
pub(super) fn project_folder(data_dir: &Path, project: Option<ProjectId>) -> PathBuf {
    match project {
        None | Some(DEFAULT_PROJECT) => data_dir.to_owned(),
        Some(id) => data_dir.join("projects").join(id.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::OPTIONS;
    use flawless_git::Source;

    use super::*;

    fn server() -> Config {
        let text = "[flawless]\nrepo_url = https://git.example.com/shop.git\nrepo_dir = /srv/m\n\
                    repo_branch_pattern = release-\nreport_error_threshold = 7\nredact_names = a\n\
                    smtp_from = errors@example.com\ndata_dir_path = /data\n";
        Config::resolve(&RawConfig::parse(text, "f.cfg").expect("valid")).expect("valid")
    }

    fn source(config: &Config) -> (String, PathBuf) {
        match config.repository.clone().expect("a repository") {
            Source::Clone { url, dir } => (url, dir),
            Source::Folder(folder) => (String::new(), folder),
        }
    }

    #[test]
    fn every_option_of_projects_is_an_option() {
        for name in PROJECT_OPTIONS.iter().flat_map(|topic| topic.options) {
            assert!(OPTIONS.iter().any(|option| option.name == *name), "{name}");
        }
    }

    #[test]
    fn project_has_its_own_values_and_the_rest_of_the_configuration() {
        let settings = [("report_error_threshold", "1"), ("redact_names", "b")];
        let config = server().of_project(2, "pay", &settings).expect("valid");
        assert_eq!(config.error_threshold, 1);
        assert_eq!(config.set_at["report_error_threshold"], "project pay: report_error_threshold");
        assert_eq!(config.redaction.rules.extra_names, ["a", "b"]);
        let url = "https://git.example.com/shop.git".to_owned();
        assert_eq!(source(&config), (url.clone(), "/data/projects/2/mirror.git".into()));
        assert!(config.branch_pattern.is_some());
        let first = server().of_project(DEFAULT_PROJECT, "default", &[]).expect("valid");
        assert_eq!(source(&first), (url, "/srv/m".into()));
    }

    #[test]
    fn project_with_its_own_repository_takes_nothing_that_describes_another() {
        let settings = [("repo_url", "https://git.example.com/pay.git")];
        let config = server().of_project(2, "pay", &settings).expect("valid");
        assert_eq!(
            source(&config),
            ("https://git.example.com/pay.git".into(), "/data/projects/2/mirror.git".into())
        );
        assert!(config.branch_pattern.is_none());
        let config = server().of_project(2, "pay", &[("repo_dir", "/srv/pay")]).expect("valid");
        assert_eq!(source(&config), (String::new(), "/srv/pay".into()));
        let config = server().of_project(2, "pay", &[("repo_url", "")]).expect("valid");
        assert!(config.repository.is_none(), "it says that it has none");
    }

    #[test]
    fn sender_of_mails_is_the_servers() {
        let settings = [("email_domain_name", "pay.example.com")];
        let config = server().of_project(2, "pay", &settings).expect("valid");
        assert_eq!(config.smtp.from, "errors@example.com");
        assert_eq!(config.addresses.domain, "pay.example.com");
    }

    #[test]
    fn wrong_setting_names_the_project_and_the_option() {
        let error = |settings: &[(&str, &str)]| {
            server().of_project(2, "pay", settings).expect_err("wrong").to_string()
        };
        let text = error(&[("report_error_threshold", "x")]);
        assert!(text.starts_with("project pay: report_error_threshold: \"x\" is not"), "{text}");
        let text = check_project_option("http_port").expect_err("the server's").to_string();
        assert!(text.contains("a project cannot set this option"), "{text}");
        let text = check_project_option("repo_urll").expect_err("unknown").to_string();
        assert!(text.contains("Did you mean repo_url?"), "{text}");
    }
}
