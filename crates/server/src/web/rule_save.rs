//! Adds one rule from a form: what all forms do alike.
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::Value;

use super::layout::{PageError, form_problem};
use crate::state::Shared;
use crate::store::RuleList;

/// What a form that was sent became.
pub(super) enum Saved {
    /// The rule is in force: go and see the list.
    Done(Response),
    /// The form comes back with this sentence.
    Problem(String),
}

/// A form that comes back was not taken.
pub(super) const PROBLEM: StatusCode = StatusCode::UNPROCESSABLE_ENTITY;

/// Adds `entry` to `list` and lets it count at once.
pub(super) async fn save(
    shared: &Shared,
    list: RuleList,
    entry: &Value,
) -> Result<Saved, PageError> {
    let mut tx = shared.store.write().await?;
    if let Err(error) = tx.add_rule(list, entry, shared.clock.now()).await {
        return Ok(Saved::Problem(form_problem(error)?));
    }
    tx.commit().await?;
    shared.rules.refresh(&shared.store).await?;
    let to = format!("/view_config?key={}", list.as_str());
    Ok(Saved::Done(Redirect::to(&to).into_response()))
}
