//! `/settings/rename`, `/settings/archive` and `/settings/remove`: whether the project is there,
//! and under which name.
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::{after, refresh, refused};
use crate::actions::projects::{archive, remove, rename};
use crate::app::App;
use crate::web::layout::page::{PageError, message};
use crate::web::layout::visitor::PageContext;
use crate::web::to_top;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    name: String,
    /// Not empty: the project is archived.
    archived: String,
}

pub(crate) async fn save_name(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    if let Err(error) = rename(&app, context.actor(), fields.name.trim()).await {
        return refused(context, error);
    }
    refresh(&app).await;
    // The address of the pages has the new name.
    Ok(to_top(&format!("{}/settings", app.now().root)))
}

pub(crate) async fn save_archived(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let done = archive(&app, context.actor(), !fields.archived.is_empty()).await;
    after(context, &app, done, "/settings").await
}

pub(crate) async fn remove_it(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    if fields.name.trim() != app.project.name() {
        let text = "The name that was typed is not that of this project. Nothing was removed.";
        return Ok(message(context, StatusCode::UNPROCESSABLE_ENTITY, "Not removed", text));
    }
    if let Err(error) = remove(&app, context.actor()).await {
        return refused(context, error);
    }
    refresh(&app).await;
    Ok(to_top("/projects"))
}
