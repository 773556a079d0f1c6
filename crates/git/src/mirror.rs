//! A repository that is kept current: cloned and fetched by us, or read where it lies.
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fancy_regex::Regex;
use flawless_core::{CommitId, PathIndex};
use tokio::time::Instant;

use crate::branches::remote_head;
use crate::error::GitError;
use crate::git_blame::GitBlame;
use crate::ignore_revs::{self, IGNORE_REVS_PATH};
use crate::locate::{Located, NotLocated, ReportedLine, Revision, locate};
use crate::process::GitProgram;
use crate::repository::{Repository, is_revision_name};
use crate::source::Source;

/// Marks a repository that we made, and whether it was fetched; nothing else is ever fetched into.
const OURS: &str = "flawless.mirror";
const FETCH_ON_DEMAND_EVERY: Duration = Duration::from_secs(10);
const FETCH_ON_DEMAND_LIMIT: Duration = Duration::from_secs(60);
/// File lists of the revisions used last.
const MAX_FILE_LISTS: usize = 4;

/// How to keep a mirror.
#[derive(Debug, Clone)]
pub struct MirrorSettings {
    /// The git program.
    pub git: GitProgram,
    /// Where the repository comes from.
    pub source: Source,
    /// `repo_branch_pattern`: the newest branch that it matches is the one that runs. Matched
    /// from the start of the name, with and without `origin/` before it.
    pub branch_pattern: Option<Regex>,
    /// An existing folder of ours for small files beside the mirror.
    pub scratch: PathBuf,
}

/// A repository that is kept current.
#[derive(Debug)]
pub struct Mirror {
    settings: MirrorSettings,
    repository: Repository,
    tip: Mutex<Option<Arc<Tip>>>,
    file_lists: Mutex<Vec<(CommitId, Arc<PathIndex>)>>,
    /// Held while fetching; when the last fetch ended.
    fetched: tokio::sync::Mutex<Option<Instant>>,
}

/// The newest commit of the branch that runs.
#[derive(Debug)]
pub struct Tip {
    /// The commit.
    pub commit: CommitId,
    /// Full reference name, or `HEAD`.
    pub reference: String,
    tracer: GitBlame,
}

impl Mirror {
    /// Opens the mirror; clones it first when it is ours to clone and not there yet, which can
    /// take minutes.
    ///
    /// # Errors
    /// No repository there, the remote cannot be cloned, or there is nothing to blame in.
    pub async fn open(settings: MirrorSettings) -> Result<Self, GitError> {
        let repository = match &settings.source {
            Source::Folder(dir) => Repository::open(settings.git.clone(), dir).await?,
            Source::Clone { url, dir } => open_or_clone(&settings.git, url, dir).await?,
        };
        let mirror = Self {
            settings,
            repository,
            tip: Mutex::default(),
            file_lists: Mutex::default(),
            fetched: tokio::sync::Mutex::default(),
        };
        mirror.read_tip().await?;
        Ok(mirror)
    }

    /// The repository itself.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The tip as of the last [`Mirror::open`], [`Mirror::fetch`] or [`Mirror::read_tip`].
    pub fn tip(&self) -> Option<Arc<Tip>> {
        lock(&self.tip).clone()
    }

    /// Brings the mirror up to date with its remote; a folder of somebody else is only read
    /// again.
    ///
    /// # Errors
    /// The remote's words, credentials hidden. What was there before stays usable.
    pub async fn fetch(&self) -> Result<Arc<Tip>, GitError> {
        if let Source::Clone { url, .. } = &self.settings.source {
            let mut last = self.fetched.lock().await;
            let result = fetch_into(&self.repository, url).await;
            *last = Some(Instant::now());
            result?;
        }
        self.read_tip().await
    }

    /// The same for a report that the mirror does not explain: not again within ten seconds,
    /// because anybody can report what does not exist, and not longer than a minute.
    ///
    /// # Errors
    /// As [`Mirror::fetch`].
    pub async fn fetch_on_demand(&self) -> Result<Arc<Tip>, GitError> {
        let Source::Clone { url, .. } = &self.settings.source else { return self.read_tip().await };
        let limit = FETCH_ON_DEMAND_LIMIT;
        let fetch = async {
            let mut last = self.fetched.lock().await;
            let recent = Instant::now().checked_sub(FETCH_ON_DEMAND_EVERY);
            if *last >= recent && last.is_some() {
                return Ok(());
            }
            let result = fetch_into(&self.repository, url).await;
            *last = Some(Instant::now());
            result
        };
        let timed_out = |_| GitError::TimedOut { command: "fetch".into(), limit };
        tokio::time::timeout(limit, fetch).await.map_err(timed_out)??;
        self.read_tip().await
    }

    /// Looks which commit is the tip now. In a mirror of our own only a fetch changes it.
    ///
    /// # Errors
    /// There is no commit, or no branch that matches the pattern.
    pub async fn read_tip(&self) -> Result<Arc<Tip>, GitError> {
        let pattern = self.settings.branch_pattern.as_ref();
        let (reference, commit) = self.repository.tip(pattern).await?;
        if let Some(tip) = self.tip()
            && tip.commit == commit
            && tip.reference == reference
        {
            return Ok(tip);
        }
        let tracer = self.tracer_for(&commit).await?;
        let tip = Arc::new(Tip { commit, reference, tracer });
        *lock(&self.tip) = Some(tip.clone());
        Ok(tip)
    }

    async fn tracer_for(&self, tip: &CommitId) -> Result<GitBlame, GitError> {
        let list = self.repository.file(tip, IGNORE_REVS_PATH).await?.unwrap_or_default();
        let list = ignore_revs::clean(&String::from_utf8_lossy(&list));
        let ignore_revs_file =
            if list.is_empty() { None } else { Some(self.write_ignore_revs(tip, list).await?) };
        let mailmap = self.repository.file(tip, ".mailmap").await?.map(|_| tip.clone());
        GitBlame::new(self.repository.clone(), ignore_revs_file, mailmap).await
    }

    /// The commit that a client's `revision` names; fetched on demand when it is not there yet.
    ///
    /// # Errors
    /// git cannot be run, or the remote cannot be reached.
    pub async fn resolve(&self, revision: &str) -> Result<Option<CommitId>, GitError> {
        let known = self.repository.resolve(revision).await?;
        if known.is_some() || !is_revision_name(revision) {
            return Ok(known);
        }
        self.fetch_on_demand().await?;
        self.repository.resolve(revision).await
    }

    /// A file of its own for each tip: blames of an older tip may still read theirs.
    async fn write_ignore_revs(&self, tip: &CommitId, list: String) -> Result<PathBuf, GitError> {
        let path = self.settings.scratch.join(format!("ignore-revs-{}", tip.short()));
        let error = |source| GitError::Write { path: path.clone(), source };
        let new = path.with_extension("new");
        tokio::fs::write(&new, list).await.map_err(error)?;
        tokio::fs::rename(&new, &path).await.map_err(error)?;
        Ok(path)
    }

    /// The regular files of a commit.
    ///
    /// # Errors
    /// The commit is not there, or git cannot be run.
    pub async fn files(&self, commit: &CommitId) -> Result<Arc<PathIndex>, GitError> {
        if let Some((_, files)) = lock(&self.file_lists).iter().find(|(known, _)| known == commit) {
            return Ok(files.clone());
        }
        let files = self.repository.files(commit).await?;
        let mut lists = lock(&self.file_lists);
        lists.insert(0, (commit.clone(), files.clone()));
        lists.truncate(MAX_FILE_LISTS);
        Ok(files)
    }

    /// Blames a line where it reads as reported. `running` is the revision the client named, when
    /// it is in the mirror; otherwise the tip is where the search starts. `tip` gives the ignore
    /// list and the mailmap.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than a minute.
    pub async fn locate(
        &self,
        tip: &Tip,
        running: Option<&CommitId>,
        reported: ReportedLine<'_>,
    ) -> Result<Result<Located, NotLocated>, GitError> {
        let revision = running.map_or(Revision::Tip(&tip.commit), Revision::Running);
        locate(&self.repository, &tip.tracer, revision, reported).await
    }
}

/// Opens our mirror in `dir`, makes and fetches it first when it is not there. A repository that
/// we did not make is left alone: then ours is made beside it.
async fn open_or_clone(git: &GitProgram, url: &str, dir: &Path) -> Result<Repository, GitError> {
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
                    "{} and {} are not ours to write to: give repo_dir another folder",
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
    /// Nothing there yet, or a mirror of ours whose first fetch broke off.
    Free,
    /// Somebody else's.
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
    fetch_into(&repository, url).await?;
    mark("fetched").await?;
    Ok(repository)
}

async fn fetch_into(repository: &Repository, url: &str) -> Result<(), GitError> {
    let refs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
    let fetch = repository.run_remote("fetch").args(["--quiet", "--prune", "--force", "--", url]);
    fetch.args(refs).output().await?;
    if let Some(branch) = remote_head(repository.run_remote("ls-remote"), url).await?.default {
        repository.run("symbolic-ref").args(["HEAD", &branch]).output().await?;
    }
    // Makes blame several times faster; without it everything still works.
    let graph = repository.run("commit-graph").args(["write", "--reachable", "--changed-paths"]);
    let graph = graph.args(["--split"]).timeout(Duration::from_secs(600)).output().await;
    if let Err(error) = graph {
        tracing::warn!(%error, "the mirror's commit-graph was not written");
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The values behind these locks are replaced whole, so a panic elsewhere leaves them sound.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
