//! Retention: deletes data that is older than `retention_days`.
use std::time::Duration;

use flawless_store::Retention;

use crate::app::App;

const EVERY: Duration = Duration::from_secs(3_600);

/// Applies the retention every hour, forever.
pub async fn run_maintenance(app: App) {
    loop {
        let retention = i64::try_from(app.config.retention.as_millis()).unwrap_or(i64::MAX);
        let now = app.clock.now();
        let before = now.saturating_sub(retention);
        let baseline_until = app.baseline_until;
        let delete = async {
            let mut tx = app.store.write().await?;
            tx.apply_retention(Retention { now, before, baseline_until }).await?;
            tx.commit().await?;
            // While somebody is reading this does nothing; the next round catches up.
            app.store.empty_journal().await
        };
        if let Err(error) = delete.await {
            tracing::error!(%error, "old samples could not be removed");
        }
        tokio::time::sleep(EVERY).await;
    }
}
