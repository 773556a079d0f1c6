//! Retention: deletes data that is older than `retention_days`.
use std::sync::Arc;
use std::time::Duration;

use flawless_store::{Retention, StoreError};

use crate::app::App;
use crate::app::projects::Projects;

const EVERY: Duration = Duration::from_secs(3_600);

/// Applies the retention of each project every hour, forever.
pub async fn run_maintenance(projects: Arc<Projects>) {
    loop {
        for app in projects.all() {
            if let Err(error) = apply(&app).await {
                let project = app.project.name();
                tracing::error!(%error, project, "old samples could not be removed");
            }
        }
        // While somebody is reading this does nothing; the next round catches up.
        if let Err(error) = projects.store().empty_journal().await {
            tracing::error!(%error, "the journal could not be emptied");
        }
        tokio::time::sleep(EVERY).await;
    }
}

async fn apply(app: &App) -> Result<(), StoreError> {
    let retention = i64::try_from(app.config.retention.as_millis()).unwrap_or(i64::MAX);
    let now = app.clock.now();
    let before = now.saturating_sub(retention);
    let baseline_until = app.baseline_until;
    let mut tx = app.store.write().await?;
    tx.apply_retention(Retention { now, before, baseline_until }).await?;
    tx.commit().await
}
