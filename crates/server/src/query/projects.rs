//! The projects at a glance: how many issues each has, whether they become more, and whether it
//! works; and where each of its options is set.
use std::collections::HashMap;

use flawless_base::plural::counted;
use flawless_base::remembered::Remembered;
use flawless_git::hide_credentials;
use flawless_store::{ProjectId, ProjectWeeks, StoreError};

use crate::app::App;
use crate::attribution::Repo;
use crate::config::{PROJECT_OPTIONS, find_option, for_administrators_of_all};

/// A project at a glance.
#[derive(Debug, Clone)]
pub struct ProjectGlance {
    /// Its name.
    pub name: String,
    /// Its first page.
    pub url: String,
    /// Issues that occurred within the last seven days, and within the seven days before.
    pub issues: (i64, i64),
    /// Occurrences within the last seven days, and within the seven days before.
    pub occurrences: (i64, i64),
    /// What needs attention; `None`: it works.
    pub problem: Option<String>,
    /// Whether it is archived.
    pub is_archived: bool,
}

/// The weeks of all projects, as last read.
#[derive(Debug, Default)]
pub struct WeeksMemory(Remembered<HashMap<ProjectId, ProjectWeeks>>);

const HOUR_MS: i64 = 3_600_000;
const WEEK_MS: i64 = 7 * 24 * HOUR_MS;
/// How long the weeks are remembered: counting all hours of all projects takes a while.
const REMEMBERED_MS: i64 = 30_000;

/// These projects at a glance, those that need attention first.
///
/// # Errors
/// The store cannot be read.
pub async fn glances(memory: &WeeksMemory, apps: &[App]) -> Result<Vec<ProjectGlance>, StoreError> {
    let Some(first) = apps.first() else { return Ok(Vec::new()) };
    let now = first.clock.now();
    let read = async {
        let week = now - WEEK_MS;
        let weeks = first.store.project_weeks(week - WEEK_MS, week).await?;
        let weeks = weeks.into_iter().map(|weeks| (weeks.project_id, weeks)).collect();
        Ok::<_, StoreError>(weeks)
    };
    let weeks: HashMap<ProjectId, ProjectWeeks> =
        memory.0.get_or_try(now, |_| REMEMBERED_MS, read).await?;
    let mut queues: HashMap<ProjectId, (i64, i64)> = HashMap::new();
    for (project, waiting, deferred) in first.store.project_queues().await? {
        queues.insert(project, (waiting, deferred));
    }
    let glance = |app: &App| {
        let weeks = weeks.get(&app.project_id()).copied().unwrap_or_default();
        let queue = queues.get(&app.project_id()).copied().unwrap_or_default();
        ProjectGlance {
            name: app.project.name().to_owned(),
            url: format!("{}/", app.root),
            issues: (weeks.issues, weeks.issues_before),
            occurrences: (weeks.occurrences, weeks.occurrences_before),
            problem: problem(app, queue),
            is_archived: app.project.row.archived_at.is_some(),
        }
    };
    let mut glances: Vec<ProjectGlance> = apps.iter().map(glance).collect();
    glances.sort_by_key(|glance| (glance.is_archived, glance.problem.is_none()));
    Ok(glances)
}

/// More reports than this wait only when something holds them up.
const MANY_WAIT: i64 = 1_000;

fn problem(app: &App, (waiting, deferred): (i64, i64)) -> Option<String> {
    if app.project.row.archived_at.is_some() {
        return None;
    }
    let state = app.repo.get();
    match (&state.repo, &state.failing) {
        (Repo::None, _) => return Some("no repository: nobody can be blamed".to_owned()),
        (Repo::Failed(why), _) => return Some(format!("the repository cannot be read: {why}")),
        (_, Some((_, why))) => return Some(format!("the repository cannot be fetched: {why}")),
        _ => {}
    }
    if deferred > 0 {
        return Some(format!("{} nobody", counted(deferred, "alert reaches", "alerts reach")));
    }
    (waiting > MANY_WAIT).then(|| counted(waiting, "report waits", "reports wait"))
}

/// An option of a project.
#[derive(Debug, Clone)]
pub struct ShownSetting {
    /// Its name.
    pub name: &'static str,
    /// What it and its neighbours are about.
    pub topic: &'static str,
    /// What it does.
    pub description: &'static str,
    /// Its value, secrets hidden.
    pub value: String,
    /// Whether the project sets it itself.
    pub is_own: bool,
    /// What the project sets, as it was typed; `None` when that hides a secret, or is not set.
    pub typed: Option<String>,
    /// Where the value is from, in words.
    pub place: String,
    /// Whether only who administers all projects may set it.
    pub for_administrators_of_all: bool,
}

/// The place of a value that nobody has set.
const BUILT_IN: &str = "default value";

/// The options of a project, in the order of display.
pub fn settings(app: &App) -> Vec<ShownSetting> {
    let shown = |topic: &'static str, name: &'static str| {
        let set = &app.project.settings;
        let is_own = set.iter().any(|set| set.option.trim_end_matches("_file") == name);
        let place = match app.config.set_at.get(name) {
            _ if is_own => "the project".to_owned(),
            Some(place) if place != name => place.trim_end_matches(&format!(": {name}")).to_owned(),
            _ => BUILT_IN.to_owned(),
        };
        ShownSetting {
            name,
            topic,
            description: find_option(name).map_or("", |option| option.description),
            value: app.config.shown.get(name).cloned().unwrap_or_default(),
            is_own,
            typed: set
                .iter()
                .find(|set| set.option == name && hide_credentials(&set.value) == set.value)
                .map(|set| set.value.clone()),
            place,
            for_administrators_of_all: for_administrators_of_all(name),
        }
    };
    let named =
        PROJECT_OPTIONS.iter().flat_map(|of| of.options.iter().map(|name| (of.topic, *name)));
    named.map(|(topic, name)| shown(topic, name)).collect()
}
