//! What people do to projects: from the command line, pages and the API alike. Each change is
//! recorded in the project, in the transaction that makes it.
use flawless_base::text::one_line;
use flawless_core::Role;
use flawless_store::{DEFAULT_PROJECT, KeyRow, NewAction, ProjectId, StoreError};

use super::Actor;
use crate::app::App;
use crate::config::{ConfigError, check_project_option, for_administrators_of_all};
use crate::project::keys::{KeyError, random_key, working};
use crate::project::named::check_name;

/// Whoever runs commands on the server's machine.
pub const COMMAND_LINE: Actor<'_> = Actor {
    name: "the command line",
    role: Role::Administrator,
    role_in_all: Some(Role::Administrator),
};

/// An option with its value; `None`: that of the configuration holds again.
pub type Setting = (String, Option<String>);

/// Why a project was not changed; nothing was.
#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    /// A project cannot have this name.
    #[error("{0}")]
    Name(String),
    /// Another project has the name.
    #[error("there is a project {0:?} already: choose another name")]
    Taken(String),
    /// An option or its value is wrong.
    #[error(transparent)]
    Setting(#[from] ConfigError),
    /// Somebody removed it.
    #[error("the project was just removed")]
    Gone,
    /// The first project stays.
    #[error(
        "the first project cannot be removed: reports without a key and addresses without a \
         project lead to it. Archive it instead"
    )]
    First,
    /// The last key that works cannot be switched off.
    #[error("it is the only key of the project that works: add another one first")]
    LastKey,
    /// The label of a key is too long.
    #[error("a label has at most {MAX_LABEL} characters in one line")]
    Label,
    /// The project has no key with this number.
    #[error("the project has no such key")]
    NoSuchKey,
    /// No key works that could be replaced.
    #[error("no key works that could be replaced: add one")]
    NoKey,
    /// It concerns the server, not only a project.
    #[error(
        "this concerns the whole server, so it requires the role administrator for all projects"
    )]
    NotAllowed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key cannot be made.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Longer values of options are refused.
const MAX_VALUE: usize = 20_000;
/// Longer labels of keys are refused.
const MAX_LABEL: usize = 60;

/// Makes a project with a key and these settings; returns its number.
///
/// # Errors
/// Its name or a setting is wrong.
pub async fn add(
    app: &App,
    actor: Actor<'_>,
    name: &str,
    settings: &[Setting],
) -> Result<ProjectId, ProjectError> {
    must_administer_all(actor)?;
    check_name(name).map_err(ProjectError::Name)?;
    let set = settings.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)));
    let set: Vec<(&str, &str)> = set.collect();
    check_settings(app, ProjectId::MAX, name, &set)?;
    let key = random_key().map_err(KeyError::Random)?;
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    let Some(id) = tx.add_project(name, now).await? else {
        return Err(ProjectError::Taken(name.to_owned()));
    };
    tx.add_key(&key, "", now).await?;
    for (option, value) in set {
        tx.set_option(option, Some(value), now, actor.name).await?;
    }
    tx.add_action(&action(actor, "add_project", format!("the project {name} was made")), now)
        .await?;
    tx.commit().await?;
    Ok(id)
}

/// What to change of a project; what is left out stays.
#[derive(Debug, Clone, Copy, Default)]
pub struct Change<'a> {
    /// Options, with their new values.
    pub settings: &'a [Setting],
    /// Another name.
    pub name: Option<&'a str>,
    /// Whether its reports are refused.
    pub archived: Option<bool>,
}

/// Changes the project, all or nothing; returns the names of the options that changed.
///
/// # Errors
/// An option belongs to the server, a value or the name is wrong, or the name is taken.
pub async fn change<'a>(
    app: &App,
    actor: Actor<'_>,
    change: Change<'a>,
) -> Result<Vec<&'a str>, ProjectError> {
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    if !tx.has_project().await? {
        return Err(ProjectError::Gone);
    }
    let mut all: Vec<(String, String)> = Vec::new();
    for known in tx.settings().await? {
        if !change.settings.iter().any(|(name, _)| *name == known.option) {
            all.push((known.option, known.value));
        }
    }
    for (name, value) in change.settings {
        check_project_option(name)?;
        if for_administrators_of_all(name) {
            must_administer_all(actor)?;
        }
        all.extend(value.clone().map(|value| (name.clone(), value)));
    }
    let name = change.name.unwrap_or(app.project.name());
    let set: Vec<(&str, &str)> =
        all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    check_settings(app, app.project_id(), name, &set)?;
    let mut said = Vec::new();
    if let Some(name) = change.name {
        check_name(name).map_err(ProjectError::Name)?;
        if !tx.rename_project(name).await? {
            return Err(ProjectError::Taken(name.to_owned()));
        }
        let what = format!("the project {} was renamed to {name}", app.project.name());
        said.push(action(actor, "rename_project", what));
    }
    let mut changed = Vec::new();
    for (name, value) in change.settings {
        if tx.set_option(name, value.as_deref(), now, actor.name).await? {
            changed.push(name.as_str());
            let what = match value {
                Some(_) => format!("the project's {name} was set"),
                None => format!("the project's {name} is that of the configuration again"),
            };
            said.push(action(actor, "set_option", what));
        }
    }
    if let Some(is_archived) = change.archived {
        tx.set_archived(is_archived.then_some(now)).await?;
        let what = match is_archived {
            true => "the project was archived",
            false => "the project is in use again",
        };
        said.push(action(actor, "archive_project", what.to_owned()));
    }
    for action in &said {
        tx.add_action(action, now).await?;
    }
    tx.commit().await?;
    Ok(changed)
}

/// Sets options of the project; returns the names of those that changed.
///
/// # Errors
/// As [`change`].
pub async fn set<'a>(
    app: &App,
    actor: Actor<'_>,
    settings: &'a [Setting],
) -> Result<Vec<&'a str>, ProjectError> {
    change(app, actor, Change { settings, ..Change::default() }).await
}

/// Gives the project another name.
///
/// # Errors
/// As [`change`].
pub async fn rename(app: &App, actor: Actor<'_>, name: &str) -> Result<(), ProjectError> {
    change(app, actor, Change { name: Some(name), ..Change::default() }).await.map(drop)
}

/// Refuses the project's reports from now on, or accepts them again.
///
/// # Errors
/// As [`change`].
pub async fn archive(app: &App, actor: Actor<'_>, archived: bool) -> Result<(), ProjectError> {
    let change = Change { archived: Some(archived), ..Change::default() };
    self::change(app, actor, change).await.map(drop)
}

fn must_administer_all(actor: Actor<'_>) -> Result<(), ProjectError> {
    match actor.role_in_all >= Some(Role::Administrator) {
        true => Ok(()),
        false => Err(ProjectError::NotAllowed),
    }
}

fn check_settings(
    app: &App,
    id: ProjectId,
    name: &str,
    settings: &[(&str, &str)],
) -> Result<(), ConfigError> {
    for (option, value) in settings {
        check_project_option(option)?;
        let is_plain = |c: char| !c.is_control() || c == '\n' || c == '\t';
        if value.len() > MAX_VALUE || !value.chars().all(is_plain) {
            let problem =
                format!("the value is longer than {MAX_VALUE} bytes, or is not plain text");
            return Err(ConfigError::new(
                *option,
                problem,
                "Write a shorter text in plain letters.",
            ));
        }
    }
    app.projects.config().of_project(id, name, settings).map(drop)
}

/// Removes the project with everything that belongs to it, and its mirror.
///
/// # Errors
/// It is the first project.
pub async fn remove(app: &App, actor: Actor<'_>) -> Result<(), ProjectError> {
    must_administer_all(actor)?;
    if app.project_id() == DEFAULT_PROJECT {
        return Err(ProjectError::First);
    }
    let mut tx = app.store.write().await?;
    if !tx.has_project().await? {
        return Err(ProjectError::Gone);
    }
    tx.remove_project().await?;
    // Its own actions go with it.
    tx.enter(DEFAULT_PROJECT);
    let what = format!("the project {} was removed", app.project.name());
    tx.add_action(&action(actor, "remove_project", what), app.clock.now()).await?;
    tx.commit().await?;
    Ok(())
}

/// Adds a key.
///
/// # Errors
/// The label is too long.
pub async fn add_key(app: &App, actor: Actor<'_>, label: &str) -> Result<KeyRow, ProjectError> {
    let label = label.trim();
    if label.chars().count() > MAX_LABEL || label != one_line(label, MAX_LABEL) {
        return Err(ProjectError::Label);
    }
    let secret = random_key().map_err(KeyError::Random)?;
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    if !tx.has_project().await? {
        return Err(ProjectError::Gone);
    }
    tx.add_key(&secret, label, now).await?;
    let (id, project_id, label) = (0, app.project_id(), label.to_owned());
    let key = KeyRow { id, project_id, secret, label, created_at: now, disabled_at: None };
    let what = format!("the key {} was added", key.in_short());
    tx.add_action(&action(actor, "add_key", what), now).await?;
    tx.commit().await?;
    Ok(key)
}

/// Adds a key to take the place of another one: of the one with this number, or of the newest.
/// Returns the older one, which works until it is switched off, and the new one.
///
/// # Errors
/// The project has no such key.
pub async fn rotate_key(
    app: &App,
    actor: Actor<'_>,
    id: Option<i64>,
) -> Result<(KeyRow, KeyRow), ProjectError> {
    let older = match id {
        Some(id) => app.project.keys.iter().find(|key| key.id == id),
        None => working(&app.project.keys).next_back(),
    };
    let older =
        older.ok_or(if id.is_some() { ProjectError::NoSuchKey } else { ProjectError::NoKey });
    let older = older?.clone();
    let newer = add_key(app, actor, &older.label).await?;
    Ok((older, newer))
}

/// Switches a key off, or on again.
///
/// # Errors
/// The project has no such key, or no other one works.
pub async fn disable_key(
    app: &App,
    actor: Actor<'_>,
    id: i64,
    is_disabled: bool,
) -> Result<(), ProjectError> {
    let Some(key) = app.project.keys.iter().find(|key| key.id == id) else {
        return Err(ProjectError::NoSuchKey);
    };
    let now = app.clock.now();
    let mut tx = app.store.write().await?;
    if !tx.set_key_disabled(id, is_disabled.then_some(now)).await? {
        return Err(ProjectError::LastKey);
    }
    let is = if is_disabled { "was switched off" } else { "was switched on" };
    let what = format!("the key {} {is}", key.in_short());
    tx.add_action(&action(actor, "disable_key", what), now).await?;
    tx.commit().await?;
    Ok(())
}

fn action(actor: Actor<'_>, kind: &'static str, what: String) -> NewAction {
    NewAction {
        who: actor.name.to_owned(),
        issue_id: None,
        kind,
        what,
        undo: None,
        undo_role: None,
    }
}
