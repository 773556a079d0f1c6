//! `flawless projects apply`: makes the projects what a file says, so that their configuration can
//! be kept in git. The same file twice changes nothing.
use std::fmt::Write;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, anyhow};

use crate::actions::projects::{self, COMMAND_LINE, Change, Setting};
use crate::app::App;
use crate::cli::{ConfArgument, print};
use crate::config::{ProjectSection, read_projects};
use crate::project::named::check_name;

/// Larger files are refused.
const MAX_FILE: u64 = 4 * 1024 * 1024;

pub(super) async fn apply(
    conf: &ConfArgument,
    file: &Path,
    dry_run: bool,
) -> anyhow::Result<ExitCode> {
    let sections = read(file)?;
    let app = conf.open().await?;
    // All is checked before anything is changed.
    for section in &sections {
        check(&app, section)?;
    }
    let mut text = String::new();
    for section in &sections {
        let changes = match app.projects.named(&section.name) {
            None => add(&app, section, dry_run).await?,
            Some(known) => change(&known, section, dry_run).await?,
        };
        for change in changes {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}: {change}", section.name);
        }
    }
    app.store.close().await;
    if text.is_empty() {
        text.push_str("nothing to change\n");
    }
    print(text)
}

fn read(file: &Path) -> anyhow::Result<Vec<ProjectSection>> {
    let name = file.display().to_string();
    let input: Box<dyn Read> = match name.as_str() {
        "-" => Box::new(std::io::stdin()),
        _ => Box::new(std::fs::File::open(file).with_context(|| format!("{name} cannot be read"))?),
    };
    let mut text = String::new();
    input
        .take(MAX_FILE)
        .read_to_string(&mut text)
        .with_context(|| format!("{name} cannot be read"))?;
    let name = if name == "-" { "standard input" } else { &name };
    let mut projects = read_projects(&text, name)?;
    // A folder is one beside the file, wherever the command runs.
    let beside = std::path::absolute(file)?;
    let beside = beside.parent().unwrap_or(Path::new("/"));
    for value in projects.iter_mut().flat_map(|project| project.settings.iter_mut()) {
        if ["repo_url", "repo_dir"].contains(&value.0.as_str()) && beside.join(&*value.1).exists() {
            *value.1 = beside.join(&*value.1).display().to_string();
        }
    }
    Ok(projects)
}

fn check(app: &App, section: &ProjectSection) -> anyhow::Result<()> {
    let at = &section.location;
    check_name(&section.name).map_err(|error| anyhow!("{at}: {error}"))?;
    let id = app.projects.named(&section.name).map_or(i64::MAX, |known| known.project_id());
    let settings = section.settings.iter();
    let settings: Vec<(&str, &str)> =
        settings.map(|(option, value)| (option.as_str(), value.as_str())).collect();
    app.projects
        .config()
        .of_project(id, &section.name, &settings)
        .map_err(|error| anyhow!("{at}: {error}"))?;
    Ok(())
}

async fn add(app: &App, section: &ProjectSection, dry_run: bool) -> anyhow::Result<Vec<String>> {
    let settings: Vec<Setting> = section
        .settings
        .iter()
        .map(|(option, value)| (option.clone(), Some(value.clone())))
        .collect();
    if !dry_run {
        let id = projects::add(app, COMMAND_LINE, &section.name, &settings).await?;
        app.projects.refresh().await?;
        if section.is_archived
            && let Some(made) = app.projects.get(id)
        {
            projects::archive(&made, COMMAND_LINE, true).await?;
        }
    }
    Ok(vec!["the project is new".to_owned()])
}

async fn change(app: &App, section: &ProjectSection, dry_run: bool) -> anyhow::Result<Vec<String>> {
    let mut settings: Vec<Setting> = Vec::new();
    let mut changes = Vec::new();
    for (option, value) in &section.settings {
        let known = app.project.settings.iter().find(|known| known.option == *option);
        if known.is_none_or(|known| known.value != *value) {
            settings.push((option.clone(), Some(value.clone())));
            changes.push(format!("{option} is set"));
        }
    }
    for known in &app.project.settings {
        if !section.settings.contains_key(&known.option) {
            settings.push((known.option.clone(), None));
            changes.push(format!("{} is not set any longer", known.option));
        }
    }
    let was_archived = app.project.row.archived_at.is_some();
    if was_archived != section.is_archived {
        let what = if section.is_archived { "it is archived" } else { "it is in use again" };
        changes.push(what.to_owned());
    }
    if !dry_run {
        let archived = (was_archived != section.is_archived).then_some(section.is_archived);
        let change = Change { settings: &settings, name: None, archived };
        projects::change(app, COMMAND_LINE, change).await?;
    }
    Ok(changes)
}
