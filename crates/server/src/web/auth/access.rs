//! Who may see and do what: identifies the visitor of each request, and checks the role that a
//! group of routes requires.
use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use super::identify::{find, is_api};
use crate::web::api::refusal;
use crate::web::layout::page::{PageError, message};
use crate::web::layout::visitor::{PageContext, Proof, Refused, Visitor};
use crate::web::sign_in::next_page::sign_in_url;
use crate::web::site::Site;
use flawless_core::Role;

/// The largest form, in bytes: whole lists of rules are imported in one.
const MAX_FORM_BYTES: usize = 2 * 1024 * 1024;
/// The largest form from a visitor who is not signed in, in bytes.
const MAX_OPEN_FORM_BYTES: usize = 16 * 1024;
/// How long a form may take to arrive.
const FORM_TIME: Duration = Duration::from_secs(10);

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
    let context =
        PageContext { visitor, form_token, path, refused: found.refused, done, unknown: vec![] };
    parts.extensions.insert(context);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    // Signing in or out sets a cookie of its own.
    if let Some(cookie) = found.cookie {
        response.headers_mut().entry(header::SET_COOKIE).or_insert(cookie);
    }
    response
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
    if context.visitor.is_none() && context.session().is_none() {
        return unknown(context, &request);
    }
    with_form_token(context, request, next).await
}

async fn with_form_token(context: PageContext, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = match form_body(body, MAX_FORM_BYTES).await {
        Ok(body) => body,
        Err((status, text)) => return refuse(context, status, "Not accepted", text),
    };
    if !carries(&body, &context.form_token) {
        let text = "This form belongs to another session. Reload the page and try again.";
        return refuse(context, StatusCode::FORBIDDEN, "Not accepted", text);
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
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
        return Redirect::to(&sign_in_url(wanted)).into_response();
    }
    let text = "You are not signed in, or your session has expired. Nothing was changed. Sign in \
                at /sign_in in another tab, then go back, reload the page and send the form again.";
    message(context, StatusCode::UNAUTHORIZED, "Not signed in", text)
}

fn refuse(context: PageContext, status: StatusCode, title: &str, text: &str) -> Response {
    match is_api(&context.path) {
        true => refusal(status, text),
        false => message(context, status, title, text),
    }
}

/// The fields of a form from a visitor who is not signed in.
pub(crate) struct OpenForm(BTreeMap<String, String>);

impl OpenForm {
    /// A field; empty when it is missing.
    pub(crate) fn get(&self, name: &str) -> &str {
        self.0.get(name).map(String::as_str).unwrap_or_default()
    }
}

pub(crate) async fn open_form(body: Body) -> Result<OpenForm, (StatusCode, &'static str)> {
    let body = form_body(body, MAX_OPEN_FORM_BYTES).await?;
    Ok(OpenForm(form_urlencoded::parse(&body).into_owned().collect()))
}

async fn form_body(body: Body, max: usize) -> Result<Bytes, (StatusCode, &'static str)> {
    match tokio::time::timeout(FORM_TIME, to_bytes(body, max)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let text = "The form is too large, or was cut off in transit.";
            Err((StatusCode::PAYLOAD_TOO_LARGE, text))
        }
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "The form took too long to arrive.")),
    }
}

/// Whether a form carries the token.
fn carries(form: &[u8], token: &str) -> bool {
    let mut fields = form_urlencoded::parse(form).filter(|(name, _)| name == "form_token");
    !token.is_empty()
        && fields.next().is_some_and(|(_, value)| value.as_bytes().ct_eq(token.as_bytes()).into())
}
