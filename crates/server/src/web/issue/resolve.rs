//! `/issues/NUMBER/resolve` and `/issues/NUMBER/reopen`: somebody says that an issue is resolved, or
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
use crate::show::regression::resolution_in_words;
use crate::web::actions::done::{not_done, to_done};
use crate::web::layout::form_fields::{FormField, Problem, Typed, fill_in, mark};
use crate::web::layout::page::{PageError, page, page_with};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "issue/resolve.html")]
struct Page {
    context: PageContext,
    issue: i64,
    place: String,
    resolved: Option<String>,
    problem: Option<Problem>,
    fields: Vec<FormField>,
}

fn form(
    app: &App,
    context: PageContext,
    issue: &IssueRow,
    typed: &Typed,
    error: Option<ActionError>,
) -> Result<Page, PageError> {
    let hint = "its id, or the first seven digits; empty: as of now";
    let mut fields = vec![FormField::text("commit", "Commit that fixes it").hint(hint)];
    fill_in(&mut fields, typed);
    let problem = error.map(|error| mark(&mut fields, error)).transpose()?;
    Ok(Page {
        context,
        issue: issue.id,
        place: format!("{}:{}", one_line(&issue.facts.path, 300), issue.facts.line),
        resolved: resolved_in_words(app, issue),
        problem,
        fields,
    })
}

pub(crate) async fn show(
    context: PageContext,
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else { return Ok(no_such_issue(context)) };
    Ok(page(&form(&app, context, &issue, &Typed::new(), None)?))
}

pub(crate) async fn resolve(
    context: PageContext,
    State(app): State<App>,
    Path(number): Path<String>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else { return Ok(no_such_issue(context)) };
    let commit = typed.get("commit").cloned();
    match act(&app, context.actor(), Action::Resolve { issue: issue.id, commit }).await {
        Ok(done) => Ok(to_done(&links::issue("", issue.id), &done)),
        Err(error @ ActionError::Field { .. }) => {
            // What is no commit may be of any length.
            typed.entry("commit".to_owned()).and_modify(|text| *text = one_line(text, 100));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(page_with(status, &form(&app, context, &issue, &typed, Some(error))?))
        }
        Err(error) => not_done(context, error),
    }
}

pub(crate) async fn reopen(
    context: PageContext,
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else { return Ok(no_such_issue(context)) };
    match act(&app, context.actor(), Action::Reopen { issue: issue.id }).await {
        Ok(done) => Ok(to_done(&links::issue("", issue.id), &done)),
        Err(error) => not_done(context, error),
    }
}

/// When and how it was resolved; `None` when it is not.
pub(crate) fn resolved_in_words(app: &App, issue: &IssueRow) -> Option<String> {
    let date = date_time(issue.resolved_at?, &app.config.timezone);
    let by = issue.resolved_by.as_deref().map(|id| id.chars().take(12).collect::<String>());
    let by = by.map(|id| format!("by {id}, ")).unwrap_or_default();
    let how = issue.resolution.as_ref().map(resolution_in_words).unwrap_or_default();
    let how = one_line(&how, 300);
    Some(format!("{by}on {date}: {how}"))
}
