//! Who may see and do what: identifies the visitor of each request, and checks the role that a
//! group of routes requires.
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use url::form_urlencoded;

use super::form_token::with_form_token;
use super::identify::{find, is_api};
use crate::app::App;
use crate::web::api::refusal;
use crate::web::layout::page::{PageError, message};
use crate::web::layout::visitor::{PageContext, ProjectLink, Proof, Refused, Visitor};
use crate::web::sign_in::next_page::sign_in_url;
use crate::web::site::Site;
use crate::web::to_top;
use flawless_core::Role;

/// Identifies the visitor for all handlers behind it.
pub(crate) async fn identify(State(site): State<Site>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let found = match find(&site, &parts).await {
        Ok(found) => found,
        Err(error) => return PageError::from(error).into_response(),
    };
    let visitor = found.visitor;
    let form_token = match (&visitor, &found.refused) {
        (Some(visitor), _) => visitor.form_token(&site.app.signer),
        (None, Some(refused)) => refused.form_token(&site.app.signer),
        (None, None) => String::new(),
    };
    let path = parts.uri.path().to_owned();
    let done = done_action(parts.uri.query().unwrap_or_default());
    let projects = project_links(&site.app, visitor.as_ref(), found.refused.as_ref());
    let context = PageContext {
        visitor,
        form_token,
        path,
        root: site.app.root.clone(),
        is_archived: site.app.project.row.archived_at.is_some(),
        projects,
        refused: found.refused,
        done,
        unknown: vec![],
    };
    parts.extensions.insert(context);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    // Signing in or out sets a cookie of its own.
    if let Some(cookie) = found.cookie {
        response.headers_mut().entry(header::SET_COOKIE).or_insert(cookie);
    }
    response
}

/// The projects that a visitor may see; none when there is only one.
fn project_links(
    app: &App,
    visitor: Option<&Visitor>,
    refused: Option<&Refused>,
) -> Vec<ProjectLink> {
    let seen = match (visitor, refused) {
        (Some(visitor), _) => &visitor.projects,
        (None, Some(refused)) => &refused.projects,
        (None, None) => return Vec::new(),
    };
    let is_here = |other: &App| other.project_id() == app.project_id();
    if seen.iter().all(|(other, _)| is_here(other)) {
        return Vec::new();
    }
    let link = |(other, _): &(App, Role)| ProjectLink {
        name: other.project.name().to_owned(),
        url: format!("{}/", other.root),
        is_here: is_here(other),
    };
    seen.iter().map(link).collect()
}

/// Passes requests of visitors with the role; a form has to carry the visitor's token.
pub(crate) async fn require(
    State(role): State<Role>,
    context: PageContext,
    request: Request,
    next: Next,
) -> Response {
    let Some(visitor) = &context.visitor else { return unknown(context, &request) };
    if visitor.role < role {
        return not_allowed(context, role);
    }
    if is_program(visitor) {
        return next.run(request).await;
    }
    with_form_token(context, request, next).await
}

/// Passes requests of all known visitors, even of those who may not see anything; forms as in
/// [`require`].
pub(crate) async fn require_known(context: PageContext, request: Request, next: Next) -> Response {
    if context.visitor.is_none() && context.refused.is_none() {
        return unknown(context, &request);
    }
    with_form_token(context, request, next).await
}

/// Passes requests of visitors who may see the project. To everybody else, its addresses look like
/// those of a project that does not exist.
pub(crate) async fn require_visitor(
    context: PageContext,
    request: Request,
    next: Next,
) -> Response {
    match context.visitor.is_some() {
        true => next.run(request).await,
        false => unknown(context, &request),
    }
}

/// Answers a visitor who does not have the role.
pub(crate) fn not_allowed(context: PageContext, role: Role) -> Response {
    let (who, has) = match &context.visitor {
        Some(visitor) => (visitor.name.as_str(), visitor.role.as_str()),
        None => ("nobody", "none"),
    };
    let text = format!(
        "This requires the role {role}, but {who} has the role {has}. An administrator can assign \
         roles on the page People."
    );
    refuse(context, StatusCode::FORBIDDEN, "Not allowed", &text)
}

/// The number of the action that a query names.
fn done_action(query: &str) -> Option<i64> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "done")?.1.parse().ok()
}

/// A program needs no form token: no browser sends an API token because another site makes it.
fn is_program(visitor: &Visitor) -> bool {
    visitor.proof == Proof::Token
}

fn unknown(context: PageContext, request: &Request) -> Response {
    if context.refused.is_some() && !context.root.is_empty() {
        // Nobody learns of a project that they may not see.
        let text = "There is nothing at this address.";
        return refuse(context, StatusCode::NOT_FOUND, "Not found", text);
    }
    let sees_others = context.refused.as_ref().is_some_and(|person| !person.projects.is_empty());
    if sees_others && context.path == "/" && *request.method() == Method::GET {
        return Redirect::to("/projects").into_response();
    }
    if let Some(Refused { address, .. }) = &context.refused {
        let text = format!(
            "{address} may not see these pages. An administrator can allow it on the page People. \
             To sign in with another address, open /sign_in."
        );
        return refuse(context, StatusCode::FORBIDDEN, "Not allowed", &text);
    }
    if is_api(&context.path) {
        let text = "The request has no valid token. Send one as “Authorization: Bearer flw_…”. The \
                    page /account creates tokens.";
        return refusal(StatusCode::UNAUTHORIZED, text);
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        let wanted = request.uri().path_and_query().map_or("/", |wanted| wanted.as_str());
        return to_top(&sign_in_url(&format!("{}{wanted}", context.root)));
    }
    let text = "You are not signed in, or your session has expired. Nothing was changed. Sign in \
                at /sign_in in another tab, then go back, reload the page and send the form again.";
    message(context, StatusCode::UNAUTHORIZED, "Not signed in", text)
}

pub(super) fn refuse(
    context: PageContext,
    status: StatusCode,
    title: &str,
    text: &str,
) -> Response {
    match is_api(&context.path) {
        true => refusal(status, text),
        false => message(context, status, title, text),
    }
}
