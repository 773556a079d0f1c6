//! `/new_project`: makes a project.
use askama::Template;
use axum::extract::{Form, State};
use axum::response::Response;
use serde::Deserialize;

use super::{refresh, refused};
use crate::actions::projects::{ProjectError, add};
use crate::app::App;
use crate::web::layout::page::{PageError, page};
use crate::web::layout::visitor::PageContext;
use crate::web::to_top;

#[derive(Template)]
#[template(path = "projects/add.html")]
struct Page {
    context: PageContext,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    name: String,
    repo_url: String,
    default_contact: String,
}

pub(crate) async fn show(context: PageContext) -> Result<Response, PageError> {
    if !context.administers_all() {
        return refused(context, ProjectError::NotAllowed);
    }
    Ok(page(&Page { context }))
}

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let typed = [("repo_url", &fields.repo_url), ("default_contact", &fields.default_contact)];
    let settings: Vec<_> = typed
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.trim()))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, Some(value.to_owned())))
        .collect();
    let id = match add(&app, context.actor(), fields.name.trim(), &settings).await {
        Ok(id) => id,
        Err(error) => return refused(context, error),
    };
    refresh(&app).await;
    let root = app.projects.get(id).map(|made| made.root).unwrap_or_default();
    Ok(to_top(&format!("{root}/setup")))
}
