//! `/issues/NUMBER/resolve` and `/issues/NUMBER/reopen`: somebody says that an issue is mended, or
//! that it is not.
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_base::dates::date_time;
use flawless_base::text::one_line;
use flawless_store::IssueRow;

use super::find::{find, no_such_issue};
use crate::actions::{Action, ActionError, act};
use crate::app::App;
use crate::show::links;
use crate::web::actions::done::{not_done, to_done};
use crate::web::layout::form_fields::{FormField, Problem, Typed, fill_in, mark};
use crate::web::layout::page::{PageError, page, page_with};
use crate::web::layout::visitor::Frame;

#[derive(Template)]
#[template(path = "issue/resolve.html")]
struct Page {
    frame: Frame,
    issue: i64,
    place: String,
    mended: Option<String>,
    problem: Option<Problem>,
    fields: Vec<FormField>,
}

fn form(
    app: &App,
    frame: Frame,
    issue: &IssueRow,
    typed: &Typed,
    error: Option<ActionError>,
) -> Result<Page, PageError> {
    let hint = "its id, or the first seven digits; empty: as of now";
    let mut fields = vec![FormField::text("commit", "Commit that mends it").hint(hint)];
    fill_in(&mut fields, typed);
    let problem = error.map(|error| mark(&mut fields, error)).transpose()?;
    Ok(Page {
        frame,
        issue: issue.id,
        place: format!("{}:{}", one_line(&issue.facts.path, 300), issue.facts.line),
        mended: mended_in_words(app, issue),
        problem,
        fields,
    })
}

pub(crate) async fn show(
    frame: Frame,
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else { return Ok(no_such_issue(frame)) };
    Ok(page(&form(&app, frame, &issue, &Typed::new(), None)?))
}

pub(crate) async fn resolve(
    frame: Frame,
    State(app): State<App>,
    Path(number): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else { return Ok(no_such_issue(frame)) };
    let commit = typed.get("commit").cloned();
    match act(&app, frame.actor(), Action::Resolve { issue: issue.id, commit }).await {
        Ok(done) => Ok(to_done(&links::issue("", issue.id), &done)),
        Err(error @ ActionError::Field { .. }) => {
            // What is no commit may be of any length.
            typed.entry("commit".to_owned()).and_modify(|text| *text = one_line(text, 100));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page_with(status, &form(&app, frame, &issue, &typed, Some(error))?))
        }
        Err(error) => not_done(frame, error),
    }
}

pub(crate) async fn reopen(
    frame: Frame,
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else { return Ok(no_such_issue(frame)) };
    match act(&app, frame.actor(), Action::Reopen { issue: issue.id }).await {
        Ok(done) => Ok(to_done(&links::issue("", issue.id), &done)),
        Err(error) => not_done(frame, error),
    }
}

/// When and how it was mended; `None` when it is not.
pub(crate) fn mended_in_words(app: &App, issue: &IssueRow) -> Option<String> {
    let date = date_time(issue.mended_at?, &app.config.timezone);
    let by = issue.mended_by.as_deref().map(|id| id.chars().take(12).collect::<String>());
    let by = by.map(|id| format!("by {id}, ")).unwrap_or_default();
    let how = one_line(issue.mended_how.as_deref().unwrap_or_default(), 300);
    Some(format!("{by}on {date}: {how}"))
}
