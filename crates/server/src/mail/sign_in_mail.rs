//! The mail with a sign-in link.
use askama::Template;
use flawless_store::{LINK_LIFE_MS, MailKind, OutboxMessage};

use super::MailError;
use super::envelope::{Body, Envelope};
use crate::app::App;

struct View<'a> {
    heading: String,
    url: &'a str,
    base_url: &'a str,
    minutes: i64,
}

#[derive(Template)]
#[template(path = "sign_in_mail.html")]
struct Html<'a> {
    mail: &'a View<'a>,
}

#[derive(Template)]
#[template(path = "sign_in_mail.txt")]
struct Text<'a> {
    mail: &'a View<'a>,
}

/// Writes the mail with the link `url`.
///
/// # Errors
/// `address` or the sender's address is invalid.
pub fn sign_in_mail(app: &App, address: &str, url: &str) -> Result<OutboxMessage, MailError> {
    let at = app.clock.now();
    let view = View {
        heading: "Sign in to Flawless".to_owned(),
        url,
        base_url: &app.server_url,
        minutes: LINK_LIFE_MS / 60_000,
    };
    let body = Body::TextAndHtml(Text { mail: &view }.render()?, Html { mail: &view }.render()?);
    let envelope = Envelope {
        app,
        kind: MailKind::SignIn,
        recipient: address,
        subject: view.heading,
        name: format!("sign-in.{at}.{}", app.next_number()),
        at,
        issue: None,
        list: None,
    };
    envelope.seal(body)
}
