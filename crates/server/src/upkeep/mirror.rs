//! Opens the repository of each project and keeps it up to date.
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flawless_git::{Mirror, MirrorSettings, Source, close_idle};
use flawless_store::{ProjectId, StoreError, StoredFacts, WaitsFor};
use tokio::sync::Semaphore;
use tokio::task::{AbortHandle, JoinSet};

use crate::app::projects::Projects;
use crate::app::{App, RepoCell};
use crate::attribution::{Repo, mirror_settings};

/// Clones and fetches that run at the same time.
const AT_ONCE: usize = 4;
/// Mirrors that are open at the same time: the others are opened when a report needs them.
const MOST_OPEN: usize = 32;
/// A mirror that was not used for so long is closed in any case.
const IDLE: Duration = Duration::from_secs(15 * 60);
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Keeps the repositories of all projects up to date, forever.
pub async fn run_mirrors(projects: Arc<Projects>) {
    let turns = Arc::new(Semaphore::new(AT_ONCE));
    let mut running: HashMap<ProjectId, (Arc<RepoCell>, AbortHandle)> = HashMap::new();
    let mut tasks = JoinSet::new();
    loop {
        let changed = projects.first().wakeups;
        let changed = changed.projects.notified();
        let apps = projects.all();
        running.retain(|project, (cell, task)| {
            let app = apps.iter().find(|app| app.project_id() == *project);
            let stays = app.is_some_and(|app| Arc::ptr_eq(&app.repo, cell) && is_kept(app));
            if !stays {
                task.abort();
            }
            stays && !task.is_finished()
        });
        let ready = apps.iter().filter_map(|app| match app.repo.get().repo {
            Repo::Ready(mirror) => Some(mirror),
            _ => None,
        });
        close_idle(ready, MOST_OPEN, IDLE).await;
        for app in apps.into_iter().filter(is_kept) {
            running.entry(app.project_id()).or_insert_with(|| {
                let cell = app.repo.clone();
                (cell, tasks.spawn(keep_mirror(app, turns.clone())))
            });
        }
        if let Err(error) = remove_orphans(&projects).await {
            tracing::warn!(%error, "the mirror of a removed project could not be removed");
        }
        tokio::select! {
            () = changed => {}
            // A task that ends has panicked, or its project is gone.
            Some(_) = tasks.join_next() => tokio::time::sleep(LOOK_AGAIN).await,
            () = tokio::time::sleep(LOOK_AGAIN) => {}
        }
    }
}

/// Removes the folders of projects that are gone: this process may have written there until now.
async fn remove_orphans(projects: &Projects) -> std::io::Result<()> {
    let folder = projects.config().data_dir.join("projects");
    let mut entries = match tokio::fs::read_dir(&folder).await {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    while let Some(entry) = entries.next_entry().await? {
        let number = entry.file_name().to_str().and_then(|name| name.parse::<ProjectId>().ok());
        if number.is_some_and(|number| projects.get(number).is_none()) {
            tokio::fs::remove_dir_all(entry.path()).await?;
        }
    }
    Ok(())
}

/// Whether a project has a repository that is kept up to date.
fn is_kept(app: &App) -> bool {
    app.config.repository.is_some() && app.project.row.archived_at.is_none()
}

/// Opens the repository of a project, then fetches forever.
async fn keep_mirror(app: App, turns: Arc<Semaphore>) {
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
    let mirror = open(&app, settings, &turns).await;
    loop {
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = mirror.fetch_is_asked_for() => {}
        }
        let fetched = {
            let _turn = turns.acquire().await;
            mirror.fetch().await
        };
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
    let any = tx.release_waiting(WaitsFor::Fetch, now).await?;
    tx.commit().await?;
    if any {
        app.wakeups.pending.notify_one();
    }
    Ok(())
}

async fn open(app: &App, settings: MirrorSettings, turns: &Semaphore) -> Arc<Mirror> {
    loop {
        let opened = {
            let _turn = turns.acquire().await;
            Mirror::open(settings.clone()).await
        };
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
                let project = app.project.name();
                tracing::error!(%error, project, "the repository cannot be opened");
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
