//! All projects of the server, each with its handles. They are read again when another process, a
//! page or the API has changed one.
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use flawless_base::clock::Clock;
use flawless_base::secret::Secret;
use flawless_redact::Rules;
use flawless_store::{DEFAULT_PROJECT, KeyRow, ProjectId, SettingRow, Store, StoreError};
use tokio::sync::Mutex;

use super::error::StartError;
use super::signer::Signer;
use super::{App, RepoCell, RulesCell, Running, Wakeups};
use crate::attribution::Repo;
use crate::config::{Config, RedactionConfig};
use crate::project::keys::{KeyError, Keys, random_key};
use crate::project::named::Project;
use crate::project::redaction::Redaction;

/// The projects, as last read.
#[derive(Debug)]
pub struct Projects {
    shared: Shared,
    state: RwLock<State>,
    /// Held while they are read, so that an older state never replaces a newer one.
    reading: Mutex<()>,
}

/// What all projects share, of which [`App`] has a copy.
#[derive(Debug)]
struct Shared {
    config: Arc<Config>,
    server_url: Arc<str>,
    store: Store,
    clock: Clock,
    signer: Arc<Signer>,
    wakeups: Arc<Wakeups>,
    sending: Arc<tokio::sync::Mutex<()>>,
    posting: Arc<tokio::sync::RwLock<()>>,
    numbers: Arc<AtomicU64>,
    running: Arc<OnceLock<Running>>,
}

#[derive(Debug, Default)]
struct State {
    revision: i64,
    apps: BTreeMap<ProjectId, App>,
    keys: Arc<Keys>,
    redactions: Vec<(Rules, Arc<Redaction>)>,
    /// What the redactions remove beside what rules find.
    secrets: RedactionConfig,
}

impl Projects {
    /// Reads the projects in the store; the first one is given a key when it has none. The pages
    /// are at `http_address` unless `hostname` says otherwise.
    ///
    /// # Errors
    /// The store cannot be used, or a rule of redaction is wrong.
    pub async fn open(
        config: Config,
        store: Store,
        clock: Clock,
        http_address: SocketAddr,
    ) -> Result<Arc<Self>, StartError> {
        let server_url =
            config.base_url.clone().unwrap_or_else(|| format!("http://{http_address}"));
        let key = random_key().map_err(KeyError::Random)?;
        if !store.all_keys().await?.iter().any(|key| key.project_id == DEFAULT_PROJECT) {
            let mut tx = store.of(DEFAULT_PROJECT).write().await?;
            // Another process that opened the store at the same time may have been faster: its key
            // counts.
            tx.add_first_key(&key, clock.now()).await?;
            tx.commit().await?;
        }
        let signer = Arc::new(Signer::open(&store).await?);
        let shared = Shared {
            config: Arc::new(config),
            server_url: server_url.into(),
            store,
            clock,
            signer,
            wakeups: Arc::default(),
            sending: Arc::default(),
            posting: Arc::default(),
            // Names must differ from those of the server and of other commands.
            numbers: Arc::new(AtomicU64::new(u64::from(std::process::id()) << 32)),
            running: Arc::default(),
        };
        let projects = Arc::new(Self { shared, state: RwLock::default(), reading: Mutex::new(()) });
        projects.read().await?;
        Ok(projects)
    }

    /// The project that every server has.
    pub fn first(&self) -> App {
        self.get(DEFAULT_PROJECT).expect("the first project cannot be removed")
    }

    /// The project with this number.
    pub fn get(&self, id: ProjectId) -> Option<App> {
        self.state().apps.get(&id).cloned()
    }

    /// The project with this name, or the number as text.
    pub fn named(&self, name: &str) -> Option<App> {
        let id = name.parse::<ProjectId>().ok();
        let state = self.state();
        let is = |app: &&App| app.project.name() == name || Some(app.project.id()) == id;
        state.apps.values().find(is).cloned()
    }

    /// The project with exactly this name.
    pub fn with_name(&self, name: &str) -> Option<App> {
        self.state().apps.values().find(|app| app.project.name() == name).cloned()
    }

    /// All projects, by number.
    pub fn all(&self) -> Vec<App> {
        self.state().apps.values().cloned().collect()
    }

    /// The keys of all projects.
    pub fn keys(&self) -> Arc<Keys> {
        self.state().keys.clone()
    }

    /// The server's configuration, which projects change for themselves.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }

    /// The database, as no project in particular sees it: only what all share may be read.
    pub fn store(&self) -> &Store {
        &self.shared.store
    }

    /// Reads the projects again when one has changed; returns whether one had.
    ///
    /// # Errors
    /// The database fails; the older state stays.
    pub async fn refresh(self: &Arc<Self>) -> Result<bool, StartError> {
        if self.shared.store.projects_revision().await? == self.state().revision {
            return Ok(false);
        }
        self.read().await?;
        self.shared.wakeups.projects.notify_waiters();
        Ok(true)
    }

    fn state(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(self: &Arc<Self>) -> Result<(), StartError> {
        let _reading = self.reading.lock().await;
        let store = &self.shared.store;
        // The revision is read first: what changes in between is read again.
        let revision = store.projects_revision().await?;
        let known = read_all(store).await?;
        let mut configs = HashMap::new();
        for project in &known {
            configs.insert(project.id(), self.config_of(project));
        }
        // No report comes with a key that is not redacted yet.
        let (redactions, secrets) = self.redactions(&known, &configs).await?;
        let mut keys = Keys::default();
        let mut apps = BTreeMap::new();
        for project in known {
            for key in &project.keys {
                keys.add(key.clone(), project.row.archived_at.is_some());
            }
            let (id, config) = (project.id(), configs[&project.id()].clone());
            let rules = &config.redaction.rules;
            let redaction = redactions.iter().find(|(of, _)| of == rules);
            let redaction = redaction.map(|(_, redaction)| redaction.clone());
            let redaction = redaction.expect("each project has one");
            apps.insert(id, self.app(project, config, redaction).await?);
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        *state = State { revision, apps, keys: Arc::new(keys), redactions, secrets };
        Ok(())
    }

    /// The configuration of a project. An option that has become wrong, because the configuration
    /// or the program has changed, counts as not set.
    fn config_of(&self, project: &Project) -> Arc<Config> {
        if let Some(app) = self.get(project.id())
            && app.project.settings == project.settings
            && app.project.row.name == project.row.name
        {
            return app.config;
        }
        let mut settings: Vec<(&str, &str)> = project
            .settings
            .iter()
            .map(|setting| (setting.option.as_str(), setting.value.as_str()))
            .collect();
        loop {
            let error = match self.shared.config.of_project(project.id(), project.name(), &settings)
            {
                Ok(config) => return Arc::new(config),
                Err(error) => error,
            };
            tracing::error!(%error, "a project's setting is ignored");
            let is_wrong = |(option, _): &(&str, &str)| error.location.ends_with(option);
            match settings.iter().position(is_wrong) {
                Some(wrong) => drop(settings.remove(wrong)),
                None if settings.is_empty() => return self.shared.config.clone(),
                None => settings.clear(),
            }
        }
    }

    /// One redaction for each set of rules, with the secrets of all projects.
    async fn redactions(
        &self,
        projects: &[Project],
        configs: &HashMap<ProjectId, Arc<Config>>,
    ) -> Result<(Vec<(Rules, Arc<Redaction>)>, RedactionConfig), StartError> {
        let mut secrets: Vec<Secret> = vec![self.shared.signer.key().clone()];
        for project in projects {
            secrets.extend(project.keys.iter().map(|key| key.secret.clone()));
        }
        for channel in self.shared.store.channels_of_all().await? {
            secrets.extend(channel.secrets());
        }
        let mut urls: Vec<Secret> = Vec::new();
        // In the order of their numbers, so that the same secrets are equal lists.
        for config in projects.iter().map(|project| &configs[&project.id()]) {
            for secret in &config.redaction.secrets {
                if !secrets.contains(secret) {
                    secrets.push(secret.clone());
                }
            }
            for url in &config.redaction.urls {
                if !urls.contains(url) {
                    urls.push(url.clone());
                }
            }
        }
        let secrets = RedactionConfig { rules: Rules::default(), secrets, urls };
        let is_same = self.state().secrets == secrets;
        let mut redactions: Vec<(Rules, Arc<Redaction>)> = Vec::new();
        for project in projects {
            let rules = &configs[&project.id()].redaction.rules;
            if redactions.iter().any(|(of, _)| of == rules) {
                continue;
            }
            let config = RedactionConfig { rules: rules.clone(), ..secrets.clone() };
            let known = self.state().redactions.iter().find(|(of, _)| of == rules).cloned();
            let redaction = match known {
                Some((_, redaction)) if is_same => redaction,
                Some((_, redaction)) => {
                    redaction.set_secrets(&config)?;
                    redaction
                }
                None => Arc::new(Redaction::new(&config, self.shared.clock.clone())?),
            };
            redactions.push((rules.clone(), redaction));
        }
        Ok((redactions, secrets))
    }

    async fn app(
        self: &Arc<Self>,
        project: Project,
        config: Arc<Config>,
        redaction: Arc<Redaction>,
    ) -> Result<App, StartError> {
        let before = self.get(project.id());
        if let Some(before) = &before
            && *before.project == project
            && Arc::ptr_eq(&before.redaction, &redaction)
        {
            return Ok(before.clone());
        }
        let store = self.shared.store.of(project.id());
        let rules = match &before {
            Some(before) => before.rules.clone(),
            None => Arc::new(RulesCell::load(&store).await?),
        };
        let repo = match &before {
            Some(before) if config.has_repository_of(&before.config) => before.repo.clone(),
            _ if config.repository.is_some() => Arc::new(RepoCell::new(Repo::Opening)),
            _ => Arc::new(RepoCell::new(Repo::None)),
        };
        let baseline = i64::try_from(config.mails.baseline.as_millis()).unwrap_or(i64::MAX);
        let (root, shared) = (project.root(), &self.shared);
        Ok(App {
            base_url: format!("{}{root}", shared.server_url).into(),
            root: root.into(),
            baseline_until: project.row.created_at.saturating_add(baseline),
            project: Arc::new(project),
            config,
            store,
            rules,
            repo,
            redaction,
            projects: self.clone(),
            server_url: shared.server_url.clone(),
            clock: shared.clock.clone(),
            signer: shared.signer.clone(),
            wakeups: shared.wakeups.clone(),
            sending: shared.sending.clone(),
            posting: shared.posting.clone(),
            numbers: shared.numbers.clone(),
            running: shared.running.clone(),
        })
    }
}

/// The projects as the store has them.
async fn read_all(store: &Store) -> Result<Vec<Project>, StoreError> {
    let (mut keys, mut settings) = (HashMap::new(), HashMap::new());
    for key in store.all_keys().await? {
        keys.entry(key.project_id).or_insert_with(Vec::<KeyRow>::new).push(key);
    }
    for setting in store.project_settings().await? {
        settings.entry(setting.project_id).or_insert_with(Vec::<SettingRow>::new).push(setting);
    }
    let mut all = Vec::new();
    for row in store.projects().await? {
        let keys = keys.remove(&row.id).unwrap_or_default();
        let settings = settings.remove(&row.id).unwrap_or_default();
        all.push(Project { row, keys, settings });
    }
    Ok(all)
}
