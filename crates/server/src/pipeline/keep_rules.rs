//! Takes up rules that were changed by a page or by another process.
use std::time::Duration;

use crate::state::Shared;
use crate::store::StoreError;

const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Looks for changed rules for ever.
pub async fn run_rules(shared: Shared) {
    let mut judged_by = shared.rules.get().revision;
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if let Err(error) = look(&shared, &mut judged_by).await {
            tracing::error!(%error, "the rules could not be read; the older ones stay");
        }
    }
}

async fn look(shared: &Shared, judged_by: &mut i64) -> Result<(), StoreError> {
    shared.rules.refresh(&shared.store).await?;
    let revision = shared.rules.get().revision;
    if revision != *judged_by {
        // Somebody whom nobody could tell may have an address now.
        let mut tx = shared.store.write().await?;
        tx.release_alerts().await?;
        tx.commit().await?;
        *judged_by = revision;
        shared.bells.alerts.notify_one();
    }
    Ok(())
}
