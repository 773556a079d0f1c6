//! Identifies who sends a request: by a token, by a trusted proxy's header, or by a session.
use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use flawless_base::text::one_line;
use flawless_core::{Role, is_mailable};
use flawless_store::StoreError;

use super::cookies::Kept;
use crate::app::App;
use crate::listen::peer::forwarded_for;
use crate::sign_in::{Roles, expires_at, hash};
use crate::web::layout::visitor::{LOCAL, Proof, Refused, Visitor};
use crate::web::site::Site;

/// What is known about the sender of a request.
#[derive(Debug, Default)]
pub(crate) struct Identified {
    pub(crate) visitor: Option<Visitor>,
    /// A known person who may not see anything.
    pub(crate) refused: Option<Refused>,
    /// Renews the session's cookie.
    pub(crate) cookie: Option<HeaderValue>,
}

/// Every API token begins with this.
pub(crate) const TOKEN_PREFIX: &str = "flw_";
/// How often, at most, the use of a session and of a token is recorded.
const SEEN_EVERY_MS: i64 = 3_600_000;
const USED_EVERY_MS: i64 = 600_000;

/// Whether a path belongs to the API.
pub(crate) fn is_api(path: &str) -> bool {
    path.starts_with("/api/")
}

pub(crate) async fn find(site: &Site, parts: &Parts) -> Result<Identified, StoreError> {
    let app = &site.app;
    if !app.config.sign_in.required {
        let name = LOCAL.to_owned();
        let role = Role::Administrator;
        let proof = Proof::Local;
        let projects = app.projects.all().into_iter().map(|app| (app, role)).collect();
        return Ok(known(Visitor { name, role, role_in_all: Some(role), projects, proof }));
    }
    let headers = &parts.headers;
    if is_api(parts.uri.path())
        && let Some(token) = bearer(headers)
    {
        return by_token(app, token).await;
    }
    if let Some(address) = proxied(app, parts) {
        let roles = Roles::read(app, &address).await?;
        let Some(role) = roles.here() else { return Ok(refused(address, &roles)) };
        if roles.in_all() == Some(Role::Administrator) {
            site.sign_in.note_administrator(app).await.unwrap_or_else(not_noted);
        }
        let (role_in_all, projects) = (roles.in_all(), roles.projects());
        let proof = Proof::Proxy;
        return Ok(known(Visitor { name: address, role, role_in_all, projects, proof }));
    }
    by_session(app, headers).await
}

fn known(visitor: Visitor) -> Identified {
    Identified { visitor: Some(visitor), ..Identified::default() }
}

fn refused(address: String, roles: &Roles) -> Identified {
    let projects = roles.projects();
    let refused = Refused { address, session: None, projects };
    Identified { refused: Some(refused), ..Identified::default() }
}

/// The token that a program sends; credentials for a proxy do not count.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let line = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = line.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

async fn by_token(app: &App, token: &str) -> Result<Identified, StoreError> {
    let now = app.clock.now();
    if !token.starts_with(TOKEN_PREFIX) {
        return Ok(Identified::default());
    }
    let Some(row) = app.store.token(&hash(token), now).await? else {
        return Ok(Identified::default());
    };
    // The role of the owner may have changed since the token was created.
    let owner = Roles::read(app, &row.created_by).await?;
    let (Some(here), Some(role)) = (owner.here(), Role::parse(&row.role)) else {
        return Ok(refused(row.created_by, &owner));
    };
    if row.last_used_at.is_none_or(|at| now - at >= USED_EVERY_MS) {
        let noted = async {
            let mut tx = app.store.write().await?;
            tx.token_used(row.id, now).await?;
            tx.commit().await
        };
        noted.await.unwrap_or_else(not_noted);
    }
    let name = format!("token {} (of {})", one_line(&row.name, 100), row.created_by);
    let role_in_all = owner.in_all().map(|owner| role.min(owner));
    let projects = owner.projects().into_iter().map(|(app, owner)| (app, role.min(owner)));
    let (role, projects, proof) = (role.min(here), projects.collect(), Proof::Token);
    Ok(known(Visitor { name, role, role_in_all, projects, proof }))
}

async fn by_session(app: &App, headers: &HeaderMap) -> Result<Identified, StoreError> {
    let now = app.clock.now();
    let Some(secret) = Kept::Session.read(app, headers) else { return Ok(Identified::default()) };
    let hash = hash(&secret);
    let Some(session) = app.store.session(&hash, now).await? else {
        return Ok(Identified::default());
    };
    let roles = Roles::read(app, &session.address).await?;
    let Some(role) = roles.here() else {
        let (address, projects) = (session.address, roles.projects());
        let refused = Refused { address, session: Some((session.id, hash)), projects };
        return Ok(Identified { refused: Some(refused), ..Identified::default() });
    };
    let mut cookie = None;
    if now - session.last_seen_at >= SEEN_EVERY_MS {
        let expires_at = expires_at(app, now);
        let renewed = async {
            let mut tx = app.store.write().await?;
            tx.renew_session(session.id, now, expires_at).await?;
            tx.commit().await
        };
        match renewed.await {
            Ok(()) => cookie = Kept::Session.write(app, &secret, (expires_at - now) / 1000),
            Err(error) => not_noted(error),
        }
    }
    let proof = Proof::Session { id: session.id, hash };
    let (role_in_all, projects) = (roles.in_all(), roles.projects());
    let visitor = Visitor { name: session.address, role, role_in_all, projects, proof };
    Ok(Identified { cookie, ..known(visitor) })
}

/// Only logs the error: a full disk must not block the page that reports it.
fn not_noted(error: StoreError) {
    tracing::warn!(%error, "a visit could not be recorded");
}

/// The visitor's address in a trusted proxy's header. Two headers count as none: one is forged.
fn proxied(app: &App, parts: &Parts) -> Option<String> {
    let config = &app.config.sign_in;
    let header = config.proxy_header.as_ref()?;
    peer(parts).filter(|peer| config.trusts(*peer))?;
    let mut values = parts.headers.get_all(header).iter();
    let (value, None) = (values.next()?, values.next()) else { return None };
    let address = value.to_str().ok()?.trim().to_ascii_lowercase();
    is_mailable(&address).then_some(address)
}

fn peer(parts: &Parts) -> Option<IpAddr> {
    let info = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    info.map(|ConnectInfo(peer)| peer.ip().to_canonical())
}

/// The address that a request really comes from; `None` when it is unknown, because the request
/// comes from a proxy on this machine that is not one of `trusted_proxies`.
pub(crate) fn origin(app: &App, parts: &Parts) -> Option<IpAddr> {
    let config = &app.config.sign_in;
    let peer = peer(parts)?;
    if !config.trusts(peer) {
        return Some(peer).filter(|peer| !peer.is_loopback());
    }
    forwarded_for(&parts.headers, |hop| config.trusts(hop))
}
