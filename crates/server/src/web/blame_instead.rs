//! `/blame_instead`: another suspect is to blame. What stands before it becomes library code, so
//! that its caller is blamed from then on.
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::layout::{PageError, form_problem, message};
use super::visitor::Frame;
use crate::present::one_line;
use crate::state::Shared;
use crate::store::RuleList;

#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    issue: i64,
    /// Its place among the suspects behind the blamed line, from 0.
    suspect: usize,
}

pub(super) async fn save(
    frame: Frame,
    State(shared): State<Shared>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, PageError> {
    let issue = shared.store.issue(chosen.issue).await?;
    let suspects = issue.as_ref().map(|issue| issue.details().suspects).unwrap_or_default();
    let (Some(issue), true) = (issue, chosen.suspect < suspects.len()) else {
        let text = "This issue has no such suspect any more: look at its page again.";
        return Ok(message(frame, StatusCode::NOT_FOUND, "Not found", text));
    };
    if issue.facts.text.is_empty() && issue.facts.function_name.is_empty() {
        let text = "Neither the function nor the text of the blamed line is known: a rule would \
                    hold for the whole file. Add it on /add_known_error if that is meant.";
        return Ok(message(frame, StatusCode::UNPROCESSABLE_ENTITY, "Not taken", text));
    }
    let blamed = (issue.facts.path, issue.facts.function_name, issue.facts.text);
    let chosen_place = one_line(&suspects[chosen.suspect].in_words(), 300);
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
            return Ok(message(frame, StatusCode::UNPROCESSABLE_ENTITY, "Not taken", &problem));
        }
    }
    tx.commit().await?;
    shared.rules.refresh(&shared.store).await?;
    let text = format!(
        "From the next report on, {} is to blame. What stood before it counts as library code now: \
         take it back on /view_config?key={}.",
        chosen_place,
        RuleList::BuildingBlocks.as_str()
    );
    Ok(message(frame, StatusCode::OK, "Its caller is blamed from now on", &text))
}
