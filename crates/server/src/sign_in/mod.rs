//! Signing in: who may, how, and what is remembered of it, for pages, commands and the API alike.

mod begin;
mod limits;
mod links;
mod open_id;
mod secret;
mod who_may;

use std::sync::atomic::{AtomicBool, Ordering};

pub use begin::{SignedIn, begin, expires_at};
pub use limits::{Limits, TooMany};
pub use links::{UsedLink, administrator_link, first_link, link_for, mail_link, use_link};
pub use open_id::{Begun, OpenId, OpenIdError, TICKET_LIFE_MS};
pub use secret::{NewSecret, hash, new_secret};
pub use who_may::{RoleWithReason, Roles, highest_role_of, role_of, role_with_reason};

use crate::app::App;
use crate::config::SignInConfig;
use flawless_store::StoreError;

/// What signing in keeps in memory.
#[derive(Debug)]
pub struct SignIn {
    /// How many links were requested.
    pub limits: Limits,
    /// The OpenID Connect provider, if there is one.
    pub open_id: Option<OpenId>,
    /// Whether the store knows that an administrator has signed in.
    administrator_noted: AtomicBool,
}

/// Why nobody could be signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system provides no random numbers.
    #[error("nobody can sign in: the system provides no random numbers: {0}")]
    Random(#[from] getrandom::Error),
}

impl SignIn {
    /// A state with nothing requested yet.
    pub fn new(config: &SignInConfig) -> Self {
        Self {
            limits: Limits::default(),
            open_id: config.open_id.as_ref().map(OpenId::new),
            administrator_noted: AtomicBool::new(false),
        }
    }

    /// Records that an administrator has signed in: no more links for the first one are made.
    pub async fn note_administrator(&self, app: &App) -> Result<(), StoreError> {
        if self.administrator_noted.load(Ordering::Relaxed) {
            return Ok(());
        }
        if !app.store.had_administrator().await? {
            let mut tx = app.store.write().await?;
            tx.note_administrator(app.clock.now()).await?;
            tx.commit().await?;
        }
        self.administrator_noted.store(true, Ordering::Relaxed);
        Ok(())
    }
}
