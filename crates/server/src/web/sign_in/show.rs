//! `/sign_in`: requests a link by mail, or leads to the provider. Its answers do not reveal whether
//! an address is known.
use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use flawless_base::dates::ago;
use flawless_core::is_mailable;
use serde::Deserialize;
use url::form_urlencoded;

use super::next_page::safe;
use crate::app::App;
use crate::sign_in::{SignIn, mail_link};
use crate::web::auth::form_token::open_form;
use crate::web::auth::identify::origin;
use crate::web::layout::asked::Asked;
use crate::web::layout::page::{message, page_with};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "sign_in/show.html")]
struct Page {
    context: PageContext,
    next: String,
    /// `next` as a query.
    query: String,
    address: String,
    problem: Option<String>,
    /// The name of the provider.
    provider: Option<String>,
}

/// The page that was requested before the sign-in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    pub(crate) next: String,
}

pub(crate) async fn show(
    Asked { context, parameters: asked }: Asked<Parameters>,
    State(app): State<App>,
) -> Response {
    let next = safe(&asked.next);
    if context.visitor.is_some() {
        return Redirect::to(&next).into_response();
    }
    form(context, &app, next, String::new(), StatusCode::OK, None)
}

pub(crate) async fn send(
    context: PageContext,
    State(app): State<App>,
    State(sign_in): State<Arc<SignIn>>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let origin = origin(&app, &parts);
    let fields = match open_form(body).await {
        Ok(fields) => fields,
        Err((status, text)) => return message(context, status, "Not accepted", text),
    };
    let address = fields.get("address").trim().to_owned();
    let next = safe(fields.get("next"));
    if !is_mailable(&address) {
        let problem = "This is not a mail address. Write it like ann@example.com.".to_owned();
        return form(context, &app, next, address, StatusCode::UNPROCESSABLE_ENTITY, Some(problem));
    }
    let now = app.clock.now();
    if let Err(many) = sign_in.limits.grant(&address, origin, now) {
        let wait = ago(many.until - now);
        let problem = format!("Too many links were requested within an hour. Try again in {wait}.");
        return form(context, &app, next, address, StatusCode::TOO_MANY_REQUESTS, Some(problem));
    }
    // In the background, so that the response time reveals nothing.
    tokio::spawn(async move {
        if let Err(error) = mail_link(&app, &sign_in, &address, &next).await {
            tracing::error!(%error, "a sign-in link could not be created");
        }
    });
    Redirect::to("/sign_in/sent").into_response()
}

pub(crate) async fn sent(context: PageContext) -> Response {
    let text = "If this address may sign in, a link is on its way. It works once, within 15 \
                minutes. If none arrives, look in the junk folder, or ask an administrator whether \
                your address is allowed.";
    message(context, StatusCode::OK, "Check your mail", text)
}

fn form(
    context: PageContext,
    app: &App,
    next: String,
    address: String,
    status: StatusCode,
    problem: Option<String>,
) -> Response {
    let provider = app.config.sign_in.open_id.as_ref().map(|open_id| open_id.name.clone());
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("next", &next).finish();
    page_with(status, &Page { context, next, query, address, problem, provider })
}
