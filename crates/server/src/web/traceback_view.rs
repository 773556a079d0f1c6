//! `/view_traceback`: where 0.4.5 had the traceback of a line; leads to its issue's page.
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::issue_find::{find, no_issue_numbered, no_issue_of};
use super::layout::PageError;
use super::visitor::Frame;
use crate::links;
use crate::state::Shared;

/// The parameters of 0.4.5, and `issue` since. `timestamp` chose the week's file; issues live for
/// ever now.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Parameters {
    filename: String,
    function_name: String,
    line_number: String,
    text: String,
    issue: String,
    /// As on the issue's page.
    sample: Option<String>,
}

pub(super) async fn show(
    frame: Frame,
    State(shared): State<Shared>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, PageError> {
    let Parameters { filename, function_name, line_number, text, issue, sample } = parameters;
    let mut found = find(&shared, &issue).await?;
    if found.is_none() {
        let line = line_number.trim().parse().unwrap_or(0);
        found = shared.store.issue_of_line(&filename, &function_name, line, &text).await?;
    }
    Ok(match found {
        Some(issue) => {
            let sample = sample.and_then(|slot| slot.parse().ok());
            let to = match sample {
                Some(slot) => links::sample("", issue.id, slot),
                None => links::issue("", issue.id),
            };
            Redirect::to(&to).into_response()
        }
        None if filename.is_empty() => no_issue_numbered(frame, &shared, &issue).await?,
        None => no_issue_of(frame, &filename),
    })
}
