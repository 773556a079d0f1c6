//! One-time sign-in links: by mail, by a command on the server's machine, and the administrator's.
use flawless_core::Role;
use flawless_store::{GivenRole, LINK_LIFE_MS, LinkKind, NewLink, RoleScope};

use super::begin::{SignedIn, begin_in};
use super::secret::{hash, new_secret};
use super::{Roles, SignIn, SignInError, highest_role_of};
use crate::app::App;
use crate::mail::sign_in_mail;
use crate::show::links;

/// For a link that is printed on the server's machine.
const PRINTED_LIFE_MS: i64 = 24 * 3_600_000;

/// The result of using a link.
#[derive(Debug)]
pub enum UsedLink {
    /// It signed somebody in, and leads to this page.
    SignedIn(SignedIn, String),
    /// It was used, has expired, or never existed.
    Gone,
    /// Its address may no longer sign in.
    NotAllowed,
    /// It is the administrator's, and needs an address.
    NeedsAddress,
}

/// Puts a mail with a link into the outbox, if the address may sign in and has not got too many.
pub async fn mail_link(
    app: &App,
    sign_in: &SignIn,
    address: &str,
    next: &str,
) -> Result<(), SignInError> {
    if highest_role_of(app, address).await?.is_none() {
        return Ok(());
    }
    let now = app.clock.now();
    let address = address.to_ascii_lowercase();
    let is_known = is_known(app, &address).await?;
    if sign_in.limits.grant_mail(&address, is_known, now).is_err() {
        tracing::warn!(address, "no sign-in link is sent: there were too many within an hour");
        return Ok(());
    }
    let secret = new_secret("")?;
    let mail = sign_in_mail(app, &address, &links::sign_in(&app.server_url, &secret.text));
    let mail = match mail {
        Ok(mail) => mail,
        Err(error) => {
            tracing::error!(%error, address, "a mail with a sign-in link cannot be written");
            return Ok(());
        }
    };
    let link = NewLink {
        hash: &secret.hash,
        kind: LinkKind::Mail,
        address: Some(&address),
        next,
        expires_at: now + LINK_LIFE_MS,
    };
    let mut tx = app.store.write().await?;
    tx.add_sign_in_link(&link, now).await?;
    tx.add_mail(&mail, now).await?;
    tx.commit().await?;
    app.wakeups.outbox.notify_one();
    Ok(())
}

/// Whether the installation knows a person by this address, and not only the domain.
async fn is_known(app: &App, address: &str) -> Result<bool, SignInError> {
    let config = &app.config.sign_in;
    if config.administrators.contains(address) || config.allowed_emails.contains(address) {
        return Ok(true);
    }
    if app.store.given_role(address).await?.is_some() {
        return Ok(true);
    }
    Ok(app.store.has_issues_of(address).await?)
}

/// A link for the first administrator, until there is one and while people have to sign in.
pub async fn first_link(app: &App) -> Result<Option<String>, SignInError> {
    if !app.config.sign_in.required || app.store.had_administrator().await? {
        return Ok(None);
    }
    link_for_administrator(app, LinkKind::Administrator).await.map(Some)
}

/// A link for an administrator, printed on the server's machine: for the only one in the
/// configuration, else for the person who opens it.
pub async fn administrator_link(app: &App) -> Result<String, SignInError> {
    link_for_administrator(app, LinkKind::Command).await
}

async fn link_for_administrator(app: &App, kind: LinkKind) -> Result<String, SignInError> {
    let mut administrators = app.config.sign_in.administrators.iter();
    let only = match (administrators.next(), administrators.next()) {
        (Some(only), None) => Some(only.as_str()),
        _ => None,
    };
    printed_link(app, kind, only).await
}

/// A link for an address; `None` when it may not sign in.
pub async fn link_for(app: &App, address: &str) -> Result<Option<String>, SignInError> {
    let address = address.to_ascii_lowercase();
    if highest_role_of(app, &address).await?.is_none() {
        return Ok(None);
    }
    printed_link(app, LinkKind::Command, Some(&address)).await.map(Some)
}

async fn printed_link(
    app: &App,
    kind: LinkKind,
    address: Option<&str>,
) -> Result<String, SignInError> {
    let now = app.clock.now();
    let secret = new_secret("")?;
    let expires_at = now + PRINTED_LIFE_MS;
    let link = NewLink { hash: &secret.hash, kind, address, next: "/", expires_at };
    let mut tx = app.store.write().await?;
    tx.add_sign_in_link(&link, now).await?;
    tx.commit().await?;
    Ok(links::sign_in(&app.server_url, &secret.text))
}

/// Uses a link; `typed` is the address that was entered for an administrator's link.
pub async fn use_link(
    app: &App,
    secret: &str,
    typed: Option<&str>,
    user_agent: &str,
) -> Result<UsedLink, SignInError> {
    let (now, hash) = (app.clock.now(), hash(secret));
    let Some(link) = app.store.sign_in_link(&hash, now).await? else {
        return Ok(UsedLink::Gone);
    };
    let administrator = Some(Role::Administrator);
    let (address, role, in_all) = match (&link.address, typed) {
        (Some(address), _) => {
            let roles = Roles::read(app, address).await?;
            (address.clone(), roles.highest(), roles.in_all())
        }
        (None, Some(typed)) => (typed.to_ascii_lowercase(), administrator, administrator),
        (None, None) => return Ok(UsedLink::NeedsAddress),
    };
    let how = match link.kind.as_str() {
        "mail" => "a link by mail",
        "command" => "a link from flawless sign-in-link",
        _ => "the administrator's link",
    };
    let mut tx = app.store.write().await?;
    if !tx.use_sign_in_link(&hash, now).await? {
        return Ok(UsedLink::Gone);
    }
    let Some(role) = role else {
        tx.commit().await?;
        return Ok(UsedLink::NotAllowed);
    };
    if link.address.is_none() {
        let role = GivenRole::Role(role);
        tx.give_role(&address, RoleScope::AllProjects, role, now, how).await?;
    }
    let signed_in = begin_in(app, &mut tx, &address, in_all, how, user_agent).await?;
    tx.commit().await?;
    Ok(UsedLink::SignedIn(signed_in, link.next))
}
