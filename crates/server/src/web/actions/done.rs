//! The notice about the action just done, with its undo, and the answers to actions that failed.
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use flawless_store::ActionRow;

use crate::actions::{ActionError, Done};
use crate::app::App;
use crate::web::layout::page::{PageError, message};
use crate::web::layout::visitor::PageContext;

/// For `actions/done.html`.
pub(crate) struct DoneNotice {
    pub(crate) id: i64,
    pub(crate) what: String,
    pub(crate) can_undo: bool,
    pub(crate) issue: Option<i64>,
}

/// Whether the visitor may undo this action.
pub(crate) fn can_undo(action: &ActionRow, context: &PageContext) -> bool {
    action.undone_at.is_none() && action.undo_needs().is_some_and(|role| context.has(role))
}

/// The action that the page's parameter `done` names, unless it was undone.
pub(crate) async fn done_notice(
    app: &App,
    context: &PageContext,
) -> Result<Option<DoneNotice>, PageError> {
    let Some(id) = context.done else { return Ok(None) };
    let action = app.store.action(id).await?;
    Ok(action.filter(|action| action.undone_at.is_none()).map(|action| DoneNotice {
        id,
        can_undo: can_undo(&action, context),
        what: flawless_base::text::one_line(&action.what, 1_000),
        issue: action.issue_id,
    }))
}

/// Redirects to a page that shows the action just done.
pub(crate) fn to_done(page: &str, done: &Done) -> Response {
    let (page, anchor) = page.split_once('#').unwrap_or((page, ""));
    let mark = if page.contains('?') { '&' } else { '?' };
    let anchor = if anchor.is_empty() { String::new() } else { format!("#{anchor}") };
    Redirect::to(&format!("{page}{mark}done={}{anchor}", done.id)).into_response()
}

/// A page about an action that failed, where there is no form to show again.
pub(crate) fn not_done(context: PageContext, error: ActionError) -> Result<Response, PageError> {
    match error {
        ActionError::Field { text, .. } => {
            Ok(message(context, StatusCode::UNPROCESSABLE_ENTITY, "Not done", &text))
        }
        ActionError::NotFound(text) => {
            Ok(message(context, StatusCode::NOT_FOUND, "Not found", &text))
        }
        ActionError::Store(error) => Err(error.into()),
    }
}
