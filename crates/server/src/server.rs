//! Puts the parts together and runs them.
use std::fs::File;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flawless_base::clock::Clock;
use flawless_store::{StoreError, UnwantedKind};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::app::error::StartError;
use crate::app::open_store::{lock_data_dir, lock_file, open_store};
use crate::app::{App, Running};
use crate::channel::{PostClient, run_posts};
use crate::config::{Config, ConfigError};
use crate::ingest::{
    Answerer, BodyLimits, ThriftLimits, notices_router, otlp_router, run_thrift, sentry_router,
    thrift_router,
};
use crate::intake::Intake;
use crate::intake::clients::ClientsSeen;
use crate::listen::http::{HttpLimits, run_http};
use crate::listen::memory::{Memory, run_give_back};
use crate::mail::{SentJournal, Smtp, notify_recreated, run_sender};
use crate::notify::run_notify;
use crate::pipeline::{Recorder, Verdicts, record_refusals, run_attribution, run_find_fixed};
use crate::upkeep::{
    node_name, run_maintenance, run_mirrors, run_node, run_projects, run_rules, run_weekly,
};
use crate::web;

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    /// Where reports arrive over Thrift; `None` when that port is closed.
    pub thrift_address: Option<SocketAddr>,
    /// Where the pages are, and where reports arrive over HTTP.
    pub http_address: SocketAddr,
    /// What its parts share.
    pub app: App,
    tasks: JoinSet<()>,
    /// Held as long as the server runs.
    _lock: File,
}

/// Between two calls of a connection: clients that keep one open call at least every few minutes.
const IDLE_CONNECTION: Duration = Duration::from_secs(300);
/// Between two requests of an HTTP connection, and for the head of one to arrive.
const REQUEST_HEAD: Duration = Duration::from_secs(60);
/// For one frame to arrive. Clients wait 2 s for the answer to it.
const FRAME_TIME: Duration = Duration::from_secs(10);

/// For a mail and posts that are being sent when the server is told to stop.
const STOP_WAITS: Duration = Duration::from_secs(5);

impl Server {
    /// Starts everything and returns when reports are accepted.
    ///
    /// # Errors
    /// An address is in use, the data folder cannot be used, or another server uses it.
    pub async fn start(config: Config, clock: Clock) -> Result<Self, StartError> {
        // For as many connections as the system allows. If that fails, the current limit will do.
        let _ = rlimit::increase_nofile_limit(u64::MAX);
        let thrift = match config.thrift_address {
            Some(address) => Some(listen(&config, "port", address).await?),
            None => None,
        };
        let http = listen(&config, "http_port", config.http_address).await?;
        let smtp = Smtp::new(&config.smtp)?;
        let lock = lock(&config)?;
        let store = open_store(&config, clock.now()).await?;
        let local = |listener: &TcpListener| listener.local_addr().ok();
        let thrift_address = thrift.as_ref().and_then(local).or(config.thrift_address);
        let http_address = local(&http).unwrap_or(config.http_address);
        let limits = ThriftLimits {
            max_frame: config.max_report_bytes,
            max_connections: config.max_connections,
            idle: IDLE_CONNECTION,
            frame: FRAME_TIME,
        };
        let bodies = BodyLimits {
            max_bytes: config.max_report_bytes,
            time: FRAME_TIME,
            trusted_proxies: config.sign_in.trusted_proxies.clone(),
        };
        let http_limits =
            HttpLimits { max_connections: config.max_connections, head: REQUEST_HEAD };
        let (journal, sent) = SentJournal::open(&config.data_dir)
            .map_err(|source| StoreError::folder(&config.data_dir, source))?;
        let mut tx = store.write().await?;
        for mail in sent {
            tx.mail_sent(mail, clock.now()).await?;
        }
        let now = clock.now();
        tx.commit().await?;
        let node = node_name(&config.data_dir)
            .map_err(|source| StoreError::folder(&config.data_dir, source))?;
        if store.is_shared() {
            store.node_lives(&node, now).await?;
        }
        let app = App::open(config, store, clock, http_address).await?;
        let mut tx = app.store.write().await?;
        for app in app.projects.all() {
            tx.enter(app.project_id());
            if let Some(contact) = &app.config.addresses.default_contact {
                // The default contact cannot opt out: alerts that reach nobody else go there.
                tx.remove_unwanted(contact, UnwantedKind::Alerts).await?;
            }
            tx.release_alerts(now).await?;
        }
        tx.commit().await?;
        notify_recreated(&app).await?;
        let recorder = Recorder::read(&app.store).await?;
        let verdicts = Arc::new(Verdicts::default());
        let memory = Memory::new(app.config.memory_limit);
        let (intake, incoming) = Intake::new(app.clock.clone(), memory.clone());
        let projects = app.projects.clone();
        let clients = Arc::new(ClientsSeen::new(app.clock.clone()));
        app.running.get_or_init(|| Running {
            intake: intake.clone(),
            thrift_port: thrift_address.map(|address| address.port()),
            started_at: app.clock.now(),
            node: node.clone(),
            clients: clients.clone(),
        });
        let answerer = Answerer { intake, projects: projects.clone(), clients };
        let router = web::projects_router(app.projects.clone())
            .merge(sentry_router(answerer.clone(), bodies.clone()))
            .merge(otlp_router(answerer.clone(), bodies.clone()))
            .merge(notices_router(answerer.clone(), bodies.clone()))
            .merge(thrift_router(answerer.clone(), bodies));
        let mut tasks = JoinSet::new();
        let recording =
            recorder.run(projects.clone(), app.clock.clone(), verdicts.clone(), incoming);
        tasks.spawn(recording);
        if let Some(thrift) = thrift {
            tasks.spawn(run_thrift(thrift, answerer, limits));
        }
        tasks.spawn(run_http(http, router, http_limits));
        tasks.spawn(run_mirrors(projects.clone()));
        tasks.spawn(run_rules(projects.clone()));
        tasks.spawn(run_projects(projects.clone()));
        tasks.spawn(run_node(projects.clone(), node));
        tasks.spawn(run_attribution(projects.clone(), app.config.max_blames, verdicts));
        tasks.spawn(run_notify(projects.clone()));
        tasks.spawn(run_find_fixed(projects.clone()));
        tasks.spawn(run_sender(projects.clone(), smtp, journal));
        let posts = PostClient::new(app.config.webhook_private_addresses);
        tasks.spawn(run_posts(projects.clone(), posts));
        tasks.spawn(run_weekly(projects.clone()));
        tasks.spawn(run_maintenance(projects));
        tasks.spawn(run_give_back(memory));
        Ok(Self { thrift_address, http_address, app, tasks, _lock: lock })
    }

    /// Returns when a part has ended by itself: that is a bug, and the server is useless then.
    pub async fn broken(&mut self) {
        self.tasks.join_next().await;
    }

    /// The address and key for clients.
    pub fn dsn(&self) -> Option<String> {
        self.app.now().dsn()
    }

    /// Stops it. Accepted reports are in the store, and are processed after the next start.
    pub async fn stop(mut self) {
        // A mail or post that is just being accepted should not be sent again.
        let (sending, posting) = (self.app.sending.clone(), self.app.posting.clone());
        let held = async { tokio::join!(sending.lock(), posting.write()) };
        let _held = tokio::time::timeout(STOP_WAITS, held).await;
        self.tasks.shutdown().await;
        if let Some(running) = self.app.running.get() {
            let refused = running.intake.refusals().take();
            if let Err(error) = record_refusals(&self.app.projects, &refused).await {
                tracing::error!(%error, ?refused, "the last refusals could not be counted");
            }
        }
        self.app.store.close().await;
    }
}

async fn listen(
    config: &Config,
    option: &'static str,
    address: SocketAddr,
) -> Result<TcpListener, ConfigError> {
    TcpListener::bind(address).await.map_err(|error| {
        let problem = format!("cannot listen on {address}: {error}");
        let hint = "Stop the program that uses it, or choose another port or address.";
        ConfigError::new(config.set_at[option].clone(), problem, hint)
    })
}

/// One server for a data folder: two would send every mail twice.
fn lock(config: &Config) -> Result<File, StartError> {
    let path = lock_file(&config.data_dir);
    let folder = |source: std::io::Error| match StoreError::folder(&path, source) {
        StoreError::Folder { path, source } => {
            let problem = format!("{path} cannot be written: {source}");
            let hint = "Choose a folder that the user who runs the server may write to.";
            ConfigError::new(config.set_at["data_dir_path"].clone(), problem, hint).into()
        }
        full => StartError::Store(full),
    };
    lock_data_dir(&config.data_dir).map_err(|error| match error.kind() {
        ErrorKind::WouldBlock => {
            let problem = format!("{} is used by another running server", path.display());
            let hint = "Stop that server, or choose another folder.";
            ConfigError::new(config.set_at["data_dir_path"].clone(), problem, hint).into()
        }
        _ => folder(error),
    })
}
