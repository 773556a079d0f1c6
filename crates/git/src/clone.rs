//! Our own mirror: created by us, marked as ours, and fetched into.
use std::path::Path;
use std::time::Duration;

use crate::branches::remote_head;
use crate::error::GitError;
use crate::process::GitProgram;
use crate::repository::Repository;

/// Number of packs up to which nothing is repacked.
const MAX_PACKS: u32 = 30;
/// Config section that marks a repository as ours, and as fetched; no other one is ever fetched
/// into.
const OURS: &str = "flawless.mirror";

/// Opens our mirror in `dir`; creates and fetches it first when it does not exist. A repository
/// that we did not create is left alone, and ours is created next to it.
pub(crate) async fn open_or_clone(
    git: &GitProgram,
    url: &str,
    dir: &Path,
) -> Result<Repository, GitError> {
    let mut beside = dir.as_os_str().to_owned();
    beside.push(".flawless.git");
    match open_ours(git, dir).await? {
        Place::Ours(repository) => Ok(repository),
        Place::Free => make(git, url, dir).await,
        Place::Taken => {
            let beside = Path::new(&beside);
            tracing::warn!(
                "{} was not cloned by this server and is left alone; the mirror is {}",
                dir.display(),
                beside.display()
            );
            match open_ours(git, beside).await? {
                Place::Ours(repository) => Ok(repository),
                Place::Free => make(git, url, beside).await,
                Place::Taken => Err(GitError::NoTip(format!(
                    "{} and {} were not created by this server: set repo_dir to another folder",
                    dir.display(),
                    beside.display()
                ))),
            }
        }
    }
}

enum Place {
    /// Our mirror, fetched at least once.
    Ours(Repository),
    /// Nothing yet, or a mirror of ours whose first fetch failed.
    Free,
    /// A repository that we did not create.
    Taken,
}

async fn open_ours(git: &GitProgram, dir: &Path) -> Result<Place, GitError> {
    let is_empty = |dir: &Path| dir.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    if !dir.exists() || is_empty(dir) {
        return Ok(Place::Free);
    }
    let repository = match Repository::open(git.clone(), dir).await {
        Ok(repository) => repository,
        Err(GitError::NotARepository(_)) => return Ok(Place::Taken),
        Err(error) => return Err(error),
    };
    let is_itself = dir.canonicalize().is_ok_and(|dir| dir == repository.dir());
    let state = repository.run("config").args(["--get", OURS]).output().await;
    match state.unwrap_or_default().trim_ascii() {
        b"fetched" if is_itself => Ok(Place::Ours(repository)),
        b"begun" if is_itself => Ok(Place::Free),
        _ => Ok(Place::Taken),
    }
}

async fn make(git: &GitProgram, url: &str, dir: &Path) -> Result<Repository, GitError> {
    tokio::fs::create_dir_all(dir)
        .await
        .map_err(|source| GitError::Write { path: dir.to_owned(), source })?;
    let init = git.read(dir).subcommand("init").args(["--quiet", "--bare"]);
    init.output().await?;
    let repository = Repository::open(git.clone(), dir).await?;
    let mark = |state| repository.run("config").args([OURS, state]).output();
    mark("begun").await?;
    fetch_into(&repository, url, Duration::from_secs(6 * 3_600)).await?;
    mark("fetched").await?;
    Ok(repository)
}

/// Fetches all branches and tags. The caller must prevent other writes to the mirror.
pub(crate) async fn fetch_into(
    repository: &Repository,
    url: &str,
    limit: Duration,
) -> Result<(), GitError> {
    remove_leftovers(repository.dir());
    let refs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    let fetch = repository.run_remote("fetch").args(["--quiet", "--prune", "--force", "--", url]);
    fetch.args(refs).timeout(limit).output().await?;
    if let Some(branch) = remote_head(repository.run_remote("ls-remote"), url).await?.default {
        repository.run("symbolic-ref").args(["HEAD", &branch]).output().await?;
    }
    // Makes blame several times faster, but nothing depends on it.
    let graph = repository.run("commit-graph").args(["write", "--reachable", "--changed-paths"]);
    let graph = graph.args(["--split"]).timeout(Duration::from_secs(600)).output().await;
    if let Err(error) = graph {
        tracing::warn!(%error, "the mirror's commit-graph was not written");
    }
    Ok(())
}

/// Removes the locks and partial packs of a git of ours that was killed: nobody else writes here.
/// With them, fetches would fail forever, and the disk fill up.
fn remove_leftovers(dir: &Path) {
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = folder.read_dir() else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            // Objects are hundreds of folders; leftovers are only in two of them.
            let is_objects = folder.file_name().is_some_and(|name| name == "objects");
            let name = entry.file_name();
            let is_lock = path.extension().is_some_and(|extension| extension == "lock");
            let is_half_written = name.to_string_lossy().starts_with("tmp_")
                && folder.file_name().is_some_and(|name| name == "pack");
            if is_folder && (!is_objects || name == "info" || name == "pack") {
                folders.push(path);
            } else if is_lock || is_half_written {
                tracing::warn!("{} was left behind by a killed git and is removed", path.display());
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

/// Every fetch adds a pack; too many of them make every access to an object slow.
pub(crate) async fn tidy(repository: &Repository) {
    let counted = repository.run("count-objects").args(["-v"]).output().await.unwrap_or_default();
    let counted = String::from_utf8_lossy(&counted);
    let packs = counted.lines().find_map(|line| line.strip_prefix("packs: ")?.parse::<u32>().ok());
    if packs.is_none_or(|packs| packs <= MAX_PACKS) {
        return;
    }
    let repack = repository.run("repack").args(["--quiet", "-d", "--geometric=2"]);
    if let Err(error) = repack.timeout(Duration::from_secs(1800)).output().await {
        tracing::warn!(%error, "the mirror's packs could not be merged");
    }
}
