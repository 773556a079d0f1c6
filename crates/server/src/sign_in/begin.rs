//! Begins a session.
use flawless_base::text::cut;
use flawless_core::Role;
use flawless_store::{NewSession, WriteTx};

use super::secret::new_secret;
use super::{Roles, SignInError};
use crate::app::App;

/// A session that has begun.
#[derive(Debug)]
pub struct SignedIn {
    /// What the browser keeps.
    pub secret: String,
    /// Who it is.
    pub address: String,
}

const USER_AGENT: usize = 200;

/// When a session that is used now ends.
pub fn expires_at(app: &App, now: i64) -> i64 {
    let life = i64::try_from(app.config.sign_in.session.as_millis()).unwrap_or(i64::MAX);
    now.saturating_add(life)
}

/// Signs in an address whose owner has been verified; `None` when it may not sign in. `how` says in
/// words how it was verified.
pub async fn begin(
    app: &App,
    address: &str,
    how: &str,
    user_agent: &str,
) -> Result<Option<SignedIn>, SignInError> {
    let address = address.to_ascii_lowercase();
    let roles = Roles::read(app, &address).await?;
    if roles.highest().is_none() {
        return Ok(None);
    }
    let mut tx = app.store.write().await?;
    let signed_in = begin_in(app, &mut tx, &address, roles.in_all(), how, user_agent).await?;
    tx.commit().await?;
    Ok(Some(signed_in))
}

/// The same within a transaction, for an address in lower case with this role in all projects.
pub(super) async fn begin_in(
    app: &App,
    tx: &mut WriteTx,
    address: &str,
    in_all: Option<Role>,
    how: &str,
    user_agent: &str,
) -> Result<SignedIn, SignInError> {
    let now = app.clock.now();
    let secret = new_secret("")?;
    let session = NewSession {
        hash: &secret.hash,
        address,
        how,
        user_agent: &cut(user_agent, USER_AGENT),
        expires_at: expires_at(app, now),
    };
    tx.add_session(&session, now).await?;
    if in_all == Some(Role::Administrator) {
        tx.note_administrator(now).await?;
        // Nobody else can become the first administrator.
        tx.remove_administrator_links().await?;
    }
    tracing::info!(address, how, "somebody signed in");
    Ok(SignedIn { secret: secret.text, address: address.to_owned() })
}
