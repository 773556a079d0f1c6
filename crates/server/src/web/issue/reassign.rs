//! `/issues/NUMBER/reassign`: an issue is somebody else's. An email alias or a reassignment says so
//! for good.
use askama::Template;
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_base::text::{one_line, plain};

use super::find::{find, no_such_issue};
use crate::actions::{Action, ActionError, Case, ReassignTo, act, alias_needs, colleagues};
use crate::app::App;
use crate::show::links;
use crate::show::why::author_of;
use crate::web::actions::done::{not_done, to_done};
use crate::web::auth::access::not_allowed;
use crate::web::layout::form_fields::{FormField, Problem, Typed, mark};
use crate::web::layout::page::{PageError, page, page_with};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "issue/reassign.html")]
struct Page {
    context: PageContext,
    issue: i64,
    place: String,
    text: String,
    author: Option<String>,
    committed: Option<String>,
    owner: String,
    steps: Vec<String>,
    /// Somebody to take the issue from.
    has_giver: bool,
    alias: Vec<FormField>,
    reassign: Vec<FormField>,
    proposals: Vec<(String, String)>,
    problem: Option<Problem>,
}

pub(crate) async fn show(
    context: PageContext,
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else { return Ok(no_such_issue(context)) };
    match Case::read(&app, issue.id).await {
        Ok(case) => {
            let colleagues = colleagues(&app).await?;
            Ok(page(&form(&case, context, &Typed::new(), &colleagues, None)?))
        }
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
    let to = passed_to(&typed);
    if let ReassignTo::Alias { .. } = &to {
        let role = alias_needs(&app, &issue);
        if !context.has(role) {
            return Ok(not_allowed(context, role));
        }
    }
    match act(&app, context.actor(), Action::Reassign { issue: issue.id, to }).await {
        Ok(done) => Ok(to_done(&links::issue("", issue.id), &done)),
        Err(error @ ActionError::Field { .. }) => {
            let case = match Case::read(&app, issue.id).await {
                Ok(case) => case,
                Err(error) => return not_done(context, error),
            };
            let colleagues = colleagues(&app).await?;
            let form = form(&case, context, &typed, &colleagues, Some(error))?;
            Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, &form))
        }
        Err(error) => not_done(context, error),
    }
}

fn passed_to(typed: &Typed) -> ReassignTo {
    let field = |name| typed.get(name).cloned().unwrap_or_default();
    if field("what") == "alias" {
        return ReassignTo::Alias { new_email: field("new_email") };
    }
    // A proposal that was clicked comes before what was written.
    let written = [field("proposed"), field("designated_email")];
    let to = written.into_iter().find(|text| !text.trim().is_empty());
    ReassignTo::Reassign { path: field("path"), designated_email: to.unwrap_or_default() }
}

fn form(
    case: &Case<'_>,
    context: PageContext,
    typed: &Typed,
    colleagues: &[String],
    error: Option<ActionError>,
) -> Result<Page, PageError> {
    let facts = &case.issue.facts;
    let owner = case.current_owner();
    let committed = facts.developer_email.clone().filter(|address| !address.trim().is_empty());
    let address = |name, label: &'static str| {
        let value = typed.get(name).map(|text| one_line(text, 254)).unwrap_or_default();
        let offers = colleagues.to_vec();
        FormField { value, offers, ..FormField::text(name, label).kind("email").required() }
    };
    let mut alias = vec![address("new_email", "Address that is read")];
    let paths: Vec<(String, String)> =
        case.paths().into_iter().map(|path| (path.clone(), path)).collect();
    let path = FormField {
        value: typed.get("path").cloned().unwrap_or_default(),
        choices: paths,
        ..FormField::text("path", "For the file, or for all in a folder")
    };
    let mut reassign = vec![path, address("designated_email", "Address of the one who gets it")];
    let is_alias = typed.get("what").is_some_and(|what| what == "alias");
    let marked = if is_alias { &mut alias } else { &mut reassign };
    let problem = error.map(|error| mark(marked, error)).transpose()?;
    Ok(Page {
        context,
        issue: case.issue.id,
        place: format!("{}:{}", one_line(&facts.path, 300), facts.line),
        text: one_line(&facts.text, 500),
        author: facts.origin_commit.is_some().then(|| author_of(&case.issue, &case.details)),
        committed: committed.map(|address| one_line(&address, 254)),
        owner: owner.address.unwrap_or_else(|| "nobody".to_owned()),
        steps: owner.steps.iter().map(|step| plain(step)).collect(),
        has_giver: !case.givers().is_empty(),
        alias,
        reassign,
        proposals: case.proposals(),
        problem,
    })
}
