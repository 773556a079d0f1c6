//! `/issues/NUMBER/notify`: notifies the owner of an issue now; a second time only when confirmed.
use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_base::dates::date_time;
use flawless_base::text::{one_line, plain};

use super::form::{NamedIssue, place};
use crate::actions::{Action, ActionError, Case, act};
use crate::app::App;
use crate::show::links;
use crate::web::actions::done::{not_done, to_done};
use crate::web::layout::form_fields::Typed;
use crate::web::layout::page::{PageError, page, page_with};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "issue/notify.html")]
struct Page {
    context: PageContext,
    issue: i64,
    place: String,
    owner: String,
    steps: Vec<String>,
    /// When somebody was last notified of it.
    notified: Option<String>,
}

async fn form(app: &App, context: PageContext, issue: i64) -> Result<Page, ActionError> {
    let case = Case::read(app, issue).await?;
    let owner = case.current_owner();
    Ok(Page {
        context,
        issue,
        place: place(&case.issue),
        owner: one_line(owner.address.as_deref().unwrap_or("nobody"), 254),
        steps: owner.steps.iter().map(|step| plain(step)).collect(),
        notified: case.issue.notified_at.map(|at| date_time(at, &app.config.timezone)),
    })
}

pub(crate) async fn show(
    NamedIssue { context, issue }: NamedIssue,
    State(app): State<App>,
) -> Result<Response, PageError> {
    match form(&app, context.clone(), issue.id).await {
        Ok(form) => Ok(page(&form)),
        Err(error) => not_done(context, error),
    }
}

pub(crate) async fn save(
    NamedIssue { context, issue }: NamedIssue,
    State(app): State<App>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let again = typed.get("again").is_some_and(|again| again == "yes");
    match act(&app, context.actor(), Action::Notify { issue: issue.id, again }).await {
        // The form asks whether to notify again.
        Err(ActionError::Field { name: "again", .. }) => {
            match form(&app, context.clone(), issue.id).await {
                Ok(form) => Ok(page_with(StatusCode::CONFLICT, &form)),
                Err(error) => not_done(context, error),
            }
        }
        Err(error) => not_done(context, error),
        Ok(done) => Ok(to_done(&links::issue("", issue.id), &done)),
    }
}
