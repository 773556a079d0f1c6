//! `/unsubscribe`: the end of a kind of mails to one address, by the link in the mail.
//!
//! Mail providers press the button for their users, from their own machines (RFC 8058): it answers
//! under any host name and to any site, and the token in the link is all that counts.
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flawless_store::UnwantedKind;
use serde::Deserialize;
use tokio::time::timeout;
use url::form_urlencoded;

use crate::actions::is_default_contact;
use crate::app::App;
use crate::show::links;
use crate::web::auth::security::protected;
use crate::web::layout::page::{PageError, message, page_with};
use crate::web::layout::visitor::PageContext;

/// For a request to arrive whole.
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// A form of ours has a few bytes, that of a mail provider a few hundred.
const MAX_BODY: usize = 16 * 1024;

/// The one route.
pub fn unsubscribe_router(app: App) -> Router {
    Router::new()
        .route("/unsubscribe", get(show).post(save))
        .layer(from_fn(bounded))
        .with_state(app)
}

async fn bounded(request: Request, next: Next) -> Response {
    let answer = timeout(REQUEST_TIME, next.run(request)).await;
    protected(answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response()))
}

/// What the link says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Link {
    address: String,
    mails: String,
    token: String,
}

#[derive(Template)]
#[template(path = "people/unsubscribe.html")]
struct Page {
    context: PageContext,
    address: String,
    /// Where the button leads: here.
    url: String,
    alerts: bool,
    stage: Stage,
}

enum Stage {
    Asked,
    Done,
    TakenBack,
    DefaultContact,
}

impl Link {
    /// Which mails of whom, when the link is one of ours.
    fn verified(&self, app: &App) -> Option<(String, UnwantedKind)> {
        let address = self.address.to_ascii_lowercase();
        let kind = UnwantedKind::parse(&self.mails)?;
        let parts = [&app.project.name, &address, kind.as_str()];
        app.signer.verify("unsubscribe", &parts, &self.token).then_some((address, kind))
    }
}

/// Mail scanners follow links: looking changes nothing.
async fn show(State(app): State<App>, Query(link): Query<Link>) -> Result<Response, PageError> {
    let Some((address, kind)) = link.verified(&app) else { return Ok(wrong_link()) };
    if must_hear(&app, &address, kind) {
        return Ok(answer(&app, address, kind, Stage::DefaultContact));
    }
    let done = app.store.is_unwanted(&address, kind).await?;
    Ok(answer(&app, address, kind, if done { Stage::Done } else { Stage::Asked }))
}

async fn save(
    State(app): State<App>,
    Query(link): Query<Link>,
    request: Request,
) -> Result<Response, PageError> {
    let Some((address, kind)) = link.verified(&app) else { return Ok(wrong_link()) };
    let Ok(body) = to_bytes(request.into_body(), MAX_BODY).await else {
        let text = "There is more in this request than a form of this page has.";
        return Ok(message(
            PageContext::default(),
            StatusCode::PAYLOAD_TOO_LARGE,
            "Not taken",
            text,
        ));
    };
    // Whatever else a mail provider may send, in whichever encoding, is the one click.
    let back = form_urlencoded::parse(&body).any(|(name, value)| name == "back" && value == "1");
    if !back && must_hear(&app, &address, kind) {
        return Ok(answer(&app, address, kind, Stage::DefaultContact));
    }
    let mut tx = app.store.write().await?;
    // Not noted among what people did: whoever has the link can do it as often as they like.
    tx.want_mails(&address, kind, back, app.clock.now()).await?;
    tx.commit().await?;
    app.wakeups.alerts.notify_one();
    tracing::info!(address, mails = kind.as_str(), back, "somebody chose about mails");
    Ok(answer(&app, address, kind, if back { Stage::TakenBack } else { Stage::Done }))
}

/// Somebody has to hear of what nobody else can be notified.
fn must_hear(app: &App, address: &str, kind: UnwantedKind) -> bool {
    kind == UnwantedKind::Alerts && is_default_contact(app, address)
}

fn answer(app: &App, address: String, kind: UnwantedKind, stage: Stage) -> Response {
    let status = match stage {
        Stage::DefaultContact => StatusCode::CONFLICT,
        _ => StatusCode::OK,
    };
    let link = links::unsubscribe(app, &address, kind.as_str());
    // The page may be open under another name than the configured one.
    let url = link.strip_prefix(&*app.base_url).unwrap_or(&link).to_owned();
    let alerts = kind == UnwantedKind::Alerts;
    page_with(status, &Page { context: PageContext::default(), address, url, alerts, stage })
}

fn wrong_link() -> Response {
    let text = "This link is not one of ours, or a part of it is missing: open it again from the \
                mail itself.";
    message(PageContext::default(), StatusCode::FORBIDDEN, "Not a link of this server", text)
}
