//! `/sign_in/oidc`: to the OpenID Connect provider and back.
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flawless_base::text::one_line;
use serde::Deserialize;

use super::link::{signed_in_to, user_agent};
use super::next_page::safe;
use super::show::Parameters;
use crate::app::App;
use crate::sign_in::{OpenIdError, SignIn, TICKET_LIFE_MS, begin};
use crate::web::auth::cookies::Kept;
use crate::web::layout::page::{PageError, message, not_found};
use crate::web::layout::visitor::PageContext;

/// A longer page is not kept during the sign-in: browsers limit a cookie to 4,096 bytes.
const MAX_NEXT: usize = 2_500;

pub(crate) async fn leave(
    context: PageContext,
    State(app): State<App>,
    State(sign_in): State<Arc<SignIn>>,
    Query(asked): Query<Parameters>,
) -> Response {
    let Some(open_id) = &sign_in.open_id else { return not_found(context).await };
    let begun = match open_id.begin(&app).await {
        Ok(begun) => begun,
        Err(error) => return problem(context, &error),
    };
    let kept = kept(&begun.ticket, &asked.next);
    let mut response = Redirect::to(&begun.url).into_response();
    if let Some(cookie) = Kept::OpenId.write(&app, &kept, TICKET_LIFE_MS / 1000) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// The value of the cookie that the browser keeps until it returns.
fn kept(ticket: &str, next: &str) -> String {
    let mut next = safe(next);
    if next.len() > MAX_NEXT {
        "/".clone_into(&mut next);
    }
    format!("{ticket}.{}", BASE64_URL_SAFE_NO_PAD.encode(next))
}

/// The parameters with which the provider sends the browser back.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Back {
    code: String,
    state: String,
    error: String,
    error_description: String,
}

pub(crate) async fn come_back(
    context: PageContext,
    State(app): State<App>,
    State(sign_in): State<Arc<SignIn>>,
    headers: HeaderMap,
    Query(back): Query<Back>,
) -> Result<Response, PageError> {
    let Some(open_id) = &sign_in.open_id else { return Ok(not_found(context).await) };
    let kept = Kept::OpenId.read(&app, &headers).unwrap_or_default();
    let (ticket, next) = kept.rsplit_once('.').unwrap_or_default();
    let next = BASE64_URL_SAFE_NO_PAD.decode(next).unwrap_or_default();
    let next = safe(&String::from_utf8_lossy(&next));
    if !back.error.is_empty() {
        let said = format!("{} {}", back.error, back.error_description);
        return Ok(problem(context, &OpenIdError::Refused(one_line(&said, 300))));
    }
    let address = match open_id.finish(&app, ticket, &back.state, &back.code).await {
        Ok(address) => address,
        Err(error) => return Ok(problem(context, &error)),
    };
    let agent = user_agent(&headers);
    let Some(signed_in) = begin(&app, &address, "OpenID Connect", &agent).await? else {
        let text = format!(
            "The provider says that you are {address}, but this address may not sign in here. An \
             administrator can allow it."
        );
        return Ok(message(context, StatusCode::FORBIDDEN, "Not allowed", &text));
    };
    let mut response = signed_in_to(&app, &context, &signed_in, &next).await?;
    if let Some(cookie) = Kept::OpenId.write(&app, "", 0) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn problem(context: PageContext, error: &OpenIdError) -> Response {
    let status = match error {
        OpenIdError::Provider { .. } => StatusCode::BAD_GATEWAY,
        OpenIdError::Random(_) => StatusCode::INTERNAL_SERVER_ERROR,
        OpenIdError::Stale => StatusCode::BAD_REQUEST,
        _ => StatusCode::FORBIDDEN,
    };
    tracing::warn!(%error, "a sign-in with OpenID Connect failed");
    let mut text = format!("{error}. Try again at /sign_in, or request a link by mail there.");
    text[..1].make_ascii_uppercase();
    message(context, status, "You are not signed in", &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_fits_however_long_the_next_page_is() {
        let ticket = format!("1795000000000.{}", "a".repeat(64));
        for (length, is_kept) in [(1, true), (MAX_NEXT, true), (MAX_NEXT + 1, false)] {
            let next = format!("/{}", "b".repeat(length - 1));
            let kept = kept(&ticket, &next);
            assert!(kept.len() < 3_900, "with room for its name and attributes");
            let back = kept.rsplit_once('.').map(|(_, next)| BASE64_URL_SAFE_NO_PAD.decode(next));
            let back = back.expect("a page").expect("base64");
            assert_eq!(back, if is_kept { next.as_bytes() } else { b"/" });
        }
    }
}
