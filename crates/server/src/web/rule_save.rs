//! Adds one rule from a form: what all forms do alike.
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;

use super::layout::{PageError, form_problem, page_with};
use crate::state::Shared;
use crate::store::RuleList;

/// Adds `entry` to `list`, lets it count at once, and leads to the list. What cannot be added
/// comes back as the form that `form` makes of the sentence about the problem.
pub(super) async fn save<F: Template>(
    shared: &Shared,
    list: RuleList,
    entry: &Value,
    form: impl FnOnce(String) -> F,
) -> Result<Response, PageError> {
    let mut tx = shared.store.write().await?;
    if let Err(error) = tx.add_rule(list, entry, shared.clock.now()).await {
        return Ok(not_taken(&form(form_problem(error)?)));
    }
    tx.commit().await?;
    shared.rules.refresh(&shared.store).await?;
    let to = format!("/view_config?key={}", list.as_str());
    Ok(Redirect::to(&to).into_response())
}

/// A form that comes back.
pub(super) fn not_taken(form: &impl Template) -> Response {
    page_with(StatusCode::UNPROCESSABLE_ENTITY, form)
}
