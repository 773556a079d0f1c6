//! `/sign_in/link`: a link that signs in once. Mail scanners follow links, so opening it does
//! nothing. Its button signs in, only in the browser that shows it: no other site can press it with
//! a link of its own.
use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use flawless_core::is_mailable;
use serde::Deserialize;

use crate::app::App;
use crate::sign_in::{SignInError, SignedIn, UsedLink, hash, new_secret, use_link};
use crate::web::auth::cookies::Kept;
use crate::web::auth::form_token::open_form;
use crate::web::layout::asked::Asked;
use crate::web::layout::page::{PageError, message, page_with};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "sign_in/link.html")]
struct Page {
    context: PageContext,
    token: String,
    /// Whom it signs in; `None` for the administrator, who enters an address.
    address: Option<String>,
    typed: String,
    problem: Option<&'static str>,
    /// The signature of this browser's cookie.
    browser: String,
}

/// How long the page with the button may stay open, in seconds.
const LIFE: i64 = 24 * 3600;
/// The purpose of the signature that the form carries.
const PURPOSE: &str = "sign_in_link";

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Link {
    token: String,
}

pub(crate) async fn show(
    Asked { context, parameters: link }: Asked<Link>,
    State(app): State<App>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    // One cookie for all links that a browser shows at the same time.
    let kept = match Kept::Link.read(&app, &headers).filter(|kept| !kept.is_empty()) {
        Some(kept) => kept,
        None => new_secret("").map_err(SignInError::from)?.text,
    };
    let mut response = form(context, &app, &kept, link.token, String::new(), None).await?;
    if response.status() == StatusCode::OK
        && let Some(cookie) = Kept::Link.write(&app, &kept, LIFE)
    {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    request: Request,
) -> Result<Response, PageError> {
    let agent = user_agent(request.headers());
    let kept = Kept::Link.read(&app, request.headers()).unwrap_or_default();
    let fields = match open_form(request.into_body()).await {
        Ok(fields) => fields,
        Err((status, text)) => return Ok(message(context, status, "Not accepted", text)),
    };
    if kept.is_empty() || !app.signer.verify(PURPOSE, &[&kept], fields.get("browser")) {
        let text = "This form belongs to another browser, or is too old. Open the link again and \
                    press its button; the browser has to accept cookies.";
        return Ok(message(context, StatusCode::FORBIDDEN, "Not accepted", text));
    }
    let (token, typed) = (fields.get("token").to_owned(), fields.get("address").trim().to_owned());
    if !typed.is_empty() && !is_mailable(&typed) {
        let problem = "This is not a mail address. Write it like ann@example.com.";
        return form(context, &app, &kept, token, typed, Some(problem)).await;
    }
    let address = Some(typed.as_str()).filter(|typed| !typed.is_empty());
    match use_link(&app, &token, address, &agent).await? {
        UsedLink::SignedIn(signed_in, next) => {
            signed_in_to(&app, &context, &signed_in, &next).await
        }
        UsedLink::Gone => Ok(gone(context)),
        UsedLink::NotAllowed => {
            let text = "Your address may no longer sign in. An administrator can allow it.";
            Ok(message(context, StatusCode::FORBIDDEN, "Not allowed", text))
        }
        UsedLink::NeedsAddress => {
            let problem = "Enter your mail address.";
            form(context, &app, &kept, token, typed, Some(problem)).await
        }
    }
}

async fn form(
    context: PageContext,
    app: &App,
    kept: &str,
    token: String,
    typed: String,
    problem: Option<&'static str>,
) -> Result<Response, PageError> {
    let Some(link) = app.store.sign_in_link(&hash(&token), app.clock.now()).await? else {
        return Ok(gone(context));
    };
    let status = if problem.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let browser = app.signer.sign(PURPOSE, &[kept]);
    Ok(page_with(status, &Page { context, token, address: link.address, typed, problem, browser }))
}

fn gone(context: PageContext) -> Response {
    let text = "This link was already used, or has expired. Request another one at /sign_in; for \
                the administrator, flawless sign-in-link prints one.";
    message(context, StatusCode::GONE, "This link does not work", text)
}

/// The response to a sign-in: the session's cookie, and a redirect to the requested page.
pub(crate) async fn signed_in_to(
    app: &App,
    context: &PageContext,
    signed_in: &SignedIn,
    next: &str,
) -> Result<Response, PageError> {
    if let Some((id, address)) = context.session() {
        // The browser is about to lose the cookie of the session before.
        let mut tx = app.store.write().await?;
        tx.end_session(id, address).await?;
        tx.commit().await?;
    }
    let life = i64::try_from(app.config.sign_in.session.as_secs()).unwrap_or(i64::MAX);
    let mut response = Redirect::to(next).into_response();
    if let Some(cookie) = Kept::Session.write(app, &signed_in.secret, life) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The header `User-Agent`.
pub(crate) fn user_agent(headers: &HeaderMap) -> String {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    agent.unwrap_or_default().to_owned()
}
