//! Starts the whole server on free ports with a clock of its own, a real mail server and a
//! real repository, and uses it as clients, browsers and people do.

mod api;
mod browser;
mod command;
mod held_table;
mod mail;
mod open_id;
#[path = "../../../../store/tests/conformance/postgres.rs"]
#[allow(dead_code, reason = "the tests of the store use all of it")]
pub mod postgres;
mod process;
mod repository;
mod rules;
mod small_disk;
mod smtp_sink;
mod snapshot;
mod surfer;
mod thrift;
mod webhook;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flawless_base::clock::Clock;
use flawless_protocol::thrift::RecordErrorRequest;
use flawless_server::app::projects::Projects;
use flawless_server::config::{Config, RawConfig};
use flawless_server::notify::digest::scheduled_digests;
use flawless_server::server::Server;
use flawless_store::sealing::Sealing;
use flawless_store::{Retention, Store};
use sqlx::{Connection as _, SqliteConnection};
use tempfile::TempDir;

pub use browser::{Axe, Browser, PHONE, SCREEN, Scheme};
pub use command::{flawless, flawless_with_bytes, flawless_with_input, stderr, stdout};
pub use held_table::{HeldTable, query};
pub use mail::{Mail, SmtpServer};
pub use open_id::OpenIdProvider;
pub use process::{ServerProcess, free_port, server_options};
pub use repository::{ANN, BEN, CLEO, Person, TestRepository};
pub use rules::add_rule;
pub use small_disk::SmallDisk;
pub use snapshot::steady;
pub use surfer::{Answer, Surfer, link_in, mails_to};
pub use thrift::{Frame, ThriftClient, request};
pub use webhook::{Posted, Webhook};

/// Sunday, 2026-11-22 12:00:00 UTC.
pub const NOW: i64 = 1_795_348_800_000;

/// Long enough for the slowest machine; a passing test needs less than a hundredth of it.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The server under test with everything around it.
pub struct App {
    pub server: Server,
    pub clock: Clock,
    pub repository: TestRepository,
    pub smtp: SmtpServer,
    pub folder: TempDir,
}

/// The settings that a test changes.
#[derive(Default)]
pub struct AppBuilder {
    options: Vec<(String, String)>,
    repository: Option<TestRepository>,
    smtp: Option<SmtpServer>,
    without_repository: bool,
    sealing: Option<Sealing>,
    clock: Option<Clock>,
    in_file: bool,
}

/// The projects of a new store, for parts that are tested without a server.
pub async fn new_projects(folder: &TempDir, clock: &Clock) -> Arc<Projects> {
    let mut raw = RawConfig::default();
    raw.set_argument(&format!("data_dir_path={}", folder.path().display())).expect("an option");
    let config = Config::resolve(&raw).expect("valid");
    let store =
        Store::open(folder.path(), &Sealing::default(), clock.now()).await.expect("a store");
    let address = config.http_address;
    Projects::open(config, store, clock.clone(), address).await.expect("projects")
}

impl App {
    pub async fn start() -> Self {
        AppBuilder::default().start().await
    }

    pub fn with(option: &str, value: &str) -> AppBuilder {
        AppBuilder::default().with(option, value)
    }

    /// Stops the server and starts it again with the same data, as an upgrade does.
    pub async fn restart(self) -> Self {
        let config = (*self.server.app.config).clone();
        self.restart_with(config).await
    }

    /// The same with another configuration.
    pub async fn restart_with(self, config: Config) -> Self {
        self.server.stop().await;
        let server = Server::start(config, self.clock.clone()).await.expect("starts again");
        Self { server, ..self }
    }

    /// The address for framed reports.
    pub fn thrift_address(&self) -> SocketAddr {
        self.server.thrift_address.expect("the port is open")
    }

    /// Reports an error and expects it to be accepted.
    pub async fn report(&self, request: &RecordErrorRequest) {
        let mut client = ThriftClient::connect(self.thrift_address()).await;
        assert_eq!(client.record_error(request).await, Ok("record_error".to_owned()));
    }

    /// Deletes what was last seen before this time, as the server does once an hour.
    pub async fn apply_retention(&self, before: i64, now: i64) {
        let shared = &self.server.app;
        let mut tx = shared.store.write().await.expect("store");
        let baseline_until = shared.baseline_until;
        tx.apply_retention(Retention { now, before, baseline_until }).await.expect("deleted");
        tx.commit().await.expect("store");
    }

    /// Waits until nothing is left to attribute, compose or send at the current time.
    pub async fn settle(&self) {
        let shared = &self.server.app;
        let store = &shared.store;
        let none_is_due = async || {
            let digests = scheduled_digests(shared).await.expect("store");
            digests.iter().all(|digest| digest.due_at > shared.clock.now())
        };
        wait_until("the queues are empty", async || {
            store.pending_queue().await.expect("store").waiting == 0
                && store.open_alerts(shared.clock.now(), 1).await.expect("store").is_empty()
                && none_is_due().await
                && store.outbox_queue().await.expect("store").waiting == 0
        })
        .await;
    }

    /// Waits until the queues are empty; returns the mails so far, sorted by recipient.
    pub async fn mails(&self) -> Vec<Mail> {
        self.settle().await;
        self.smtp.mails()
    }

    /// Moves the clock so far that the next alert to anybody no longer waits for a digest.
    pub fn later(&self) {
        self.clock.advance(10 * 60_000);
    }

    /// The only mail so far; fails when there is another number.
    pub async fn one_mail(&self) -> Mail {
        let mut mails = self.mails().await;
        assert_eq!(mails.len(), 1, "{mails:#?}");
        mails.remove(0)
    }

    /// A configuration file with which commands find its store.
    pub fn conf(&self) -> String {
        let config = &self.server.app.config;
        let mut text = format!("[flawless]\ndata_dir_path = {}\n", config.data_dir.display());
        if let Some(database) = &config.database {
            text += &format!("database_url = {}\n", database.url.reveal());
        }
        let path = self.folder.path().join("store.cfg");
        std::fs::write(&path, text).expect("written");
        path.display().to_string()
    }

    /// Runs a statement in its database, past the server.
    pub async fn execute(&self, statement: &'static str) {
        let Some(database) = &self.server.app.config.database else {
            let path = self.server.app.config.data_dir.join("flawless.db");
            let url = format!("sqlite://{}", path.display());
            let mut database = SqliteConnection::connect(&url).await.expect("a database");
            sqlx::query(statement).execute(&mut database).await.expect("executed");
            return;
        };
        query(database.url.reveal(), statement);
    }

    /// A page: status and body.
    pub async fn get(&self, path: &str) -> (u16, String) {
        get(&format!("http://{}{path}", self.server.http_address)).await
    }

    /// The token that forms carry where there is no sign-in.
    pub fn form_token(&self) -> String {
        self.server.app.signer.sign("form", &["local"])
    }

    /// Sends a form: status and body of the page it leads to.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let url = format!("http://{}{path}", self.server.http_address);
        let token = self.form_token();
        let fields: Vec<(&str, &str)> =
            fields.iter().copied().chain([("form_token", token.as_str())]).collect();
        let request = reqwest::Client::new().post(url).form(&fields);
        let answer = request.send().await.expect("the server answers");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    }
}

impl AppBuilder {
    pub fn with(mut self, option: &str, value: &str) -> Self {
        self.options.push((option.to_owned(), value.to_owned()));
        self
    }

    pub fn repository(mut self, repository: TestRepository) -> Self {
        self.repository = Some(repository);
        self
    }

    pub fn without_repository(mut self) -> Self {
        self.without_repository = true;
        self
    }

    pub fn smtp(mut self, smtp: SmtpServer) -> Self {
        self.smtp = Some(smtp);
        self
    }

    /// With keys as the environment would hold them.
    pub fn sealing(mut self, sealing: Sealing) -> Self {
        self.sealing = Some(sealing);
        self
    }

    /// With the embedded database in any case, for tests that look into its files.
    pub fn in_file(mut self) -> Self {
        self.in_file = true;
        self
    }

    /// For times that are compared with those of other programs.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    pub async fn start(self) -> App {
        let folder = tempfile::tempdir().expect("a folder");
        let repository = self.repository.unwrap_or_else(TestRepository::shop);
        let smtp = self.smtp.unwrap_or_else(SmtpServer::start);
        let mut raw = RawConfig::default();
        let mut set = |name: &str, value: &str| {
            raw.set_argument(&format!("{name}={value}")).expect("a known option");
        };
        set("port", "any");
        set("http_port", "0");
        set("auth", "off");
        set("timezone", "UTC");
        set("default_contact", "team@example.com");
        set("report_error_threshold", "1");
        set("smtp_host", &smtp.address());
        set("smtp_timeout", "2");
        set("weekly_report", "off");
        set("data_dir_path", &folder.path().join("data").display().to_string());
        if !self.without_repository {
            set("repo_dir", &repository.dir().display().to_string());
        }
        if on_postgres() && !self.in_file {
            set("database_url", &postgres::shared().database().url);
        }
        for (name, value) in &self.options {
            set(name, value);
        }
        let clock = self.clock.unwrap_or_else(|| Clock::fixed(NOW));
        let mut config = Config::resolve(&raw).expect("a valid configuration");
        config.mirror.folder = Duration::from_secs(1);
        config.mirror.asked = Duration::from_secs(1);
        if let Some(sealing) = self.sealing {
            config.sealing = sealing;
        }
        let server = Server::start(config, clock.clone()).await.expect("the server starts");
        App { server, clock, repository, smtp, folder }
    }
}

/// Whether servers under test keep their data on PostgreSQL.
pub fn on_postgres() -> bool {
    std::env::var_os("FLAWLESS_TEST_DATABASE").is_some_and(|kind| kind == "postgres")
}

/// Gets an address: status and body.
pub async fn get(url: &str) -> (u16, String) {
    // The client needs a provider of cryptography; a server in this process has installed one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let answer = reqwest::get(url).await.expect("the server answers");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

/// Waits until `done` returns true.
pub async fn wait_until(what: &str, mut done: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !done().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    waited.await.unwrap_or_else(|_| panic!("gave up waiting until {what}"));
}

/// The Python that `./test` has set up with the older client and a mail server.
pub fn python() -> PathBuf {
    let path =
        PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/test-env/bin/python"));
    assert!(path.exists(), "{} is missing: run ./test once, it sets it up", path.display());
    path
}

/// The Pythons that `./test` has set up with the package of this repository, oldest first.
pub fn pythons_with_package() -> Vec<PathBuf> {
    let environments =
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/python")).to_owned();
    let versions = std::fs::read_to_string(environments.join("versions"))
        .expect("target/python/versions is missing: run ./test once, it sets it up");
    versions.lines().map(|version| environments.join(version).join("bin/python")).collect()
}

/// The newest of these Pythons.
pub fn python_with_package() -> PathBuf {
    pythons_with_package().pop().expect("at least one, or ./test ends")
}

/// A server that asks for a sign-in.
pub fn with_sign_in() -> AppBuilder {
    App::with("auth", "on").with("allowed_email_domains", "example.com")
}
