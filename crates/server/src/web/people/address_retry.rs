//! `/retry_address`: retries a refused address, or subscribes an address again.
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_store::UnwantedKind;
use serde::Deserialize;

use crate::actions::{Action, act};
use crate::app::App;
use crate::web::actions::done::{not_done, to_done};
use crate::web::layout::page::{PageError, message};
use crate::web::layout::visitor::PageContext;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    address: String,
    /// `refused`, or the kind of mails to subscribe to.
    what: String,
}

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Form(Fields { address, what }): Form<Fields>,
) -> Result<Response, PageError> {
    let unwanted = UnwantedKind::parse(&what);
    if unwanted.is_none() && what != "refused" {
        let text = "“what” is not refused, alerts or weekly. Reload the page and try again.";
        return Ok(message(context, StatusCode::NOT_FOUND, "Not found", text));
    }
    match act(&app, context.actor(), Action::RetryAddress { address, unwanted }).await {
        Ok(done) => Ok(to_done("/people", &done)),
        Err(error) => not_done(context, error),
    }
}
