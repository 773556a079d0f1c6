//! `/issues/NUMBER/known_error`, `…/library_code`, `…/third_party` and `…/ignore_exception`: forms
//! for a rule, prefilled with the line of the issue.
use axum::extract::{Form, Path, State};
use axum::response::Response;
use flawless_store::IssueRow;

use super::form::NamedIssue;
use crate::web::layout::form_fields::Typed;
use crate::web::layout::page::{PageError, not_found};
use crate::web::rules::form::{For, kind_named, save_form, show_form};
use crate::web::site::Site;

/// The values that the forms are prefilled with.
fn typed_for(issue: &IssueRow) -> Typed {
    let facts = &issue.facts;
    [
        ("filename", &facts.path),
        ("function_name", &facts.function_name),
        ("code_fragment", &facts.text),
        ("exc_name", &facts.exception_type),
    ]
    .map(|(name, value)| (name.to_owned(), value.clone()))
    .into()
}

pub(crate) async fn show(
    NamedIssue { context, issue }: NamedIssue,
    State(site): State<Site>,
    Path((_, kind)): Path<(String, String)>,
) -> Result<Response, PageError> {
    let Some((list, end)) = kind_named(&kind) else { return Ok(not_found(context).await) };
    let typed = typed_for(&issue);
    show_form(&site, context, list, &For::Issue(Box::new(issue), end), &typed).await
}

pub(crate) async fn save(
    NamedIssue { context, issue }: NamedIssue,
    State(site): State<Site>,
    Path((_, kind)): Path<(String, String)>,
    Form(typed): Form<Typed>,
) -> Result<Response, PageError> {
    let Some((list, end)) = kind_named(&kind) else { return Ok(not_found(context).await) };
    save_form(&site, context, list, &For::Issue(Box::new(issue), end), &typed).await
}
