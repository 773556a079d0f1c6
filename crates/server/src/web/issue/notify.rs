//! `/issues/NUMBER/tell`: who answers for an issue is notified of it now; again only when that is said.
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_base::dates::date_time;
use flawless_base::text::{one_line, plain};

use super::find::{find, no_such_issue};
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
    /// When it was notified last.
    notified: Option<String>,
}

async fn form(app: &App, context: PageContext, issue: i64) -> Result<Page, ActionError> {
    let case = Case::read(app, issue).await?;
    let owner = case.current_owner();
    Ok(Page {
        context,
        issue,
        place: format!("{}:{}", one_line(&case.issue.facts.path, 300), case.issue.facts.line),
        owner: one_line(owner.address.as_deref().unwrap_or("nobody"), 254),
        steps: owner.steps.iter().map(|step| plain(step)).collect(),
        notified: case.issue.notified_at.map(|at| date_time(at, &app.config.timezone)),
    })
}

pub(crate) async fn show(
    context: PageContext,
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else { return Ok(no_such_issue(context)) };
    match form(&app, context.clone(), issue.id).await {
        Ok(form) => Ok(page(&form)),
        Err(error) => not_done(context, error),
    }
}

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Path(number): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else { return Ok(no_such_issue(context)) };
    let again = typed.get("again").is_some_and(|again| again == "yes");
    match act(&app, context.actor(), Action::Notify { issue: issue.id, again }).await {
        Ok(done) => Ok(to_done(&links::issue("", issue.id), &done)),
        Err(ActionError::Field { name: "again", .. }) => {
            match form(&app, context.clone(), issue.id).await {
                Ok(form) => Ok(page_with(StatusCode::CONFLICT, &form)),
                Err(error) => not_done(context, error),
            }
        }
        Err(error) => not_done(context, error),
    }
}
