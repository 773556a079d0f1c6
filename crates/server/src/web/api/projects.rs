//! Projects: what each sets itself, and the keys with which programs report to it.
use std::collections::BTreeMap;

use axum::extract::State;
use flawless_core::Role;
use flawless_store::KeyRow;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::answer::Answer;
use super::caller::{Caller, KnownCaller};
use super::input::{At, Json};
use super::problem::Problem;
use super::time::Time;
use crate::actions::projects as actions;
use crate::actions::projects::{ProjectError, Setting};
use crate::app::App;
use crate::project::keys::working;
use crate::query::projects::settings;

/// All projects that the caller may see.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Projects {
    projects: Vec<Project>,
}

/// A code base with its repository and its rules.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Project {
    id: i64,
    name: String,
    created_at: Time,
    /// Since when its reports are refused; null: it is in use.
    archived_at: Option<Time>,
    /// The address of its API, which is that of this server for the first project.
    api: String,
    /// The keys with which programs report and that work, oldest first; null for readers.
    keys: Option<Vec<String>>,
    /// The DSN that programs are given: address and key in one; null for readers.
    dsn: Option<String>,
}

/// A project with its options.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProjectDetails {
    #[serde(flatten)]
    project: Project,
    /// Each option that projects may set, by name.
    settings: BTreeMap<&'static str, Value>,
    /// All keys, the oldest first; null for others than administrators.
    all_keys: Option<Vec<Key>>,
}

/// The value of an option.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SettingValue)]
pub(super) struct Value {
    /// As in flawless.cfg; credentials are hidden.
    value: String,
    /// Where it is set: `the project`, a place in flawless.cfg, or `default value`.
    set_at: String,
}

/// A key of a project.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ProjectKey)]
pub(super) struct Key {
    id: i64,
    key: String,
    label: String,
    created_at: Time,
    /// Since when it is refused; null: it works.
    disabled_at: Option<Time>,
}

/// A project to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewProject {
    /// At most 50 lower-case letters, digits, `-`, `_` and `.`, beginning with a letter.
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_.-]*$")]
    name: String,
    /// Options that it sets itself, with their values as in flawless.cfg.
    #[serde(default)]
    settings: BTreeMap<String, String>,
}

/// What to change of a project; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProjectChange {
    #[schema(min_length = 1, max_length = 50, pattern = "^[a-z][a-z0-9_.-]*$")]
    name: Option<String>,
    /// Options to set; null: the value of flawless.cfg holds again.
    #[serde(default)]
    settings: BTreeMap<String, Option<String>>,
    /// Whether its reports are refused.
    archived: Option<bool>,
}

/// A key to add.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewKey {
    /// What people call it.
    #[serde(default)]
    #[schema(max_length = 60)]
    label: String,
}

/// What to change of a key.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct KeyChange {
    /// Whether reports with it are refused.
    disabled: bool,
}

impl From<ProjectError> for Problem {
    fn from(error: ProjectError) -> Self {
        match error {
            ProjectError::Store(error) => error.into(),
            ProjectError::NotAllowed => Self::forbidden(&error.to_string()),
            ProjectError::NoSuchKey => Self::not_found(&error.to_string()),
            ProjectError::Taken(_)
            | ProjectError::First
            | ProjectError::LastKey
            | ProjectError::Gone => Self::conflict(&error.to_string()),
            error => Self::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
        }
    }
}

fn body(app: &App, role: Role) -> Project {
    let (row, sees_keys) = (&app.project.row, role >= Role::Developer);
    let keys = || working(&app.project.keys).map(|key| key.secret.reveal().to_owned()).collect();
    Project {
        id: row.id,
        name: row.name.clone(),
        created_at: Time(row.created_at),
        archived_at: row.archived_at.map(Time),
        api: format!("{}/api/v1", app.base_url),
        keys: sees_keys.then(keys),
        dsn: app.dsn().filter(|_| sees_keys),
    }
}

fn details(app: &App, role: Role) -> ProjectDetails {
    let value = |set: crate::query::projects::ShownSetting| {
        (set.name, Value { value: set.value, set_at: set.place })
    };
    let keys = || app.project.keys.iter().map(key_body).collect();
    ProjectDetails {
        project: body(app, role),
        settings: settings(app).into_iter().map(value).collect(),
        all_keys: (role >= Role::Administrator).then(keys),
    }
}

fn key_body(key: &KeyRow) -> Key {
    Key {
        id: key.id,
        key: key.secret.reveal().to_owned(),
        label: key.label.clone(),
        created_at: Time(key.created_at),
        disabled_at: key.disabled_at.map(Time),
    }
}

/// The project with this name that the caller may see, and the caller's role in it.
fn named(caller: &Caller, name: &str) -> Result<(App, Role), Problem> {
    let id = name.parse::<i64>().ok();
    let is = |(app, _): &&(App, Role)| app.project.name() == name || Some(app.project_id()) == id;
    caller
        .projects()
        .iter()
        .find(is)
        .cloned()
        .ok_or_else(|| Problem::not_found("There is no project with this name that you may see."))
}

/// The same, if the caller administers it.
fn administered(caller: &Caller, name: &str) -> Result<App, Problem> {
    match named(caller, name)? {
        (app, Role::Administrator) => Ok(app),
        (_, role) => Err(Problem::forbidden(&format!(
            "This requires the role administrator in the project, but {} has the role {role}.",
            caller.name()
        ))),
    }
}

/// The project after a change.
async fn changed(app: &App, role: Role) -> Result<ProjectDetails, Problem> {
    if let Err(error) = app.projects.refresh().await {
        tracing::error!(%error, "projects could not be read; they are read again soon");
    }
    Ok(details(&app.now(), role))
}

/// The projects
#[utoipa::path(get, path = "/projects", tag = "projects",
    responses((status = 200, body = Projects)))]
pub(super) async fn list(caller: KnownCaller) -> Result<Answer<Projects>, Problem> {
    let projects = caller.projects().iter().map(|(app, role)| body(app, *role)).collect();
    Ok(Answer::ok(Projects { projects }))
}

/// Make a project
///
/// Requires the role administrator in all projects.
#[utoipa::path(post, path = "/projects", tag = "projects", request_body = NewProject,
    responses((status = 201, body = ProjectDetails, headers(("location" = String)))))]
pub(super) async fn add(
    caller: Caller,
    State(app): State<App>,
    Json(new): Json<NewProject>,
) -> Result<Answer<ProjectDetails>, Problem> {
    let settings: Vec<Setting> =
        new.settings.into_iter().map(|(name, value)| (name, Some(value))).collect();
    let id = actions::add(&app, caller.actor(), &new.name, &settings).await?;
    if let Err(error) = app.projects.refresh().await {
        tracing::error!(%error, "projects could not be read; they are read again soon");
    }
    let gone = || Problem::not_found("The project was just removed.");
    let made = app.projects.get(id).ok_or_else(gone)?;
    let location = format!("{}/api/v1/projects/{}", app.server_url, new.name);
    Ok(Answer::created(details(&made, Role::Administrator), location))
}

/// One project, by its name or number
#[utoipa::path(get, path = "/projects/{project}", tag = "projects",
    params(("project" = String, Path)), responses((status = 200, body = ProjectDetails)))]
pub(super) async fn show(
    caller: Caller,
    At(name): At<String>,
) -> Result<Answer<ProjectDetails>, Problem> {
    let (app, role) = named(&caller, &name)?;
    Ok(Answer::ok(details(&app, role)))
}

/// Change a project
///
/// Requires the role administrator in the project. Options that name files of the server require it
/// in all projects.
#[utoipa::path(patch, path = "/projects/{project}", tag = "projects",
    params(("project" = String, Path)), request_body = ProjectChange,
    responses((status = 200, body = ProjectDetails)))]
pub(super) async fn change(
    caller: Caller,
    At(name): At<String>,
    Json(change): Json<ProjectChange>,
) -> Result<Answer<ProjectDetails>, Problem> {
    let app = administered(&caller, &name)?;
    let settings: Vec<Setting> = change.settings.into_iter().collect();
    let was_archived = app.project.row.archived_at.is_some();
    let change = actions::Change {
        settings: &settings,
        name: change.name.as_deref().filter(|name| *name != app.project.name()),
        archived: change.archived.filter(|archived| *archived != was_archived),
    };
    actions::change(&app, caller.actor(), change).await?;
    Ok(Answer::ok(changed(&app, Role::Administrator).await?))
}

/// What was removed.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RemovedProject {
    id: i64,
    name: String,
    /// Issues that went with it.
    issues: i64,
}

/// Remove a project with everything that belongs to it
///
/// Requires the role administrator in all projects.
#[utoipa::path(delete, path = "/projects/{project}", tag = "projects",
    params(("project" = String, Path)), responses(
        (status = 200, body = RemovedProject),
        (status = 409, description = "It is the first project, which cannot be removed.",
            body = Problem, content_type = "application/problem+json")))]
pub(super) async fn remove(
    caller: Caller,
    At(name): At<String>,
) -> Result<Answer<RemovedProject>, Problem> {
    let app = administered(&caller, &name)?;
    let issues = app.store.project_size().await?.issues;
    actions::remove(&app, caller.actor()).await?;
    if let Err(error) = app.projects.refresh().await {
        tracing::error!(%error, "projects could not be read; they are read again soon");
    }
    let (id, name) = (app.project_id(), app.project.name().to_owned());
    Ok(Answer::ok(RemovedProject { id, name, issues }))
}

/// Add a key to a project
#[utoipa::path(post, path = "/projects/{project}/keys", tag = "projects",
    params(("project" = String, Path)), request_body = NewKey,
    responses((status = 200, body = ProjectDetails)))]
pub(super) async fn add_key(
    caller: Caller,
    At(name): At<String>,
    Json(new): Json<NewKey>,
) -> Result<Answer<ProjectDetails>, Problem> {
    let app = administered(&caller, &name)?;
    actions::add_key(&app, caller.actor(), &new.label).await?;
    Ok(Answer::ok(changed(&app, Role::Administrator).await?))
}

/// Switch a key of a project off or on
#[utoipa::path(patch, path = "/projects/{project}/keys/{id}", tag = "projects",
    params(("project" = String, Path), ("id" = i64, Path, minimum = 1)),
    request_body = KeyChange, responses((status = 200, body = ProjectDetails)))]
pub(super) async fn change_key(
    caller: Caller,
    At((name, id)): At<(String, i64)>,
    Json(change): Json<KeyChange>,
) -> Result<Answer<ProjectDetails>, Problem> {
    let app = administered(&caller, &name)?;
    actions::disable_key(&app, caller.actor(), id, change.disabled).await?;
    Ok(Answer::ok(changed(&app, Role::Administrator).await?))
}
