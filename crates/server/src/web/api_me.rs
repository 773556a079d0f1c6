//! `/api/v1/me`: whom a token or a sign-in stands for, to try it out; and how the API answers.
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::visitor::Frame;

pub(super) async fn show(frame: Frame) -> Response {
    let role = frame.visitor.as_ref().map(|visitor| visitor.role.as_str());
    answer(StatusCode::OK, &json!({"name": frame.who(), "role": role}))
}

/// An answer of the API.
pub(super) fn answer(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

/// Why the API does not do it.
pub(super) fn refusal(status: StatusCode, text: &str) -> Response {
    let mut response = answer(status, &json!({"error": text}));
    if status == StatusCode::UNAUTHORIZED {
        let scheme = HeaderValue::from_static("Bearer");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    response
}
