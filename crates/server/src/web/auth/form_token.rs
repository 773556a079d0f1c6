//! Forms carry a token of the session that asked for them, so that no other site can send them.
use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use super::access::refuse;
use crate::web::layout::visitor::PageContext;

/// The largest form, in bytes: whole lists of rules are imported in one.
const MAX_FORM_BYTES: usize = 2 * 1024 * 1024;
/// The largest form from a visitor who is not signed in, in bytes.
const MAX_OPEN_FORM_BYTES: usize = 16 * 1024;
/// How long a form may take to arrive.
const FORM_TIME: Duration = Duration::from_secs(10);

/// Passes a form that carries the token of its visitor, and every request that is not a form.
pub(super) async fn with_form_token(
    context: PageContext,
    request: Request,
    next: Next,
) -> Response {
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
