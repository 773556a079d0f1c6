//! `/retry_address`: mails to an address are tried again, or wanted again.
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::layout::{PageError, message};
use super::visitor::Frame;
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
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let address = fields.address.trim();
    let now = shared.clock.now();
    let refused = shared.store.refused_addresses(now).await?;
    let is_address = |known: &str| known.eq_ignore_ascii_case(address);
    let is_refused =
        refused.iter().any(|known| known.words.is_some() && is_address(&known.address));
    let mut tx = shared.store.write().await?;
    match UnwantedKind::parse(&fields.what) {
        Some(kind) => tx.remove_unwanted(address, kind).await?,
        // Only what is listed: anybody's address is not worth a row.
        None if fields.what == "refused" && is_refused => tx.forget_refusal(address, now).await?,
        None => {
            let text = "This address is not in the list any more: look at the page People again.";
            return Ok(message(frame, StatusCode::NOT_FOUND, "Not found", text));
        }
    }
    // Somebody whom nobody could tell may be reached now.
    tx.release_alerts().await?;
    tx.commit().await?;
    shared.bells.alerts.notify_one();
    Ok(Redirect::to("/people").into_response())
}
