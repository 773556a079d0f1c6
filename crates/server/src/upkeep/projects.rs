//! Reloads projects, keys and settings that a page, the API or another process changed.
use std::sync::Arc;
use std::time::Duration;

use crate::app::projects::Projects;

const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Looks for changed projects forever.
pub async fn run_projects(projects: Arc<Projects>) {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if let Err(error) = projects.refresh().await {
            tracing::error!(%error, "projects could not be read; the previous ones stay in use");
        }
    }
}
