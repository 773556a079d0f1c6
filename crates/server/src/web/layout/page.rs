//! What all pages share: the frame, the page for what is not there, and answers.
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
        // Whichever template forgot it: nothing turns the text of a page around.
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

/// A page with one sentence. It stands in the place of another, whose parameters are not its own.
pub(crate) fn message(
    mut context: PageContext,
    status: StatusCode,
    title: &str,
    text: &str,
) -> Response {
    context.unknown.clear();
    page_with(status, &Message { context, title, text })
}

/// Answers what is not there.
pub(crate) async fn not_found(context: PageContext) -> Response {
    let text = "There is no such page. The list above has all.";
    message(context, StatusCode::NOT_FOUND, "Not found", text)
}

/// Answers an address that takes forms only, as when its page is loaded anew.
pub(crate) async fn forms_only(context: PageContext) -> Response {
    let text = "This address only takes a form. What was sent before is done; go back, or on with \
                the list above.";
    message(context, StatusCode::METHOD_NOT_ALLOWED, "Nothing to see here", text)
}

/// An error that ends a request.
#[derive(Debug)]
pub(crate) struct PageError {
    /// For the log.
    error: String,
    /// For who asked.
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
                text: "The sign-in does not work. The server's log says why.",
            },
        }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        tracing::error!(error = self.error, "a page could not be made");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        message(PageContext::default(), status, "Something is wrong", self.text)
    }
}
