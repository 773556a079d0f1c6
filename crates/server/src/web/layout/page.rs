//! Rendering of pages, and the pages for errors.
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use flawless_base::text::plain;
use flawless_store::StoreError;

use super::visitor::PageContext;
use crate::sign_in::SignInError;

/// Renders a page.
pub(crate) fn page(template: &impl Template) -> Response {
    page_with(StatusCode::OK, template)
}

/// Renders a page with another status.
pub(crate) fn page_with(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        // A safety net for every template: no control character reverses the text of a page.
        Ok(html) => (status, Html(plain(&html))).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[derive(Template)]
#[template(path = "layout/message.html")]
struct Message<'a> {
    context: PageContext,
    title: &'a str,
    text: &'a str,
}

/// A page with one message. It replaces another page, so unknown parameters are not its concern.
pub(crate) fn message(
    mut context: PageContext,
    status: StatusCode,
    title: &str,
    text: &str,
) -> Response {
    context.unknown.clear();
    page_with(status, &Message { context, title, text })
}

pub(crate) async fn not_found(context: PageContext) -> Response {
    let text = "Page not found. Use the menu above.";
    message(context, StatusCode::NOT_FOUND, "Not found", text)
}

/// Answers a request without a form to an address that only takes forms, as after a reload.
pub(crate) async fn forms_only(context: PageContext) -> Response {
    let text = "This address only accepts forms. If you reloaded the page, the form was already \
                processed: go back, or use the menu above.";
    message(context, StatusCode::METHOD_NOT_ALLOWED, "Nothing to see here", text)
}

/// An error that ends a request.
#[derive(Debug)]
pub(crate) struct PageError {
    /// For the log.
    error: String,
    /// For the visitor.
    text: &'static str,
}

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Self { text: error.for_visitors(), error: error.to_string() }
    }
}

impl From<SignInError> for PageError {
    fn from(error: SignInError) -> Self {
        match error {
            SignInError::Store(error) => error.into(),
            other => Self {
                error: other.to_string(),
                text: "Sign-in failed. The server's log says why.",
            },
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        tracing::error!(error = self.error, "a page could not be built");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        message(PageContext::default(), status, "Something went wrong", self.text)
    }
}
