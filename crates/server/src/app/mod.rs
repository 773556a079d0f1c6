//! What the parts of a running server share.
pub mod error;
pub mod open_store;
pub mod projects;
pub mod signer;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use error::StartError;
use flawless_base::clock::Clock;
use flawless_core::Rules;
use flawless_store::{ProjectId, Store, StoreError};
use projects::Projects;
use signer::Signer;
use tokio::sync::Notify;

use crate::attribution::Repo;
use crate::config::Config;
use crate::intake::Intake;
use crate::intake::clients::ClientsSeen;
use crate::project::named::Project;
use crate::project::redaction::Redaction;

/// Handles that every part holds, for one project. When the project changes there is a new one:
/// whoever works for long asks [`App::projects`] for it.
#[derive(Debug, Clone)]
pub struct App {
    /// The project, its keys and settings.
    pub project: Arc<Project>,
    /// The configuration, with what the project sets itself.
    pub config: Arc<Config>,
    /// The path of the project's pages, without a slash at the end; empty for the first project.
    pub root: Arc<str>,
    /// Where browsers reach the project's pages; no slash at the end.
    pub base_url: Arc<str>,
    /// The database, as the project sees it.
    pub store: Store,
    /// The project's rules as last read.
    pub rules: Arc<RulesCell>,
    /// The project's repository.
    pub repo: Arc<RepoCell>,
    /// Until when new issues count as already there before: `baseline_hours`.
    pub baseline_until: i64,
    /// Takes secrets out of reports.
    pub redaction: Arc<Redaction>,
    /// All projects.
    pub projects: Arc<Projects>,
    /// Where browsers reach the server; no slash at the end.
    pub server_url: Arc<str>,
    /// The time.
    pub clock: Clock,
    /// Wakes up workers when there is new work of a kind.
    pub wakeups: Arc<Wakeups>,
    /// Held while a mail is being sent.
    pub sending: Arc<tokio::sync::Mutex<()>>,
    /// Held for reading while a post is being sent.
    pub posting: Arc<tokio::sync::RwLock<()>>,
    /// Signs links and mails.
    pub signer: Arc<Signer>,
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
    /// Its name among the servers that share a database.
    pub node: String,
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
    /// A project was made or changed.
    pub projects: Notify,
    /// Posts wait in the outbox.
    pub posts: Notify,
}

impl App {
    /// What the server and other commands start from, for the first project. The pages are at
    /// `http_address` unless `hostname` says otherwise. Nobody hears the wakeups of other commands,
    /// but the server polls within a second.
    pub async fn open(
        config: Config,
        store: Store,
        clock: Clock,
        http_address: SocketAddr,
    ) -> Result<Self, StartError> {
        let projects = Projects::open(config, store, clock, http_address).await?;
        Ok(projects.first())
    }

    /// The same as it is now: its project may have changed since.
    #[must_use]
    pub fn now(&self) -> Self {
        self.projects.get(self.project.id()).unwrap_or_else(|| self.clone())
    }

    /// The number of the project.
    pub fn project_id(&self) -> ProjectId {
        self.project.id()
    }

    /// Where clients reach the server.
    pub fn client_url(&self) -> String {
        self.config.client_url().unwrap_or_else(|| self.server_url.to_string())
    }

    /// Address and key in one, for clients, as `flawless projects` prints it.
    pub fn dsn(&self) -> Option<String> {
        self.project.dsn(&self.client_url())
    }

    /// A number that this process has not used before.
    pub fn next_number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::Relaxed)
    }
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
