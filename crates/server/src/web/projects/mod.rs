//! All projects at a glance, a form for a new one, and what one project sets itself.

pub(crate) mod add;
pub(crate) mod keys;
pub(crate) mod overview;
pub(crate) mod save;
pub(crate) mod settings;
pub(crate) mod state;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use crate::actions::projects::ProjectError;
use crate::app::App;
use crate::web::layout::page::{PageError, message};
use crate::web::layout::visitor::PageContext;

/// Leads to a page of the project after a change, or says why nothing was changed.
async fn after(
    context: PageContext,
    app: &App,
    done: Result<(), ProjectError>,
    page: &str,
) -> Result<Response, PageError> {
    if let Err(error) = done {
        return refused(context, error);
    }
    refresh(app).await;
    Ok(Redirect::to(page).into_response())
}

/// Says why nothing was changed.
fn refused(context: PageContext, error: ProjectError) -> Result<Response, PageError> {
    let (status, text) = match error {
        ProjectError::Store(error) => return Err(error.into()),
        error @ ProjectError::NotAllowed => (StatusCode::FORBIDDEN, error.to_string()),
        error => (StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
    };
    Ok(message(context, status, "Not accepted", &format!("Nothing was changed: {text}.")))
}

/// Reads the projects again, so that the next page shows the change.
async fn refresh(app: &App) {
    if let Err(error) = app.projects.refresh().await {
        tracing::error!(%error, "projects could not be read; they are read again soon");
    }
}
