//! What is told of releases.
use flawless_store::StoreError;

use crate::app::App;
use crate::attribution::Repo;

/// Notes a release of a project, and the commit that it was built from, if that is known.
///
/// # Errors
/// The store cannot be written.
pub async fn put(app: &App, version: &str, commit: Option<&str>) -> Result<(), StoreError> {
    let mut tx = app.store.write().await?;
    tx.put_release(version, commit, app.clock.now()).await?;
    tx.commit().await?;
    app.rules.refresh(&app.store).await
}

/// Notes that a release runs, if its commit is in the repository: only such a commit can have fixed
/// anything.
///
/// # Errors
/// The store cannot be read or written.
pub async fn deployed(app: &App, version: &str) -> Result<(), StoreError> {
    let release = app.store.release(version).await?;
    let Some(commit) = release.and_then(|release| release.commit_id) else { return Ok(()) };
    let Repo::Ready(mirror) = app.repo.get().repo else { return Ok(()) };
    let Ok(Some(named)) = mirror.resolve(&commit).await else { return Ok(()) };
    let mut tx = app.store.write().await?;
    tx.seen_running(named.commit.as_str(), true, app.clock.now()).await?;
    tx.commit().await?;
    app.wakeups.revisions.notify_one();
    Ok(())
}
