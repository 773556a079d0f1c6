//! `/unsubscribe`: ends a kind of mails to one address, by the link in the mail.
//!
//! Mail providers press the button for their users, from their own machines (RFC 8058). So the page
//! answers under any host name and to any site, and only the token in the link counts.
use std::time::Duration;

use askama::Template;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use flawless_store::{DEFAULT_PROJECT, ProjectId, UnwantedKind};
use serde::Deserialize;
use tokio::time::timeout;
use url::form_urlencoded;

use crate::actions::is_default_contact;
use crate::app::App;
use crate::show::links;
use crate::web::auth::security::protected;
use crate::web::layout::page::{PageError, message, page_with};
use crate::web::layout::visitor::PageContext;

/// How long a request may take.
const REQUEST_TIME: Duration = Duration::from_secs(10);
/// Our own form has a few bytes, a mail provider's a few hundred.
const MAX_BODY: usize = 16 * 1024;

/// The router of `/unsubscribe`.
pub(crate) fn unsubscribe_router(app: App) -> Router {
    Router::new()
        .route("/unsubscribe", get(show).post(save))
        .layer(from_fn(bounded))
        .with_state(app)
}

async fn bounded(request: Request, next: Next) -> Response {
    let answer = timeout(REQUEST_TIME, next.run(request)).await;
    protected(answer.unwrap_or_else(|_| StatusCode::REQUEST_TIMEOUT.into_response()))
}

/// The parameters of the link.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Link {
    /// The number of the project; that of the first one is left out.
    project: Option<ProjectId>,
    address: String,
    mails: String,
    token: String,
}

#[derive(Template)]
#[template(path = "people/unsubscribe.html")]
struct Page {
    context: PageContext,
    address: String,
    /// This page, to which the button posts.
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
    /// What the link is about, when its token is valid.
    fn verified(&self, first: &App) -> Option<Verified> {
        let project = self.project.unwrap_or(DEFAULT_PROJECT);
        let app = first.projects.get(project)?;
        let address = self.address.to_ascii_lowercase();
        let kind = UnwantedKind::parse(&self.mails)?;
        let parts = [&project.to_string(), &address, kind.as_str()];
        let is_valid = app.signer.verify("unsubscribe", &parts, &self.token);
        is_valid.then_some(Verified { app, address, kind })
    }
}

/// The mails that a link is about.
struct Verified {
    app: App,
    address: String,
    kind: UnwantedKind,
}

impl Verified {
    /// Somebody has to get the alerts that nobody else can get.
    fn must_hear(&self) -> bool {
        self.kind == UnwantedKind::Alerts && is_default_contact(&self.app, &self.address)
    }

    fn answer(self, stage: Stage) -> Response {
        let status = match stage {
            Stage::DefaultContact => StatusCode::CONFLICT,
            _ => StatusCode::OK,
        };
        let link = links::unsubscribe(&self.app, &self.address, self.kind.as_str());
        // The page may be open under a host name other than the configured one.
        let url = link.strip_prefix(&*self.app.server_url).unwrap_or(&link).to_owned();
        let alerts = self.kind == UnwantedKind::Alerts;
        let (context, address) = (PageContext::default(), self.address);
        page_with(status, &Page { context, address, url, alerts, stage })
    }
}

/// Changes nothing, because mail scanners follow links.
async fn show(State(first): State<App>, Query(link): Query<Link>) -> Result<Response, PageError> {
    let Some(link) = link.verified(&first) else { return Ok(wrong_link()) };
    if link.must_hear() {
        return Ok(link.answer(Stage::DefaultContact));
    }
    let done = link.app.store.is_unwanted(&link.address, link.kind).await?;
    Ok(link.answer(if done { Stage::Done } else { Stage::Asked }))
}

async fn save(
    State(first): State<App>,
    Query(link): Query<Link>,
    request: Request,
) -> Result<Response, PageError> {
    let Some(link) = link.verified(&first) else { return Ok(wrong_link()) };
    let Ok(body) = to_bytes(request.into_body(), MAX_BODY).await else {
        let text = "The request is larger than any form of this page.";
        return Ok(message(
            PageContext::default(),
            StatusCode::PAYLOAD_TOO_LARGE,
            "Not accepted",
            text,
        ));
    };
    // Anything else that a mail provider sends, in any encoding, is its one-click request.
    let back = form_urlencoded::parse(&body).any(|(name, value)| name == "back" && value == "1");
    if !back && link.must_hear() {
        return Ok(link.answer(Stage::DefaultContact));
    }
    let Verified { app, address, kind } = &link;
    let mut tx = app.store.write().await?;
    // Not logged as an action: anybody who has the link can do this as often as they like.
    tx.want_mails(address, *kind, back, app.clock.now()).await?;
    tx.commit().await?;
    app.wakeups.alerts.notify_one();
    tracing::info!(address, mails = kind.as_str(), back, "a mail subscription changed");
    Ok(link.answer(if back { Stage::TakenBack } else { Stage::Done }))
}

fn wrong_link() -> Response {
    let text = "This link was not made by this server, or a part of it is missing. Open it again \
                from the mail itself.";
    message(PageContext::default(), StatusCode::FORBIDDEN, "Invalid link", text)
}
