//! A repository that is kept current: cloned and fetched by us, or read where it lies.
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fancy_regex::Regex;
use flawless_core::{AutomationPatterns, Blame, CommitId, LineOrigin, PathIndex};
use tokio::time::Instant;

use crate::clone::{fetch_into, open_or_clone, tidy};
use crate::error::GitError;
use crate::facts::FactStore;
use crate::ignore_revs::IgnoreRevs;
use crate::line_tracer::{Engine, Judgement};
use crate::locate::{Located, NotLocated, ReportedLine, Revision, locate};
use crate::pins::Pins;
use crate::process::GitProgram;
use crate::repository::Repository;
use crate::revision_name::candidates;
use crate::source::Source;
use crate::standing::{Standing, standing};
use crate::submodules::{Listing, Submodules};
use crate::tip::Tip;
use crate::tracer::WhiteSpace;

const FETCH_LIMIT: Duration = Duration::from_secs(3_600);
const FETCH_ON_DEMAND_EVERY: Duration = Duration::from_secs(10);
const FETCH_ON_DEMAND_LIMIT: Duration = Duration::from_secs(60);
/// File lists of the revisions used last.
const MAX_LISTINGS: usize = 4;

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
    /// Where the list of commits to pass over is.
    pub ignore_revs: IgnoreRevs,
    /// Who is no person.
    pub automation: Arc<AutomationPatterns>,
    /// What finds the origin of a line.
    pub engine: Engine,
    /// Keeps what was found.
    pub facts: Option<Arc<dyn FactStore>>,
    /// Submodules by their paths, and where their repositories come from.
    pub submodules: Vec<(String, Source)>,
}

impl MirrorSettings {
    /// How to keep a mirror of `source` when nothing else is said: `HEAD` runs, the repository's
    /// own list is passed over, and nobody is automation.
    pub fn new(git: GitProgram, source: Source, scratch: PathBuf) -> Self {
        Self {
            git,
            source,
            branch_pattern: None,
            scratch,
            ignore_revs: IgnoreRevs::default(),
            automation: Arc::default(),
            engine: Engine::default(),
            facts: None,
            submodules: Vec::new(),
        }
    }
}

/// A repository that is kept current.
#[derive(Debug)]
pub struct Mirror {
    pub(crate) settings: MirrorSettings,
    pub(crate) repository: Repository,
    tip: Mutex<Option<Arc<Tip>>>,
    listings: Mutex<Vec<(CommitId, Arc<Listing>)>>,
    submodules: Submodules,
    /// Held while fetching; when the last fetch ended.
    fetched: tokio::sync::Mutex<Option<Instant>>,
    pins: Pins,
    judgement: Arc<Judgement>,
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
            submodules: Submodules::open(&settings).await?,
            settings,
            repository,
            tip: Mutex::default(),
            listings: Mutex::default(),
            fetched: tokio::sync::Mutex::default(),
            pins: Pins::default(),
            judgement: Arc::default(),
        };
        mirror.read_tip().await?;
        Ok(mirror)
    }

    /// The repository itself.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// How often git was asked whether it agrees, and how often it did not.
    pub fn judgement(&self) -> &Judgement {
        &self.judgement
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
            let result = fetch_into(&self.repository, url, FETCH_LIMIT).await;
            *last = Some(Instant::now());
            result?;
            tidy(&self.repository).await;
            self.repository.refresh().await;
        }
        if self.submodules.fetch().await {
            // A submodule's commit that was missing may be there now.
            lock(&self.listings).clear();
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
        let timed_out = |_| GitError::TimedOut { command: "git fetch".into(), limit };
        let last = tokio::time::timeout(limit, self.fetched.lock()).await.map_err(timed_out);
        let mut last = last?;
        let recent = Instant::now().checked_sub(FETCH_ON_DEMAND_EVERY);
        if *last < recent || last.is_none() {
            // Before, so that a fetch that breaks off is not begun again at once.
            *last = Some(Instant::now());
            let result = fetch_into(&self.repository, url, limit).await;
            *last = Some(Instant::now());
            self.repository.refresh().await;
            result?;
        }
        drop(last);
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
        if matches!(self.settings.source, Source::Folder(_)) {
            // Somebody else fetches here, and may write a new commit-graph.
            self.repository.refresh().await;
        }
        let (settings, judgement) = (&self.settings, self.judgement.clone());
        let tip = Tip::read(settings, &self.repository, judgement, commit, reference).await?;
        let tip = Arc::new(tip);
        *lock(&self.tip) = Some(tip.clone());
        Ok(tip)
    }

    /// The commit that a client's `revision` names: an id, a tag, what `git describe` prints, or
    /// a release whose tag can be guessed. Fetched when it is not there yet, and kept from then
    /// on, whatever becomes of its branch.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn resolve(&self, revision: &str) -> Result<Option<CommitId>, GitError> {
        let names = candidates(revision);
        let mut known = self.resolve_here(&names).await?;
        if known.is_none()
            && let Source::Clone { url, .. } = &self.settings.source
            && !names.is_empty()
        {
            if let Err(error) = self.fetch_on_demand().await {
                tracing::warn!(%error, revision, "a revision that is not here could not be fetched");
                return Ok(None);
            }
            known = self.resolve_here(&names).await?;
            if known.is_none()
                && let Some(id) = CommitId::parse(&names[0])
            {
                let _writing = self.fetched.lock().await;
                known = self.pins.fetch(&self.repository, url, &id).await;
            }
        }
        // While somebody writes, it is pinned the next time.
        if let (Some(commit), Source::Clone { .. }) = (&known, &self.settings.source)
            && let Ok(_writing) = self.fetched.try_lock()
        {
            self.pins.pin(&self.repository, commit).await;
        }
        Ok(known)
    }

    /// What a client's `revision` says about what runs: a commit, a tag or a release stays what
    /// it is; where a branch is now is not where it was when the program was deployed.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn running(&self, revision: &str) -> Result<Option<Revision>, GitError> {
        let Some(commit) = self.resolve(revision).await? else { return Ok(None) };
        let is_branch = self.repository.is_branch(revision).await?;
        Ok(Some(if is_branch { Revision::Tip(commit) } else { Revision::Running(commit) }))
    }

    async fn resolve_here(&self, names: &[String]) -> Result<Option<CommitId>, GitError> {
        for name in names {
            if let Some(commit) = self.repository.resolve(name).await? {
                return Ok(Some(commit));
            }
        }
        Ok(None)
    }

    /// The files of a commit, those of mirrored submodules among them.
    ///
    /// # Errors
    /// The commit is not there, or git cannot be run.
    pub async fn files(&self, commit: &CommitId) -> Result<Arc<PathIndex>, GitError> {
        Ok(self.listing(commit).await?.index.clone())
    }

    async fn listing(&self, commit: &CommitId) -> Result<Arc<Listing>, GitError> {
        if let Some((_, known)) = lock(&self.listings).iter().find(|(known, _)| known == commit) {
            return Ok(known.clone());
        }
        let tree = self.repository.tree(commit).await?;
        let listing = Arc::new(self.submodules.list(tree).await?);
        let mut listings = lock(&self.listings);
        listings.insert(0, (commit.clone(), listing.clone()));
        listings.truncate(MAX_LISTINGS);
        Ok(listing)
    }

    /// The content of a file of a commit, or `None` when the commit has no such file.
    ///
    /// # Errors
    /// The file is larger than 32 MiB, or git cannot be run.
    pub async fn file(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        match self.listing(commit).await?.submodule_of(path) {
            Some((part, commit, path)) => part.repository.file(commit, path).await,
            None => self.repository.file(commit, path).await,
        }
    }

    /// The origin of line `line` (from 1) of `path` at `commit`, and nothing else: what `git
    /// blame` says with these options, with the ignore list of `tip`.
    ///
    /// # Errors
    /// There is no such line, or git cannot be run.
    pub async fn trace(
        &self,
        tip: &Tip,
        commit: &CommitId,
        path: &str,
        line: u32,
        white_space: WhiteSpace,
    ) -> Result<LineOrigin, GitError> {
        let traced = tip.blamer.tracer.trace(commit, path, line, white_space).await?;
        Ok(traced.origin.clone())
    }

    /// Blames line `line` (from 1) of `path` at `commit` as it stands there.
    ///
    /// # Errors
    /// There is no such line, or git cannot be run.
    pub async fn blame(
        &self,
        tip: &Tip,
        commit: &CommitId,
        path: &str,
        line: u32,
    ) -> Result<Blame, GitError> {
        let listing = self.listing(commit).await?;
        if let Some((part, commit, path)) = listing.submodule_of(path)
            && let Some(tip) = part.tip()
        {
            return tip.blamer.blame(commit, path, line).await;
        }
        tip.blamer.blame(commit, path, line).await
    }

    /// Whether the line that was born at `origin` still stands in `revision`, or which commit
    /// changed it.
    ///
    /// # Errors
    /// A commit is missing, or git cannot be run.
    pub async fn standing(
        &self,
        tip: &Tip,
        origin: &LineOrigin,
        revision: &CommitId,
    ) -> Result<Standing, GitError> {
        standing(&tip.blamer, origin, revision).await
    }

    /// Blames a line where it reads as reported, from `revision` on. `tip` gives the ignore list
    /// and the mailmap, `others` are the report's other frames in the repository, for a revision
    /// that has to be guessed.
    ///
    /// # Errors
    /// git cannot be run, or takes longer than a minute.
    pub async fn locate(
        &self,
        tip: &Tip,
        revision: &Revision,
        reported: ReportedLine<'_>,
        others: &[ReportedLine<'_>],
    ) -> Result<Result<Located, NotLocated>, GitError> {
        let listing = self.listing(revision.commit()).await?;
        if let Some((part, commit, path)) = listing.submodule_of(reported.path) {
            let Some(tip) = part.tip() else {
                return Ok(Err(NotLocated("the submodule's mirror has no tip".into())));
            };
            // The revision of the submodule is as sure as the one that names it.
            let revision = revision.with(commit.clone());
            return locate(&tip.blamer, &revision, ReportedLine { path, ..reported }, &[]).await;
        }
        locate(&tip.blamer, revision, reported, others).await
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The values behind these locks are replaced whole, so a panic elsewhere leaves them sound.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
