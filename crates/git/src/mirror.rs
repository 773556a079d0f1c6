//! A repository that is kept current: cloned and fetched by us, or read in place.
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fancy_regex::Regex;
use flawless_core::{AutomationPatterns, CommitId, PathIndex};
use tokio::time::Instant;

use crate::clone::{fetch_into, open_or_clone, tidy};
use crate::error::GitError;
use crate::facts::FactStore;
use crate::fetching::{FETCH_ASKED_EVERY, FetchTicket, Fetching};
use crate::ignore_revs::IgnoreRevs;
use crate::line_tracer::{Engine, Judgement};
use crate::locate::{Revision, had_version};
use crate::pins::Pins;
use crate::process::GitProgram;
use crate::repository::{Named, Repository};
use crate::revision_name::candidates;
use crate::source::Source;
use crate::submodules::{Listing, Submodules};
use crate::tip::Tip;

/// Number of cached file lists of recently used revisions.
const MAX_LISTINGS: usize = 4;

/// The settings of a mirror.
#[derive(Debug, Clone)]
pub struct MirrorSettings {
    /// The git program.
    pub git: GitProgram,
    /// Where the repository comes from.
    pub source: Source,
    /// `repo_branch_pattern`: the newest branch that it matches is the one that runs. Matched from
    /// the start of the name, with and without a leading `origin/`.
    pub branch_pattern: Option<Regex>,
    /// An existing folder of ours for small files besides the mirror.
    pub scratch: PathBuf,
    /// Where the list of ignored commits is.
    pub ignore_revs: IgnoreRevs,
    /// Identifies authors that are not persons.
    pub automation: Arc<AutomationPatterns>,
    /// The program that finds the origin of a line.
    pub engine: Engine,
    /// Stores found origins.
    pub facts: Option<Arc<dyn FactStore>>,
    /// Submodules by their paths, and where their repositories come from.
    pub submodules: Vec<(String, Source)>,
    /// The shortest time between two requested fetches: anybody can report revisions that do not
    /// exist.
    pub asked_every: Duration,
}

impl MirrorSettings {
    /// The default settings for a mirror of `source`: `HEAD` runs, the commits of the repository's
    /// own list are ignored, and nobody is automation.
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
            asked_every: FETCH_ASKED_EVERY,
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
    fetching: Fetching,
    pins: Pins,
    judgement: Arc<Judgement>,
}

impl Mirror {
    /// Opens the mirror; clones it first when it is ours and does not exist yet, which can take
    /// minutes.
    ///
    /// # Errors
    /// There is no repository, the remote cannot be cloned, or there is no commit to blame in.
    pub async fn open(settings: MirrorSettings) -> Result<Self, GitError> {
        let repository = match &settings.source {
            Source::Folder(dir) => Repository::open(settings.git.clone(), dir).await?,
            Source::Clone { url, dir } => open_or_clone(&settings.git, url, dir).await?,
        };
        let mirror = Self {
            submodules: Submodules::open(&settings).await?,
            fetching: Fetching::new(settings.asked_every),
            settings,
            repository,
            tip: Mutex::default(),
            listings: Mutex::default(),
            pins: Pins::default(),
            judgement: Arc::default(),
        };
        mirror.read_tip().await?;
        Ok(mirror)
    }

    /// Whether it holds memory: it was used since it was closed.
    pub fn is_open(&self) -> bool {
        self.used_at().is_some()
    }

    /// When it was last used; `None` while it is closed.
    pub(crate) fn used_at(&self) -> Option<Instant> {
        self.submodules.used_at().max(self.repository.used_at())
    }

    /// Gives back the memory of everything that can be read again; the next question opens it.
    pub(crate) async fn close(&self) {
        self.repository.close().await;
        self.submodules.close().await;
        lock(&self.listings).clear();
        if let Some(tip) = &mut *lock(&self.tip) {
            *tip = Arc::new(tip.closed());
        }
    }

    /// The repository itself.
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    /// How often git checked an answer, and how often it differed.
    pub fn judgement(&self) -> &Judgement {
        &self.judgement
    }

    /// The tip as of the last [`Mirror::open`], [`Mirror::fetch`] or [`Mirror::read_tip`].
    pub fn tip(&self) -> Option<Arc<Tip>> {
        lock(&self.tip).clone()
    }

    /// What of the repository's own lists cannot be used, each in a sentence, including those of
    /// submodules.
    pub fn warnings(&self) -> Vec<String> {
        let own = self.tip().map(|tip| tip.warnings.clone()).unwrap_or_default();
        own.into_iter().chain(self.submodules.warnings()).collect()
    }

    /// Updates the mirror from its remote; a folder that others maintain is only read again.
    ///
    /// # Errors
    /// The remote's message, credentials hidden. The previous state remains usable.
    pub async fn fetch(&self) -> Result<Arc<Tip>, GitError> {
        if let Source::Clone { url, .. } = &self.settings.source {
            let _writing = self.fetching.writing.lock().await;
            let (number, limit) = self.fetching.begin();
            let result = self.fetch_all(url, limit).await;
            // Only now is the mirror as new as the remote was.
            self.fetching.end(number, result.as_ref().map(|_| ()));
            let tip = result?;
            tidy(&self.repository).await;
            self.repository.refresh().await;
            return Ok(tip);
        }
        self.fetch_submodules().await;
        self.read_tip().await
    }

    async fn fetch_all(&self, url: &str, limit: Duration) -> Result<Arc<Tip>, GitError> {
        fetch_into(&self.repository, url, limit).await?;
        for id in self.fetching.take_ids() {
            if self.repository.resolve(id.as_str()).await?.is_none() {
                self.pins.fetch(&self.repository, url, &id).await;
            }
        }
        self.repository.refresh().await;
        self.fetch_submodules().await;
        self.read_tip().await
    }

    async fn fetch_submodules(&self) {
        if self.submodules.fetch().await {
            // A missing commit of a submodule may have arrived.
            lock(&self.listings).clear();
        }
    }

    /// Whether we fetch it; a folder that others maintain is always considered current.
    pub fn is_fetched_by_us(&self) -> bool {
        matches!(self.settings.source, Source::Clone { .. })
    }

    /// Requests a fetch from the task that waits in [`Mirror::fetch_is_asked_for`], because a
    /// report cannot be explained without it; it must bring the commit that `revision` names in
    /// full. Returns immediately.
    pub fn ask_for_fetch(&self, revision: Option<&str>) -> FetchTicket {
        self.fetching.ask(revision.and_then(|name| CommitId::parse(name.trim())).as_ref())
    }

    /// Whether a fetch that began after this was requested has succeeded.
    pub fn is_fetched(&self, ticket: FetchTicket) -> bool {
        self.fetching.is_done(ticket)
    }

    /// Returns when a fetch was requested; not again within ten seconds of the last one, because
    /// anybody can report revisions that do not exist.
    pub async fn fetch_is_asked_for(&self) {
        self.fetching.is_asked_for().await;
    }

    /// Reads the current tip. In a mirror of our own only a fetch changes it.
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
            // Others fetch here, and may write a new commit-graph.
            self.repository.refresh().await;
        }
        let (settings, judgement) = (&self.settings, self.judgement.clone());
        let tip = Tip::read(settings, &self.repository, judgement, commit, reference).await?;
        let tip = Arc::new(tip);
        *lock(&self.tip) = Some(tip.clone());
        Ok(tip)
    }

    /// The commit that `revision` names: an id, a tag, a branch, the output of `git describe`, or a
    /// release whose tag can be guessed. Fetched if it is missing.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn resolve(&self, revision: &str) -> Result<Option<Named>, GitError> {
        let known = self.resolve_here(revision).await?;
        if known.is_some() || candidates(revision).is_empty() || !self.is_fetched_by_us() {
            return Ok(known);
        }
        self.ask_for_fetch(Some(revision));
        // Nothing waits for a running fetch, which may hang.
        if self.fetching.is_too_soon() || self.fetching.writing.try_lock().is_err() {
            return Ok(None);
        }
        if let Err(error) = self.fetch().await {
            tracing::warn!(%error, revision, "a revision that is not here could not be fetched");
            return Ok(None);
        }
        self.resolve_here(revision).await
    }

    /// The same without asking the remote. Tags and ids come before branches. A commit that was
    /// found is kept from then on, whatever happens to its branch.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn resolve_here(&self, revision: &str) -> Result<Option<Named>, GitError> {
        let mut branch = None;
        for name in candidates(revision) {
            match self.repository.resolve_named(&name).await? {
                Some(named) if !named.is_branch => {
                    self.pin(&named.commit).await;
                    return Ok(Some(named));
                }
                Some(named) => {
                    branch.get_or_insert(named);
                }
                None => {}
            }
        }
        Ok(branch)
    }

    async fn pin(&self, commit: &CommitId) {
        // If somebody else is writing, it is pinned next time.
        if self.is_fetched_by_us()
            && let Ok(_writing) = self.fetching.writing.try_lock()
        {
            self.pins.pin(&self.repository, commit).await;
        }
    }

    /// The running revision that a client's `revision` stands for, as far as the mirror knows: a
    /// commit, a tag or a release never changes; a branch may have moved since the program was
    /// deployed. `None` when the mirror does not have it.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn running(&self, revision: &str) -> Result<Option<Revision>, GitError> {
        let named = self.resolve_here(revision).await?;
        Ok(named.map(|Named { commit, is_branch }| match is_branch {
            true => Revision::Tip(commit),
            false => Revision::Running(commit),
        }))
    }

    /// The files of a commit, including those of mirrored submodules.
    ///
    /// # Errors
    /// The commit does not exist, or git cannot be run.
    pub async fn files(&self, commit: &CommitId) -> Result<Arc<PathIndex>, GitError> {
        Ok(self.listing(commit).await?.index.clone())
    }

    pub(crate) async fn listing(&self, commit: &CommitId) -> Result<Arc<Listing>, GitError> {
        self.repository.note_use().await;
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

    /// Whether one of the last 50 versions of a file, up to `commit`, has the wanted text.
    ///
    /// # Errors
    /// git cannot be run.
    pub async fn had_version(
        &self,
        commit: &CommitId,
        path: &str,
        is_it: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<bool, GitError> {
        match self.listing(commit).await?.submodule_of(path) {
            Some((part, commit, path)) => had_version(&part.repository, commit, path, is_it).await,
            None => had_version(&self.repository, commit, path, is_it).await,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // The values behind these locks are replaced as a whole, so a panic elsewhere cannot corrupt
    // them.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
