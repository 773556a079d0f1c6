//! A file of projects, as `flawless projects apply` reads it: one section for each project, with
//! its options in the dialect of flawless.cfg.
use std::collections::BTreeMap;

use super::error::ConfigError;
use super::ini::{Line, interpolate, lines};
use super::of_project::check_project_option;

/// A project as the file describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectSection {
    /// The title of the section.
    pub name: String,
    /// The options that it sets.
    pub settings: BTreeMap<String, String>,
    /// `archived`, which is not an option of flawless.cfg.
    pub is_archived: bool,
    /// Where the section begins, as `file:line`.
    pub location: String,
}

/// Whether the project is archived.
const ARCHIVED: &str = "archived";

/// Reads the text of a file, which messages call `name`.
///
/// # Errors
/// It is not an INI file, names a project twice, or sets an option that projects do not have.
pub fn read_projects(text: &str, name: &str) -> Result<Vec<ProjectSection>, ConfigError> {
    let mut projects: Vec<ProjectSection> = Vec::new();
    let mut current = String::new();
    for (number, (_, line)) in (1..).zip(lines(text)) {
        let location = format!("{name}:{number}");
        let wrong =
            |problem: String, hint: &str| Err(ConfigError::new(location.clone(), problem, hint));
        match (line, projects.last_mut()) {
            (Line::Silent, _) => {}
            (Line::Section(Some(title)), _) => {
                if let Some(before) = projects.iter().find(|project| project.name == title) {
                    let problem = format!("[{title}] was already at {}", before.location);
                    return wrong(problem, "Remove one of them.");
                }
                let (settings, is_archived) = Default::default();
                let name = title.to_owned();
                projects.push(ProjectSection { name, settings, is_archived, location });
            }
            (Line::Section(None), _) => {
                return wrong("a section without its ]".to_owned(), "Write [NAME].");
            }
            (Line::Unreadable(text), _) => {
                return wrong(format!("{text:?} is not an option"), "Write it as: option = value.");
            }
            (Line::Option(..) | Line::Continued(_), None) => {
                let hint = "Begin with the project's name in brackets, like [shop].";
                return wrong("an option before any project".to_owned(), hint);
            }
            (Line::Option(key, value), Some(project)) => {
                if key != ARCHIVED {
                    check_project_option(&key)
                        .map_err(|error| ConfigError { location: location.clone(), ..error })?;
                }
                if project.settings.insert(key.clone(), value.to_owned()).is_some() {
                    return wrong(format!("{key} was already set above"), "Remove one of them.");
                }
                current = key;
            }
            (Line::Continued(more), Some(project)) => {
                if let Some(value) = project.settings.get_mut(&current) {
                    value.push('\n');
                    value.push_str(more);
                }
            }
        }
    }
    for project in &mut projects {
        let typed = project.settings.clone();
        for value in project.settings.values_mut() {
            *value = interpolate(value, |name| typed.get(name).map(String::as_str));
        }
        if let Some(value) = project.settings.remove(ARCHIVED) {
            project.is_archived = match value.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => true,
                "false" | "no" | "off" | "0" | "" => false,
                other => {
                    let problem = format!("archived: {other:?} is not a boolean");
                    let location = project.location.clone();
                    return Err(ConfigError::new(location, problem, "Write True or False."));
                }
            };
        }
    }
    Ok(projects)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_section_is_a_project() {
        let text = "# ours\n[shop]\nrepo_url = git@example.com:shop.git\npath_prefixes = /a,\n  /b\n\
                    [pay]\narchived = yes\n";
        let read = read_projects(text, "p.cfg").expect("valid");
        let shop = [("path_prefixes", "/a,\n/b"), ("repo_url", "git@example.com:shop.git")];
        let settings: Vec<_> =
            read[0].settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!((read[0].name.as_str(), settings), ("shop", shop.to_vec()));
        assert_eq!(read[1].location, "p.cfg:6");
        assert!(read[1].is_archived && read[1].settings.is_empty() && !read[0].is_archived);
    }

    #[test]
    fn mistake_is_named_with_its_line() {
        for (text, problem) in [
            ("repo_url = x", "p.cfg:1: an option before any project"),
            ("[a]\n[a]", "p.cfg:2: [a] was already at p.cfg:1"),
            ("[a]\nport = 1", "p.cfg:2: a project cannot set this option"),
            ("[a]\nrepo_urll = 1", "p.cfg:2: unknown option \"repo_urll\". Did you mean repo_url?"),
            ("[a]\nrepo_url = 1\nrepo_url = 2", "p.cfg:3: repo_url was already set above"),
            ("[a]\narchived = perhaps", "p.cfg:1: archived: \"perhaps\" is not a boolean"),
            ("[a\n", "p.cfg:1: a section without its ]"),
        ] {
            let error = read_projects(text, "p.cfg").expect_err(text).to_string();
            assert!(error.starts_with(problem), "{error}");
        }
    }
}
