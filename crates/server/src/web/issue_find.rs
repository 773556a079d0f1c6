//! The issue that a link or a form names by its number.
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};

use super::layout::{PageError, message};
use super::visitor::Frame;
use crate::links;
use crate::state::Shared;
use crate::store::IssueRow;

/// The issue with this number; of one that was merged, the one that it lives on in.
pub(super) async fn find(shared: &Shared, number: &str) -> Result<Option<IssueRow>, PageError> {
    match number.trim().parse() {
        Ok(number) => Ok(shared.store.issue(number).await?),
        Err(_) => Ok(None),
    }
}

/// Answers that there is none.
pub(super) fn no_such_issue(frame: Frame) -> Response {
    let text = "There is no issue with this number. Look for it in the week's report.";
    message(frame, StatusCode::NOT_FOUND, "Not found", text)
}

/// Leads to the issue's page.
pub(super) fn to_issue(issue: &IssueRow) -> Response {
    Redirect::to(&links::issue("", issue.id)).into_response()
}
