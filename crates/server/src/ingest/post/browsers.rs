//! Programs in browsers, which were loaded from anywhere.
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

const EXPOSED: HeaderValue =
    HeaderValue::from_static("x-sentry-error, x-sentry-rate-limits, retry-after");

/// Lets programs in browsers read an answer, wherever they were loaded from.
pub(in crate::ingest) fn for_browsers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    for_senders(response)
}

/// An answer that nobody keeps, and that says when to send again what was not taken now.
pub(in crate::ingest) fn for_senders(mut response: Response) -> Response {
    let is_later = response.status() == StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if is_later {
        headers.insert(header::RETRY_AFTER, RETRY_AFTER);
    }
    response
}

/// Seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// Answers a browser that asks whether a program may send these headers.
pub(in crate::ingest) async fn preflight(headers: HeaderMap) -> Response {
    let asked = headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let allowed = asked.cloned().unwrap_or(HeaderValue::from_static(ALLOWED));
    let mut response = for_browsers(StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("3600"));
    response
}

/// Headers that clients in browsers send.
const ALLOWED: &str = "x-sentry-auth, content-type, content-encoding, authorization, \
    x-requested-with, accept, origin, referer";
