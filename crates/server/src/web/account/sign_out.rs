//! `/sign_out` ends this session; `/sign_out_everywhere` ends all sessions and tokens of a person.
use axum::extract::State;
use axum::http::header;
use axum::response::Response;

use crate::app::App;
use crate::web::auth::cookies::Kept;
use crate::web::layout::page::PageError;
use crate::web::layout::visitor::PageContext;
use crate::web::to_top;

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
) -> Result<Response, PageError> {
    if let Some((id, address)) = context.session() {
        let mut tx = app.store.write().await?;
        tx.end_session(id, address).await?;
        tx.commit().await?;
    }
    Ok(forget(&app))
}

pub(crate) async fn save_everywhere(
    context: PageContext,
    State(app): State<App>,
) -> Result<Response, PageError> {
    if let Some(address) = context.address() {
        let mut tx = app.store.write().await?;
        let ended = tx.sign_out_everywhere(address, app.clock.now()).await?;
        tx.commit().await?;
        tracing::info!(address, ended, "signed out everywhere");
    }
    Ok(forget(&app))
}

fn forget(app: &App) -> Response {
    let mut response = to_top("/sign_in");
    if let Some(cookie) = Kept::Session.write(app, "", 0) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
