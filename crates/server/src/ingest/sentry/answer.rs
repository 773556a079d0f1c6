//! Answers as Sentry's clients expect them, in programs and in browsers.
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::ingest::message::Unkept;

/// What an answer to a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Everything was recorded or counted; the id of the event, if there was one.
    Taken(Option<String>),
    /// The key is missing.
    NoKey,
    /// The key is wrong; the reason.
    WrongKey(&'static str),
    /// It cannot be read; the reason.
    Malformed(String),
    /// Its content encoding is not known; the reason.
    UnknownEncoding(String),
    /// It takes more room than it may have.
    Unkept(Unkept),
    /// It took too long to arrive.
    TooSlow,
    /// The server cannot take it at the moment; the reason.
    Later(String),
    /// This server does not take what is sent here; the reason.
    NotHere(&'static str),
}

/// Categories that this server does not keep: clients stop sending them for a day.
const NOT_KEPT: &str = "86400:transaction;span;session;profile;profile_chunk;replay;monitor;\
    log_item;trace_metric;metric_bucket;attachment:organization";
/// Seconds after which a client may send again.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");
const RATE_LIMITS: HeaderName = HeaderName::from_static("x-sentry-rate-limits");
const ERROR: HeaderName = HeaderName::from_static("x-sentry-error");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("x-sentry-error, x-sentry-rate-limits, retry-after");

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::Taken(id) => {
                let body = id.map_or_else(|| json!({}), |id| json!({"id": id}));
                let limits = [(RATE_LIMITS, HeaderValue::from_static(NOT_KEPT))];
                return for_browsers((StatusCode::OK, limits, body.to_string()).into_response());
            }
            Self::NoKey => (StatusCode::UNAUTHORIZED, "the key is missing".to_owned()),
            Self::WrongKey(why) => (StatusCode::FORBIDDEN, why.to_owned()),
            Self::Malformed(why) => (StatusCode::BAD_REQUEST, why),
            Self::UnknownEncoding(why) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, why),
            Self::Unkept(why) if why.may_be_kept_later() => {
                (StatusCode::SERVICE_UNAVAILABLE, why.why().to_owned())
            }
            Self::Unkept(why) => (StatusCode::PAYLOAD_TOO_LARGE, why.why().to_owned()),
            Self::TooSlow => {
                (StatusCode::REQUEST_TIMEOUT, "the body took too long to arrive".to_owned())
            }
            Self::Later(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
            Self::NotHere(why) => (StatusCode::NOT_FOUND, why.to_owned()),
        };
        let body = json!({"detail": detail}).to_string();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        if let Ok(detail) = HeaderValue::from_str(&detail.replace(['\n', '\r'], " ")) {
            headers.insert(ERROR, detail);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        for_browsers(response)
    }
}

/// Lets programs in browsers read an answer, wherever they were loaded from.
fn for_browsers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Answers a browser that asks whether a program may send these headers.
pub(super) fn preflight(asked: Option<&HeaderValue>) -> Response {
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
