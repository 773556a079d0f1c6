//! Reloads rules that a page or another process changed, and releases alerts that had nobody to
//! notify when somebody may be reachable now.
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flawless_store::{ProjectId, StoreError};

use crate::app::App;
use crate::app::projects::Projects;
use crate::notify::UNDO_MS;

const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Looks for changed rules of all projects forever.
pub async fn run_rules(projects: Arc<Projects>) {
    let mut seen: HashMap<ProjectId, Seen> = HashMap::new();
    for app in projects.all() {
        seen.insert(app.project_id(), Seen::now(&app));
    }
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        if let Err(error) = look(&projects, &mut seen).await {
            tracing::error!(%error, "the rules could not be read; the previous ones stay in use");
        }
    }
}

/// The state under which the held alerts of a project were last tried.
struct Seen {
    rules: i64,
    /// When the refused addresses were last read.
    at: i64,
}

impl Seen {
    fn now(app: &App) -> Self {
        Self { rules: app.rules.get().revision, at: app.clock.now() }
    }
}

async fn look(projects: &Projects, seen: &mut HashMap<ProjectId, Seen>) -> Result<(), StoreError> {
    let store = projects.store();
    let deferred = store.projects_with_deferred_alerts().await?;
    for (project, revision) in store.rules_revisions().await? {
        let Some(app) = projects.get(project) else { continue };
        if revision != app.rules.get().revision {
            app.rules.refresh(&app.store).await?;
        }
        let now = Seen::now(&app);
        let before = seen.get(&project).map_or(now.rules, |seen| seen.rules);
        let since = seen.get(&project).map_or(now.at, |seen| seen.at);
        let is_changed = now.rules != before;
        if is_changed || (deferred.contains(&project) && has_run_out(&app, since, now.at).await?) {
            // Until then a rule that redirects alerts can be undone.
            let not_before = if is_changed { now.at + UNDO_MS } else { now.at };
            let mut tx = app.store.write().await?;
            tx.release_alerts(not_before).await?;
            tx.commit().await?;
            app.wakeups.alerts.notify_one();
        }
        seen.insert(project, now);
    }
    Ok(())
}

/// Whether an address that was refused at `then` may be tried again.
async fn has_run_out(app: &App, then: i64, now: i64) -> Result<bool, StoreError> {
    let refused = async |at| app.store.refused_addresses(at).await;
    let (before, now) = (refused(then).await?, refused(now).await?);
    Ok(before.iter().any(|gone| !now.iter().any(|known| known.address == gone.address)))
}
