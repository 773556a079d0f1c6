//! Takes up rules that were changed by a page or by another process, and lets alerts go that were
//! held back for want of somebody to tell, when there may be somebody now.
use std::time::Duration;

use flawless_store::StoreError;

use crate::app::App;
use crate::notify::UNDO_MS;

const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Looks for changed rules for ever.
pub async fn run_rules(app: App) {
    let mut seen = Seen { rules: app.rules.get().revision, at: app.clock.now() };
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if let Err(error) = look(&app, &mut seen).await {
            tracing::error!(%error, "the rules could not be read; the older ones stay");
        }
    }
}

/// What held alerts were judged by.
struct Seen {
    rules: i64,
    /// When it was looked which addresses no mail goes to.
    at: i64,
}

async fn look(app: &App, seen: &mut Seen) -> Result<(), StoreError> {
    app.rules.refresh(&app.store).await?;
    let now = Seen { rules: app.rules.get().revision, at: app.clock.now() };
    let is_changed = now.rules != seen.rules;
    if is_changed || has_run_out(app, seen.at, now.at).await? {
        // What a rule sends to somebody else can be undone until then.
        let not_before = if is_changed { now.at + UNDO_MS } else { now.at };
        let mut tx = app.store.write().await?;
        tx.release_alerts(not_before).await?;
        tx.commit().await?;
        app.wakeups.alerts.notify_one();
    }
    *seen = now;
    Ok(())
}

/// Whether an alert is held back, and an address may be tried again that could not be then.
async fn has_run_out(app: &App, then: i64, now: i64) -> Result<bool, StoreError> {
    if !app.store.has_deferred_alerts().await? {
        return Ok(false);
    }
    let refused = async |at| app.store.refused_addresses(at).await;
    let (before, now) = (refused(then).await?, refused(now).await?);
    Ok(before.iter().any(|gone| !now.iter().any(|known| known.address == gone.address)))
}
