//! `/account/create_token`: creates an API token and shows it once.
use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_base::text::one_line;
use flawless_core::Role;
use flawless_store::{MAX_TOKENS, NewToken};
use serde::Deserialize;

use crate::app::App;
use crate::sign_in::new_secret;
use crate::web::auth::identify::TOKEN_PREFIX;
use crate::web::layout::moment::Moment;
use crate::web::layout::page::{PageError, message, page};
use crate::web::layout::visitor::PageContext;

#[derive(Template)]
#[template(path = "account/token_create.html")]
struct Page {
    context: PageContext,
    name: String,
    token: String,
    role: String,
    expires: Moment,
    url: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Fields {
    name: String,
    role: String,
    days: String,
}

/// Lists have no space for a longer name.
const NAME: usize = 100;
const PREFIX: usize = TOKEN_PREFIX.len() + 6;
const MAX_DAYS: i64 = 365;

pub(crate) async fn save(
    context: PageContext,
    State(app): State<App>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let wrong =
        |context, text| Ok(message(context, StatusCode::UNPROCESSABLE_ENTITY, "Not created", text));
    let Some((owner, most)) = context.address().zip(context.visitor.as_ref().map(|one| one.role))
    else {
        return wrong(context, "Sign-in is off, so the API needs no token.");
    };
    let name = one_line(&fields.name, NAME);
    if name.is_empty() {
        return wrong(context, "The token has no name. Go back and enter one.");
    }
    let Some(role) = Role::parse(&fields.role).filter(|role| *role <= most) else {
        return wrong(
            context,
            "The role is unknown or higher than your own. Go back and choose another.",
        );
    };
    let days = fields.days.parse::<i64>().ok().filter(|days| (1..=MAX_DAYS).contains(days));
    let Some(days) = days else {
        return wrong(context, "The token has to expire after 1 to 365 days. Go back and choose.");
    };
    let now = app.clock.now();
    let expires_at = now + days * 86_400_000;
    let secret = new_secret(TOKEN_PREFIX).map_err(crate::sign_in::SignInError::from)?;
    let new = NewToken {
        hash: &secret.hash,
        prefix: &secret.text[..PREFIX],
        name: &name,
        role: role.as_str(),
        owner,
        expires_at,
    };
    let mut tx = app.store.write().await?;
    if !tx.add_token(&new, now).await? {
        let text = format!("You already have {MAX_TOKENS} tokens. Revoke those that nothing uses.");
        return Ok(message(context, StatusCode::CONFLICT, "Not created", &text));
    }
    tx.commit().await?;
    tracing::info!(owner, name, %role, "an API token was created");
    let role = role.to_string();
    let expires = Moment::new(expires_at, &app);
    let url = format!("{}/api/v1/me", app.base_url);
    Ok(page(&Page { context, name, token: secret.text, role, expires, url }))
}
