//! Reloads projects and keys that another process changed.
use std::time::Duration;

use crate::app::App;

const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Looks for changed projects forever.
pub async fn run_projects(app: App) {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if let Err(error) = app.refresh_project().await {
            tracing::error!(%error, "projects could not be read; the previous keys stay in use");
        }
    }
}
