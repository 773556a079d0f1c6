//! `/retry_address`: mails to an address are tried again, or wanted again.
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::action_done::{not_done, to_done};
use super::layout::{PageError, message};
use super::visitor::Frame;
use crate::actions::{Action, act};
use crate::state::Shared;
use crate::store::UnwantedKind;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    address: String,
    /// `refused`, or which mails are wanted again.
    what: String,
}

pub(super) async fn save(
    frame: Frame,
    State(shared): State<Shared>,
    Form(Fields { address, what }): Form<Fields>,
) -> Result<Response, PageError> {
    let unwanted = UnwantedKind::parse(&what);
    if unwanted.is_none() && what != "refused" {
        let text = "It has to be refused, alerts or weekly that is to be tried again.";
        return Ok(message(frame, StatusCode::NOT_FOUND, "Not found", text));
    }
    match act(&shared, frame.actor(), Action::RetryAddress { address, unwanted }).await {
        Ok(done) => Ok(to_done("/people", &done)),
        Err(error) => not_done(frame, error),
    }
}
