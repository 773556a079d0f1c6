//! The state behind the pages and the API.
use std::sync::Arc;

use axum::extract::FromRef;

use crate::app::App;
use crate::query::QueryMemory;
use crate::sign_in::SignIn;

/// The shared parts of the server, and the memory that only pages and the API use.
#[derive(Debug, Clone)]
pub struct Site {
    /// The parts shared with the rest of the server.
    pub app: App,
    /// Caches and limits of queries.
    pub memory: Arc<QueryMemory>,
    /// Limits and provider of the sign-in.
    pub sign_in: Arc<SignIn>,
}

impl FromRef<Site> for App {
    fn from_ref(site: &Site) -> Self {
        site.app.clone()
    }
}

impl FromRef<Site> for Arc<QueryMemory> {
    fn from_ref(site: &Site) -> Self {
        site.memory.clone()
    }
}

impl FromRef<Site> for Arc<SignIn> {
    fn from_ref(site: &Site) -> Self {
        site.sign_in.clone()
    }
}
