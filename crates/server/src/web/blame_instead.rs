//! `/blame_instead`: another suspect is to blame. What stands before it becomes library code, so
//! that its caller is blamed from then on.
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::json;

use super::layout::{PageError, form_problem, message};
use crate::state::Shared;
use crate::store::RuleList;

#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    issue: i64,
    /// Its place among the suspects behind the blamed line, from 0.
    suspect: usize,
}

pub(super) async fn save(
    State(shared): State<Shared>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, PageError> {
    let issue = shared.store.issue(chosen.issue).await?;
    let suspects = issue.as_ref().map(|issue| issue.details().suspects).unwrap_or_default();
    let (Some(issue), true) = (issue, chosen.suspect < suspects.len()) else {
        let text = "This issue has no such suspect any more: look at its page again.";
        return Ok(message(StatusCode::NOT_FOUND, "Not found", text));
    };
    let blamed = (issue.facts.path, issue.facts.function_name, issue.facts.text);
    let before = suspects.into_iter().take(chosen.suspect);
    let before = before.map(|suspect| (suspect.path, suspect.function, suspect.text));
    let mut tx = shared.store.write().await?;
    for (filename, function_name, code_fragment) in std::iter::once(blamed).chain(before) {
        let rule = json!({
            "filename": filename,
            "function_name": function_name,
            "code_fragment": code_fragment,
        });
        if let Err(error) = tx.add_rule(RuleList::BuildingBlocks, &rule, shared.clock.now()).await {
            let problem = form_problem(error)?;
            return Ok(message(StatusCode::UNPROCESSABLE_ENTITY, "Not taken", &problem));
        }
    }
    tx.commit().await?;
    shared.rules.refresh(&shared.store).await?;
    let to = format!("/view_config?key={}", RuleList::BuildingBlocks.as_str());
    Ok(Redirect::to(&to).into_response())
}
