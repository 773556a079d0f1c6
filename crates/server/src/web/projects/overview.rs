//! `/projects`: all projects that the visitor may see.
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use crate::app::App;
use crate::query::QueryMemory;
use crate::query::projects::{ProjectGlance, glances};
use crate::web::layout::page::{PageError, not_found, page};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "projects/overview.html")]
struct Page {
    context: PageContext,
    projects: Vec<ProjectGlance>,
}

pub(crate) async fn show(
    context: PageContext,
    State(memory): State<Arc<QueryMemory>>,
) -> Result<Response, PageError> {
    let seen = match (&context.visitor, &context.refused) {
        (Some(visitor), _) => &visitor.projects,
        (None, Some(refused)) => &refused.projects,
        (None, None) => return Ok(not_found(context).await),
    };
    let apps: Vec<App> = seen.iter().map(|(app, _)| app.clone()).collect();
    let projects = glances(&memory.project_weeks, &apps).await?;
    Ok(page(&Page { context, projects }))
}
