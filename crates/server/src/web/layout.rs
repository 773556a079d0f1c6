//! What all pages share: the frame, the style, the page for what is not there, and answers.
use askama::Template;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};

use crate::store::{RuleInputError, StoreError};

/// Renders a page.
pub(super) fn page(template: &impl Template) -> Response {
    page_with(StatusCode::OK, template)
}

/// Renders a page with another status.
pub(super) fn page_with(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, Html(html)).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[derive(Template)]
#[template(path = "layout_message.html")]
struct Message<'a> {
    title: &'a str,
    text: &'a str,
}

/// A page with one sentence.
pub(super) fn message(status: StatusCode, title: &str, text: &str) -> Response {
    page_with(status, &Message { title, text })
}

/// Answers what is not there.
pub(super) async fn not_found() -> Response {
    message(StatusCode::NOT_FOUND, "Not found", "There is no such page. The list above has all.")
}

/// The style sheet.
pub(super) async fn style() -> Response {
    let headers =
        [(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")];
    (headers, include_str!("style.css")).into_response()
}

/// An error that ends a request.
#[derive(Debug)]
pub(super) struct PageError(StoreError);

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        tracing::error!(error = %self.0, "a page could not be made");
        let text = "The store does not answer. The server's log says why; reports are not lost.";
        message(StatusCode::INTERNAL_SERVER_ERROR, "Something is wrong", text)
    }
}

/// The sentence about a form that was filled in wrongly; what is not the user's fault is logged.
pub(super) fn form_problem(error: RuleInputError) -> Result<String, PageError> {
    match error {
        RuleInputError::Invalid(text) => Ok(text),
        RuleInputError::Store(error) => Err(PageError(error)),
    }
}
