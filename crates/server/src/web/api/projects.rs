//! Projects, and the keys with which programs report to them.
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::caller::Caller;
use super::problem::Problem;
use super::time::Time;
use crate::app::App;
use crate::project::keys::working;
use flawless_core::Role;

/// All projects.
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
    /// The keys with which programs report and that work, oldest first; null for readers.
    keys: Option<Vec<String>>,
    /// The DSN that programs are given: address and key in one; null for readers.
    dsn: Option<String>,
}

/// The projects
#[utoipa::path(get, path = "/projects", tag = "projects",
    responses((status = 200, body = Projects)))]
pub(super) async fn list(
    caller: Caller,
    State(app): State<App>,
) -> Result<Answer<Projects>, Problem> {
    let sees_keys = caller.is(Role::Developer);
    let row = &app.project.row;
    let keys = || working(&app.project.keys).map(|key| key.secret.reveal().to_owned()).collect();
    let project = Project {
        id: row.id,
        name: row.name.clone(),
        created_at: Time(row.created_at),
        keys: sees_keys.then(keys),
        dsn: app.dsn().filter(|_| sees_keys),
    };
    Ok(Answer::ok(Projects { projects: vec![project] }))
}
