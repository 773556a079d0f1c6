//! `/account/end_session`: ends one of one's own sign-ins.
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::layout::PageError;
use super::visitor::Frame;
use crate::state::Shared;

#[derive(Debug, Deserialize)]
pub(super) struct Fields {
    pub(super) id: i64,
}

pub(super) async fn save(
    frame: Frame,
    State(shared): State<Shared>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    if let Some(address) = frame.address() {
        let mut tx = shared.store.write().await?;
        tx.end_session(fields.id, address).await?;
        tx.commit().await?;
    }
    Ok(Redirect::to("/account").into_response())
}
