//! What the parts of a running server share.
pub mod error;
pub mod signer;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use error::StartError;
use flawless_base::clock::Clock;
use flawless_base::secret::Secret;
use flawless_core::Rules;
use flawless_store::{Store, StoreError};
use signer::Signer;
use tokio::sync::Notify;

use crate::attribution::Repo;
use crate::config::Config;
use crate::intake::Intake;
use crate::intake::clients::ClientsSeen;
use crate::project::keys::{ProjectCell, ProjectKeys};
use crate::project::redaction::Redaction;

/// Handles that every part holds.
#[derive(Debug, Clone)]
pub struct App {
    pub config: Arc<Config>,
    /// Where browsers reach the pages; no slash at the end.
    pub base_url: Arc<str>,
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// The rules as last read.
    pub rules: Arc<RulesCell>,
    /// The repository.
    pub repo: Arc<RepoCell>,
    /// Wakes up workers when there is new work of a kind.
    pub wakeups: Arc<Wakeups>,
    /// Held while a mail is being sent.
    pub sending: Arc<tokio::sync::Mutex<()>>,
    /// Held for reading while a post is being sent.
    pub posting: Arc<tokio::sync::RwLock<()>>,
    /// Signs links and mails.
    pub signer: Arc<Signer>,
    /// Until when new issues count as already there before: `baseline_hours`.
    pub baseline_until: i64,
    /// Takes secrets out of reports.
    pub redaction: Arc<Redaction>,
    /// The project, with the keys that clients report with.
    pub project: Arc<ProjectCell>,
    /// Counts up, for names that must be unique within this process.
    pub numbers: Arc<AtomicU64>,
    /// Empty in other commands than the server.
    pub running: Arc<OnceLock<Running>>,
}

/// What only a running server has.
#[derive(Debug)]
pub struct Running {
    /// Where reports are handed over.
    pub intake: Intake,
    /// The port for reports over framed Thrift.
    pub thrift_port: Option<u16>,
    /// When it was started.
    pub started_at: i64,
    /// Which clients report.
    pub clients: Arc<ClientsSeen>,
}

/// Wakes up workers before they poll the next time.
#[derive(Debug, Default)]
pub struct Wakeups {
    /// Reports wait for attribution.
    pub pending: Notify,
    /// A new revision is running.
    pub revisions: Notify,
    /// Alerts wait to be composed.
    pub alerts: Notify,
    /// Mails wait in the outbox.
    pub outbox: Notify,
    /// Posts wait in the outbox.
    pub posts: Notify,
}

impl App {
    /// What the server and other commands start from. The pages are at `http_address` unless
    /// `hostname` says otherwise. Nobody hears the wakeups of other commands, but the server polls
    /// within a second.
    pub async fn open(
        config: Config,
        store: Store,
        clock: Clock,
        http_address: SocketAddr,
    ) -> Result<Self, StartError> {
        let project = ProjectKeys::open(&store, clock.now()).await?;
        let started_at = store.project().await?.created_at;
        let baseline = i64::try_from(config.mails.baseline.as_millis()).unwrap_or(i64::MAX);
        let base_url = config.base_url.clone().unwrap_or_else(|| format!("http://{http_address}"));
        let repo = if config.repository.is_some() { Repo::Opening } else { Repo::None };
        let signer = Signer::open(&store).await?;
        let secrets = own_secrets(&store, &project, &signer).await?;
        Ok(Self {
            base_url: base_url.into(),
            rules: Arc::new(RulesCell::load(&store).await?),
            repo: Arc::new(RepoCell::new(repo)),
            wakeups: Arc::default(),
            sending: Arc::default(),
            posting: Arc::default(),
            signer: Arc::new(signer),
            redaction: Arc::new(Redaction::new(&config.redaction, &secrets, clock.clone())?),
            baseline_until: started_at.saturating_add(baseline),
            project: Arc::new(ProjectCell::new(project)),
            // Names must differ from those of the server and of other commands.
            numbers: Arc::new(AtomicU64::new(u64::from(std::process::id()) << 32)),
            running: Arc::default(),
            config: Arc::new(config),
            store,
            clock,
        })
    }

    /// Where clients reach the server.
    pub fn client_url(&self) -> String {
        self.config.client_url().unwrap_or_else(|| self.base_url.to_string())
    }

    /// Address and key in one, for clients, as `flawless projects` prints it.
    pub fn dsn(&self) -> Option<String> {
        self.project.get().dsn(&self.client_url())
    }

    /// Reads the project again when it has changed. Its keys are then secrets in reports.
    ///
    /// # Errors
    /// The database fails; the older keys stay.
    pub async fn refresh_project(&self) -> Result<(), StoreError> {
        if let Some(project) = self.project.changed(&self.store).await? {
            // No report comes with a key that is not redacted yet.
            let secrets = own_secrets(&self.store, &project, &self.signer).await?;
            if let Err(error) = self.redaction.set_keys(&secrets) {
                tracing::error!(%error, "new keys cannot be redacted before the next start");
            }
            self.project.set(project);
        }
        Ok(())
    }

    /// A number that this process has not used before.
    pub fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
}

/// The secrets that only the store knows.
async fn own_secrets(
    store: &Store,
    project: &ProjectKeys,
    signer: &Signer,
) -> Result<Vec<Secret>, StoreError> {
    let mut secrets: Vec<Secret> = project.keys.iter().map(|key| key.secret.clone()).collect();
    secrets.push(signer.key().clone());
    for channel in store.channels().await? {
        secrets.extend(channel.secrets());
    }
    Ok(secrets)
}

/// Rules with the revision they belong to.
#[derive(Debug, Default)]
pub struct RulesAt {
    /// Grows with each change.
    pub revision: i64,
    /// The rules.
    pub rules: Rules,
}

/// The rules in memory.
#[derive(Debug)]
pub struct RulesCell(RwLock<Arc<RulesAt>>);

impl RulesCell {
    /// Reads the rules of `store`.
    pub async fn load(store: &Store) -> Result<Self, StoreError> {
        let (revision, rules) = store.rules().await?;
        Ok(Self(RwLock::new(Arc::new(RulesAt { revision, rules }))))
    }

    /// The rules as last read.
    pub fn get(&self) -> Arc<RulesAt> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the rules again when they have changed.
    ///
    /// # Errors
    /// The database fails; the older rules stay.
    pub async fn refresh(&self, store: &Store) -> Result<(), StoreError> {
        if store.rules_revision().await? != self.get().revision {
            let (revision, rules) = store.rules().await?;
            *self.0.write().unwrap_or_else(PoisonError::into_inner) =
                Arc::new(RulesAt { revision, rules });
        }
        Ok(())
    }
}

/// The repository and how its last fetch went.
#[derive(Debug)]
pub struct RepoCell(RwLock<RepoState>);

/// The repository and how its last fetch went.
#[derive(Debug, Clone)]
pub struct RepoState {
    /// The repository.
    pub repo: Repo,
    /// When it was last brought up to date.
    pub fetched_at: Option<i64>,
    /// Since when fetches have been failing, and why the last one did.
    pub failing: Option<(i64, String)>,
}

impl RepoState {
    /// The tip's commit, if the repository is ready.
    pub fn tip_commit(&self) -> Option<String> {
        match &self.repo {
            Repo::Ready(mirror) => mirror.tip().map(|tip| tip.commit.to_string()),
            _ => None,
        }
    }
}

impl RepoCell {
    /// A repository that is not open yet.
    pub fn new(repo: Repo) -> Self {
        Self(RwLock::new(RepoState { repo, fetched_at: None, failing: None }))
    }

    /// The current state.
    pub fn get(&self) -> RepoState {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records how opening or fetching went.
    pub fn update(&self, change: impl FnOnce(&mut RepoState)) {
        change(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
    }
}
