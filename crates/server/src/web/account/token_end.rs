//! `/account/end_token`: revokes one of the visitor's own tokens.
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::session_end::Fields;
use crate::app::App;
use crate::web::layout::page::PageError;
use crate::web::layout::visitor::PageContext;

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    if let Some(owner) = context.address() {
        let mut tx = app.store.write().await?;
        tx.revoke_token(fields.id, owner, app.clock.now()).await?;
        tx.commit().await?;
    }
    Ok(Redirect::to("/account").into_response())
}
