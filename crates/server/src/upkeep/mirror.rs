//! Opens the repository and keeps it up to date.
use std::sync::Arc;

use flawless_git::{Mirror, MirrorSettings, Source};
use flawless_store::{StoreError, StoredFacts};

use crate::app::App;
use crate::attribution::{Repo, mirror_settings};

/// Opens the repository, then fetches forever.
pub async fn run_mirror(app: App) {
    let Some(source) = app.config.repository.clone() else { return };
    let interval = match source {
        Source::Clone { .. } => app.config.mirror.fetch,
        Source::Folder(_) => app.config.mirror.folder,
    };
    let scratch = app.config.data_dir.clone();
    let settings = MirrorSettings {
        facts: Some(Arc::new(StoredFacts::new(app.store.clone()))),
        ..mirror_settings(&app.config, source, scratch)
    };
    let mirror = open(&app, settings).await;
    loop {
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = mirror.fetch_is_asked_for() => {}
        }
        let fetched = mirror.fetch().await;
        let now = app.clock.now();
        let is_fetched = fetched.is_ok();
        app.repo.update(|state| match fetched {
            Ok(_) => {
                state.fetched_at = Some(now);
                state.failing = None;
            }
            Err(error) => {
                tracing::warn!(%error, "the repository could not be brought up to date");
                let since = state.failing.as_ref().map_or(now, |(since, _)| *since);
                state.failing = Some((since, error.to_string()));
            }
        });
        if is_fetched && let Err(error) = release(&app, now).await {
            tracing::error!(%error, "reports that wait for a fetch could not be released");
        }
    }
}

/// Releases the reports that waited for a fetch.
async fn release(app: &App, now: i64) -> Result<(), StoreError> {
    let mut tx = app.store.write().await?;
    let any = tx.release_fetched(now).await?;
    tx.commit().await?;
    if any {
        app.wakeups.pending.notify_one();
    }
    Ok(())
}

async fn open(app: &App, settings: MirrorSettings) -> Arc<Mirror> {
    loop {
        let opened = Mirror::open(settings.clone()).await;
        let now = app.clock.now();
        match opened {
            Ok(mirror) => {
                if mirror.repository().is_shallow().await.unwrap_or(false) {
                    tracing::warn!(
                        "the repository is a shallow clone: lines older than its border cannot be \
                         blamed; git fetch --unshallow brings the rest"
                    );
                }
                let mirror = Arc::new(mirror);
                app.repo.update(|state| {
                    state.repo = Repo::Ready(mirror.clone());
                    state.fetched_at = Some(now);
                    state.failing = None;
                });
                app.wakeups.pending.notify_one();
                return mirror;
            }
            Err(error) => {
                tracing::error!(%error, "the repository cannot be opened");
                app.repo.update(|state| {
                    let since = state.failing.as_ref().map_or(now, |(since, _)| *since);
                    state.repo = Repo::Failed(error.to_string());
                    state.failing = Some((since, error.to_string()));
                });
                tokio::time::sleep(app.config.mirror.after_failure).await;
            }
        }
    }
}
