//! `/issues/NUMBER/resolve` and `/issues/NUMBER/reopen`: marks an issue as resolved by hand, or
//! opens it again.
use askama::Template;
use axum::extract::{Form, State};
use axum::response::Response;
use flawless_base::dates::date_time;
use flawless_base::text::one_line;
use flawless_store::{IssueRow, StoreError};

use super::form::{NamedIssue, answer, place};
use crate::actions::{Action, ActionError, act};
use crate::app::App;
use crate::show::links;
use crate::show::regression::resolution_in_words;
use crate::web::actions::done::{not_done, to_done};
use crate::web::layout::form_fields::{FormField, Problem, Typed, fill_in, mark};
use crate::web::layout::page::{PageError, page};
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
) -> Result<Page, StoreError> {
    let hint = "its id, or at least the first seven digits; empty: resolved as of now";
    let mut fields = vec![FormField::text("commit", "Commit that fixes it").hint(hint)];
    fill_in(&mut fields, typed);
    let problem = error.map(|error| mark(&mut fields, error)).transpose()?;
    Ok(Page {
        context,
        issue: issue.id,
        place: place(issue),
        resolved: resolved_in_words(app, issue),
        problem,
        fields,
    })
}

pub(crate) async fn show(
    NamedIssue { context, issue }: NamedIssue,
    State(app): State<App>,
) -> Result<Response, PageError> {
    Ok(page(&form(&app, context, &issue, &Typed::new(), None)?))
}

pub(crate) async fn resolve(
    NamedIssue { context, issue }: NamedIssue,
    State(app): State<App>,
    Form(mut typed): Form<Typed>,
) -> Result<Response, PageError> {
    let commit = typed.get("commit").cloned();
    let done = act(&app, context.actor(), Action::Resolve { issue: issue.id, commit }).await;
    // A text that is not a commit may be of any length.
    typed.entry("commit".to_owned()).and_modify(|text| *text = one_line(text, 100));
    answer(context, issue.id, done, async |context, error| {
        Ok(form(&app, context, &issue, &typed, Some(error))?)
    })
    .await
}

pub(crate) async fn reopen(
    NamedIssue { context, issue }: NamedIssue,
    State(app): State<App>,
) -> Result<Response, PageError> {
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
