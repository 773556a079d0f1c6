//! What all forms of one issue do alike: find the issue that the path names, and answer a sent
//! form.
use std::collections::HashMap;

use askama::Template;
use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use flawless_base::text::one_line;
use flawless_store::IssueRow;

use super::find::{find, no_such_issue};
use crate::actions::{ActionError, Done};
use crate::show::links;
use crate::web::actions::done::{not_done, to_done};
use crate::web::layout::page::{PageError, page_with};
use crate::web::layout::visitor::PageContext;
use crate::web::site::Site;

/// The issue that the path names as `{issue}`. Without one, a page that says so is the answer.
pub(crate) struct NamedIssue {
    pub(crate) context: PageContext,
    pub(crate) issue: IssueRow,
}

impl FromRequestParts<Site> for NamedIssue {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Site) -> Result<Self, Response> {
        let Ok(context) = PageContext::from_request_parts(parts, site).await;
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, site).await;
        let number = path.ok().and_then(|Path(mut names)| names.remove("issue"));
        match find(&site.app, &number.unwrap_or_default()).await {
            Ok(Some(issue)) => Ok(Self { context, issue }),
            Ok(None) => Err(no_such_issue(context)),
            Err(error) => Err(error.into_response()),
        }
    }
}

/// The line of an issue, as headings name it.
pub(crate) fn place(issue: &IssueRow) -> String {
    format!("{}:{}", one_line(&issue.facts.path, 300), issue.facts.line)
}

/// Answers a sent form: with the page of the issue, with the form once more when a field is wrong,
/// or with what prevented the action.
pub(crate) async fn answer<P: Template>(
    context: PageContext,
    issue: i64,
    done: Result<Done, ActionError>,
    form: impl AsyncFnOnce(PageContext, ActionError) -> Result<P, ActionError>,
) -> Result<Response, PageError> {
    let error = match done {
        Ok(done) => return Ok(to_done(&links::issue("", issue), &done)),
        Err(error @ ActionError::Field { .. }) => error,
        Err(error) => return not_done(context, error),
    };
    match form(context.clone(), error).await {
        Ok(form) => Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, &form)),
        Err(error) => not_done(context, error),
    }
}
