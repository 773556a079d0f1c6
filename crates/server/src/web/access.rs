//! Who may see and do what: each request's visitor is found out here, and each group of routes asks
//! for a role.
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use super::layout::message;
use super::visitor::{Frame, LOCAL, Proof, Visitor};
use crate::role::Role;
use crate::state::Shared;

/// The largest form; rules are imported in one.
const MAX_FORM_BYTES: usize = 2 * 1024 * 1024;
/// For a form to arrive.
const FORM_TIME: Duration = Duration::from_secs(10);

/// Finds out who the visitor is, for all that comes behind.
pub(super) async fn identify(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let visitor = visitor_of(&shared);
    let form_token = visitor.as_ref().map(|visitor| visitor.form_token(&shared.signer));
    let path = request.uri().path().to_owned();
    let form_token = form_token.unwrap_or_default();
    request.extensions_mut().insert(Frame { visitor, form_token, path });
    next.run(request).await
}

fn visitor_of(_shared: &Shared) -> Option<Visitor> {
    Some(Visitor { name: LOCAL.to_owned(), role: Role::Administrator, proof: Proof::Local })
}

/// Lets pass who has the role; a form has to carry the visitor's token.
pub(super) async fn require(
    State(role): State<Role>,
    frame: Frame,
    request: Request,
    next: Next,
) -> Response {
    let Some(visitor) = &frame.visitor else {
        let text = "Sign in to see this page.";
        return message(frame, StatusCode::UNAUTHORIZED, "Not signed in", text);
    };
    if visitor.role < role {
        let text = format!(
            "{} may do this as {} only. An administrator gives roles on the page People.",
            visitor.name, role
        );
        return message(frame, StatusCode::FORBIDDEN, "Not allowed", &text);
    }
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = match form_body(body).await {
        Ok(body) => body,
        Err((status, text)) => return message(frame, status, "Not taken", text),
    };
    if !carries(&body, &frame.form_token) {
        let text = "This form is not of this sign-in. Go back, load the page anew and try again.";
        return message(frame, StatusCode::FORBIDDEN, "Not taken", text);
    }
    next.run(Request::from_parts(parts, Body::from(body))).await
}

async fn form_body(body: Body) -> Result<Bytes, (StatusCode, &'static str)> {
    match tokio::time::timeout(FORM_TIME, to_bytes(body, MAX_FORM_BYTES)).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let text = "The form is larger than 2 MB, or broke off on the way.";
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
