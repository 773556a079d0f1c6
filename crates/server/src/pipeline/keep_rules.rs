//! Takes up rules that were changed by a page or by another process.
use std::time::Duration;

use crate::state::Shared;

const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Looks for changed rules for ever.
pub async fn run_rules(shared: Shared) {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if let Err(error) = shared.rules.refresh(&shared.store).await {
            tracing::error!(%error, "the rules could not be read; the older ones stay");
        }
    }
}
