//! `/account/end_session`: ends one of the visitor's own sessions.
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use crate::app::App;
use crate::web::layout::page::PageError;
use crate::web::layout::visitor::PageContext;

#[derive(Debug, Deserialize)]
pub(crate) struct Fields {
    pub(crate) id: i64,
}

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    if let Some(address) = context.address() {
        let mut tx = app.store.write().await?;
        tx.end_session(fields.id, address).await?;
        tx.commit().await?;
    }
    Ok(Redirect::to("/account").into_response())
}
