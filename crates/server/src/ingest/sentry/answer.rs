//! Answers as Sentry's clients expect them, in programs and in browsers.
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::ingest::post::Refusal;
use crate::ingest::post::browsers::for_browsers;

/// What an answer to a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Everything was recorded or counted; the id of the event, if there was one.
    Taken(Option<String>),
    /// It was not, or not all of it.
    Refused(Refusal),
    /// This server does not take what is sent here; the reason.
    NotHere(&'static str),
}

/// Categories that this server does not keep: clients stop sending them for a day.
const NOT_KEPT: &str = "86400:transaction;span;session;profile;profile_chunk;replay;monitor;\
    log_item;trace_metric;metric_bucket;attachment:organization";
const RATE_LIMITS: HeaderName = HeaderName::from_static("x-sentry-rate-limits");
const ERROR: HeaderName = HeaderName::from_static("x-sentry-error");

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::Taken(id) => {
                let body = id.map_or_else(|| json!({}), |id| json!({"id": id}));
                let limits = [(RATE_LIMITS, HeaderValue::from_static(NOT_KEPT))];
                return for_browsers((StatusCode::OK, limits, body.to_string()).into_response());
            }
            Self::Refused(refusal) => (refusal.status(), refusal.detail().to_owned()),
            Self::NotHere(why) => (StatusCode::NOT_FOUND, why.to_owned()),
        };
        let body = json!({"detail": detail}).to_string();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        if let Ok(detail) = HeaderValue::from_str(&detail.replace(['\n', '\r'], " ")) {
            headers.insert(ERROR, detail);
        }
        for_browsers(response)
    }
}
