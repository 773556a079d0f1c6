//! Reloads rules that a page or another process changed, and releases alerts that had nobody to
//! notify when somebody may be reachable now.
use std::time::Duration;

use flawless_store::StoreError;

use crate::app::App;
use crate::notify::UNDO_MS;

const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Looks for changed rules forever.
pub async fn run_rules(app: App) {
    let mut seen = Seen { rules: app.rules.get().revision, at: app.clock.now() };
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if let Err(error) = look(&app, &mut seen).await {
            tracing::error!(%error, "the rules could not be read; the previous ones stay in use");
        }
    }
}

/// The state under which the held alerts were last tried.
struct Seen {
    rules: i64,
    /// When the refused addresses were last read.
    at: i64,
}

async fn look(app: &App, seen: &mut Seen) -> Result<(), StoreError> {
    app.rules.refresh(&app.store).await?;
    let now = Seen { rules: app.rules.get().revision, at: app.clock.now() };
    let is_changed = now.rules != seen.rules;
    if is_changed || has_run_out(app, seen.at, now.at).await? {
        // Until then a rule that redirects alerts can be undone.
        let not_before = if is_changed { now.at + UNDO_MS } else { now.at };
        let mut tx = app.store.write().await?;
        tx.release_alerts(not_before).await?;
        tx.commit().await?;
        app.wakeups.alerts.notify_one();
    }
    *seen = now;
    Ok(())
}

/// Whether an alert waits, and an address that was refused at `then` may be tried again.
async fn has_run_out(app: &App, then: i64, now: i64) -> Result<bool, StoreError> {
    if !app.store.has_deferred_alerts().await? {
        return Ok(false);
    }
    let refused = async |at| app.store.refused_addresses(at).await;
    let (before, now) = (refused(then).await?, refused(now).await?);
    Ok(before.iter().any(|gone| !now.iter().any(|known| known.address == gone.address)))
}
