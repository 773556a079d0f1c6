//! `/issues/NUMBER/reassign`: gives an issue to somebody else, by an email alias or a reassignment
//! that later issues follow too.
use askama::Template;
use axum::extract::{Form, State};
use axum::response::Response;
use flawless_base::text::{one_line, plain};

use super::form::{NamedIssue, answer, place};
use flawless_store::StoreError;

use crate::actions::{Action, ActionError, Case, ReassignTo, act, alias_needs, colleagues};
use crate::app::App;
use crate::show::why::author_of;
use crate::web::actions::done::not_done;
use crate::web::auth::access::not_allowed;
use crate::web::layout::form_fields::{FormField, Problem, Typed, mark};
use crate::web::layout::page::{PageError, page};
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
    /// There is somebody to reassign the issue from.
    has_giver: bool,
    alias: Vec<FormField>,
    reassign: Vec<FormField>,
    proposals: Vec<(String, String)>,
    problem: Option<Problem>,
}

pub(crate) async fn show(
    NamedIssue { context, issue }: NamedIssue,
    State(app): State<App>,
) -> Result<Response, PageError> {
    match Case::read(&app, issue.id).await {
        Ok(case) => {
            let colleagues = colleagues(&app).await?;
            Ok(page(&form(&case, context, &Typed::new(), &colleagues, None)?))
        }
        Err(error) => not_done(context, error),
    }
}

pub(crate) async fn save(
    NamedIssue { context, issue }: NamedIssue,
    State(app): State<App>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let to = passed_to(&typed);
    if let ReassignTo::Alias { .. } = &to {
        let role = alias_needs(&app, &issue);
        if !context.has(role) {
            return Ok(not_allowed(context, role));
        }
    }
    let done = act(&app, context.actor(), Action::Reassign { issue: issue.id, to }).await;
    answer(context, issue.id, done, async |context, error| {
        let case = Case::read(&app, issue.id).await?;
        Ok(form(&case, context, &typed, &colleagues(&app).await?, Some(error))?)
    })
    .await
}

fn passed_to(typed: &Typed) -> ReassignTo {
    let field = |name| typed.get(name).cloned().unwrap_or_default();
    if field("what") == "alias" {
        return ReassignTo::Alias { new_email: field("new_email") };
    }
    // A proposal that was clicked takes precedence over a typed address.
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
) -> Result<Page, StoreError> {
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
        ..FormField::text("path", "For the file, or for a whole folder")
    };
    let mut reassign = vec![path, address("designated_email", "Address of the new owner")];
    let is_alias = typed.get("what").is_some_and(|what| what == "alias");
    let marked = if is_alias { &mut alias } else { &mut reassign };
    let problem = error.map(|error| mark(marked, error)).transpose()?;
    Ok(Page {
        context,
        issue: case.issue.id,
        place: place(&case.issue),
        text: one_line(&facts.text, 500),
        author: facts.origin_commit.is_some().then(|| author_of(&case.issue)),
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
