//! What the pages and the API are made from.
use std::sync::Arc;

use axum::extract::FromRef;

use crate::app::App;
use crate::query::QueryMemory;
use crate::sign_in::SignIn;

/// The running server, and what only pages and the API keep in memory.
#[derive(Debug, Clone)]
pub struct Site {
    /// What they share with the other parts.
    pub app: App,
    /// Of what was asked.
    pub memory: Arc<QueryMemory>,
    /// Of who signs in.
    pub sign_in: Arc<SignIn>,
}

impl Site {
    /// With nothing in memory yet.
    pub fn new(app: App) -> Self {
        let sign_in = Arc::new(SignIn::new(&app.config.sign_in));
        Self { app, memory: Arc::default(), sign_in }
    }
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
