//! `/retry_address`: mails to an address are tried again, or wanted again.
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
    /// `refused`, or which mails are wanted again.
    what: String,
}

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Form(Fields { address, what }): Form<Fields>,
) -> Result<Response, PageError> {
    let unwanted = UnwantedKind::parse(&what);
    if unwanted.is_none() && what != "refused" {
        let text = "It has to be refused, alerts or weekly that is to be tried again.";
        return Ok(message(context, StatusCode::NOT_FOUND, "Not found", text));
    }
    match act(&app, context.actor(), Action::RetryAddress { address, unwanted }).await {
        Ok(done) => Ok(to_done("/people", &done)),
        Err(error) => not_done(context, error),
    }
}
