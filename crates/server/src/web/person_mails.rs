//! `/people/ADDRESS/mails`: a kind of mails to somebody is turned off or on, by themselves or by an
//! administrator.
use axum::extract::{Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use flawless_core::is_mailable;
use serde::Deserialize;

use super::layout::{PageError, message};
use super::visitor::Frame;
use crate::links;
use crate::state::Shared;
use crate::store::UnwantedKind;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    /// `alerts` or `weekly`.
    kind: String,
    /// `yes` or `no`.
    wanted: String,
}

/// Whether the visitor may say which mails this address gets.
pub(super) fn may_choose(frame: &Frame, address: &str) -> bool {
    frame.administers() || frame.who().eq_ignore_ascii_case(address)
}

/// Whether the address is told of what nobody else can be told.
pub(super) fn is_default_contact(shared: &Shared, address: &str) -> bool {
    let contact = shared.config.addresses.default_contact.as_deref();
    contact.is_some_and(|contact| contact.eq_ignore_ascii_case(address))
}

pub(super) async fn save(
    frame: Frame,
    State(shared): State<Shared>,
    Path(address): Path<String>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let address = address.trim();
    if !may_choose(&frame, address) {
        let text = "Only they themselves and administrators choose which mails somebody gets.";
        return Ok(message(frame, StatusCode::FORBIDDEN, "Not allowed", text));
    }
    let (Some(kind), true) = (UnwantedKind::parse(&fields.kind), is_mailable(address)) else {
        let text = "This is no mail address, or no kind of mails. Load the person's page anew.";
        return Ok(message(frame, StatusCode::UNPROCESSABLE_ENTITY, "Not taken", text));
    };
    let wanted = fields.wanted != "no";
    if !wanted && kind == UnwantedKind::Alerts && is_default_contact(&shared, address) {
        let text = "The default contact is told of what nobody else can be told, and somebody has \
                    to. Set default_contact to another address first.";
        return Ok(message(frame, StatusCode::CONFLICT, "Not possible", text));
    }
    let mut tx = shared.store.write().await?;
    if wanted {
        tx.remove_unwanted(address, kind).await?;
        tx.release_alerts().await?;
    } else {
        tx.add_unwanted(address, kind, shared.clock.now()).await?;
    }
    tx.commit().await?;
    shared.bells.alerts.notify_one();
    let who = frame.who();
    tracing::info!(address, mails = kind.as_str(), wanted, who, "mails were turned off or on");
    Ok(Redirect::to(&format!("{}#mails", links::person("", address))).into_response())
}
