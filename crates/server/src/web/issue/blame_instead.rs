//! `/blame_instead`: blames another suspect of an issue.
use axum::extract::{Form, State};
use axum::response::Response;
use serde::Deserialize;

use super::find::no_such_issue;
use crate::actions::{Action, act};
use crate::app::App;
use crate::show::links;
use crate::web::actions::done::{not_done, to_done};
use crate::web::layout::page::PageError;
use crate::web::layout::visitor::PageContext;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Chosen {
    issue: String,
    /// Index among the suspects that follow the blamed line, from 0.
    suspect: String,
}

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Form(chosen): Form<Chosen>,
) -> Result<Response, PageError> {
    let Ok(issue) = chosen.issue.parse() else { return Ok(no_such_issue(context)) };
    let suspect = chosen.suspect.parse().unwrap_or(usize::MAX);
    match act(&app, context.actor(), Action::BlameInstead { issue, suspect }).await {
        Ok(done) => Ok(to_done(&links::issue("", issue), &done)),
        Err(error) => not_done(context, error),
    }
}
