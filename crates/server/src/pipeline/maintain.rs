//! Forgets what is older than `retention_days`.
use std::time::Duration;

use crate::state::Shared;

const EVERY: Duration = Duration::from_secs(3_600);

/// Forgets for ever.
pub async fn run_maintenance(shared: Shared) {
    loop {
        let retention = i64::try_from(shared.config.retention.as_millis()).unwrap_or(i64::MAX);
        let before = shared.clock.now().saturating_sub(retention);
        let forget = async {
            let mut tx = shared.store.write().await?;
            tx.forget(before).await?;
            tx.commit().await
        };
        if let Err(error) = forget.await {
            tracing::error!(%error, "old samples could not be removed");
        }
        tokio::time::sleep(EVERY).await;
    }
}
