//! `/actions/ID/undo`: undoes an action.
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_store::ActionRow;

use super::done::{not_done, to_done};
use crate::actions::{Undo, undo};
use crate::app::App;
use crate::show::links;
use crate::web::auth::access::not_allowed;
use crate::web::layout::page::{PageError, message};
use crate::web::layout::visitor::PageContext;

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let action = match id.parse() {
        Ok(id) => app.store.action(id).await?,
        Err(_) => None,
    };
    let Some(action) = action else {
        let text = "There is no action with this number. Actions are kept for a year.";
        return Ok(message(context, StatusCode::NOT_FOUND, "Not found", text));
    };
    let way_back = Undo::of(&app, action.id).await?;
    if let Some(role) = action.undo_needs()
        && !context.has(role)
    {
        return Ok(not_allowed(context, role));
    }
    match undo(&app, context.actor(), action.id).await {
        Ok(done) => Ok(to_done(&page_of(&action, way_back.as_ref()), &done)),
        Err(error) => not_done(context, error),
    }
}

/// The page where the action was done.
fn page_of(action: &ActionRow, way_back: Option<&Undo>) -> String {
    match (action.issue_id, way_back) {
        (Some(issue), _) => links::issue("", issue),
        (None, Some(Undo::Mails { address, .. })) => links::person("", address),
        (None, Some(Undo::Role { .. })) => "/people/roles".to_owned(),
        (None, way_back) => match way_back.and_then(Undo::list) {
            Some(list) => format!("/rules/{list}"),
            None => "/actions".to_owned(),
        },
    }
}
