//! JSON responses, with links from one page of a list to the next.
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// A response with its status.
#[derive(Debug)]
pub(super) struct Answer<T> {
    status: StatusCode,
    value: T,
    location: Option<String>,
    next: Option<String>,
}

impl<T> Answer<T> {
    pub(super) fn ok(value: T) -> Self {
        Self::with(StatusCode::OK, value)
    }

    pub(super) fn with(status: StatusCode, value: T) -> Self {
        Self { status, value, location: None, next: None }
    }

    /// Something was created at this address.
    pub(super) fn created(value: T, location: String) -> Self {
        Self { location: Some(location), ..Self::with(StatusCode::CREATED, value) }
    }

    /// A page of a list, with the address of the next one.
    pub(super) fn page(value: T, next: Option<String>) -> Self {
        Self { next, ..Self::ok(value) }
    }
}

impl<T: Serialize> IntoResponse for Answer<T> {
    fn into_response(self) -> Response {
        let json = match serde_json::to_vec(&self.value) {
            Ok(json) => json,
            Err(error) => {
                tracing::error!(%error, "an API response could not be serialized");
                return StatusCode::INTERNAL_SERVER_ERROR.into_response();
            }
        };
        let content = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let mut response = (self.status, content, json).into_response();
        let link = self.next.map(|url| (header::LINK, format!("<{url}>; rel=\"next\"")));
        let location = self.location.map(|url| (header::LOCATION, url));
        for (name, value) in link.into_iter().chain(location) {
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
