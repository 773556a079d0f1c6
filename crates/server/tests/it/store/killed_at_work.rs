//! One of two servers on a PostgreSQL is killed in the middle of each kind of work. The other one
//! does that work: nothing is lost, and nobody is told twice.
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flawless_base::clock::Clock;
use flawless_base::dates::ReportWeek;
use flawless_base::secret::Secret;
use flawless_protocol::thrift::RecordErrorRequest;
use flawless_server::config::{Config, RawConfig};
use flawless_server::server::Server;
use flawless_store::sealing::Sealing;
use flawless_store::{
    IssueFacts, NewChannel, NewSample, PostgresSettings, Sample, Seen, Store, encode_sample,
};
use jiff::ToSpan;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use tempfile::TempDir;

use crate::harness::{
    ANN, BEN, CLEO, HeldTable, ServerProcess, SmtpServer, TestRepository, ThriftClient, Webhook,
    free_port, postgres, query, request, wait_until,
};

const DAY_MS: i64 = 86_400_000;
/// Long enough for a server to begin.
const A_WHILE: Duration = Duration::from_millis(500);

/// A database and the folders of two servers, of which one will die.
struct Two {
    database: postgres::Database,
    repository: TestRepository,
    smtp: Arc<SmtpServer>,
    folders: [TempDir; 2],
    /// The clock of the one that lives. The other one reads the system's.
    clock: Clock,
    port: u16,
}

impl Two {
    async fn new() -> Self {
        let repository = TestRepository::empty();
        for (at, who) in [ANN, BEN, CLEO].into_iter().enumerate() {
            let path = format!("app/part{at}.py");
            let text = format!("def part{at}(x):\n    return x.go{at}()\n");
            repository.commit(who, "2026-04-01", "a part", &[(&path, &text)]);
        }
        let two = Self {
            database: postgres::shared().database(),
            repository,
            smtp: Arc::new(SmtpServer::start()),
            folders: [(); 2].map(|()| tempfile::tempdir().expect("a folder")),
            clock: Clock::fixed(Clock::system().now()),
            port: free_port(),
        };
        // The tables are there.
        drop(two.store().await);
        two
    }

    fn options(&self, folder: &Path, port: &str, http_port: &str) -> Vec<String> {
        let repository = self.repository.dir().display().to_string();
        [
            ("port", port),
            ("http_port", http_port),
            ("auth", "off"),
            ("timezone", "UTC"),
            ("default_contact", "team@example.com"),
            ("report_error_threshold", "1"),
            ("weekly_report", "Monday"),
            ("digest_minutes", "0"),
            ("mails_per_hour", "0"),
            ("mails_per_person_per_hour", "0"),
            ("webhook_private_addresses", "true"),
            ("log_level", "ERROR"),
            ("smtp_host", &self.smtp.address()),
            ("database_url", &self.database.url),
            ("repo_dir", &repository),
            ("data_dir_path", &folder.display().to_string()),
        ]
        .map(|(name, value)| format!("{name}={value}"))
        .into()
    }

    /// The store, before a server uses it. It has been there for long.
    async fn store(&self) -> Store {
        let settings = PostgresSettings { url: Secret::new(&self.database.url), connections: 4 };
        let since = self.clock.now() - 300 * DAY_MS;
        Store::connect(&settings, &Sealing::default(), since).await.expect("a store")
    }

    /// Starts the one that will be killed.
    async fn start_dying(&self) -> ServerProcess {
        let (port, http_port) = (self.port.to_string(), free_port().to_string());
        let options = self.options(self.folders[0].path(), &port, &http_port);
        let set = options.into_iter().flat_map(|option| ["--set".to_owned(), option]);
        ServerProcess::start(&set.collect::<Vec<_>>(), self.port).await
    }

    /// Starts the other one.
    async fn start_living(&self) -> Server {
        let mut raw = RawConfig::default();
        for option in self.options(self.folders[1].path(), "any", "0") {
            raw.set_argument(&option).expect("a known option");
        }
        let config = Config::resolve(&raw).expect("a valid configuration");
        Server::start(config, self.clock.clone()).await.expect("the server starts")
    }

    /// Waits until a server has done what it does at its start.
    async fn wait_for_start(&self) {
        let done = "SELECT COUNT(*) FROM setting WHERE name = 'last_issue'";
        wait_until("it is idle", async || query(&self.database.url, done) == "1").await;
    }

    /// Lets no server write to a table.
    fn hold(&self, table: &str) -> HeldTable {
        HeldTable::hold(&self.database, table, "EXCLUSIVE")
    }

    /// Kills a server when it waits for the table; meanwhile the other one starts. Returns that one
    /// when it has done all work.
    async fn kill_when_it_waits(&self, mut dying: ServerProcess, held: HeldTable) -> Server {
        wait_until("it is in the middle", async || held.is_waited_for()).await;
        let (living, ()) = tokio::join!(self.start_living(), async {
            dying.kill();
            tokio::time::sleep(A_WHILE).await;
            drop(held);
        });
        self.finish(&living).await;
        living
    }

    /// Lets the living server find out that the other one is dead, and finish its work.
    async fn finish(&self, living: &Server) {
        let store = &living.app.store;
        self.clock.advance(120_000);
        wait_until("all work is done", async || {
            store.pending_queue().await.expect("store").waiting == 0
                && store.open_alerts(self.clock.now(), 1).await.expect("store").is_empty()
                && store.pending_digests().await.expect("store").is_empty()
                && store.outbox_queue().await.expect("store").waiting == 0
        })
        .await;
    }

    /// The recipients of all mails, and how many different mails there are: one that is sent again
    /// has the same Message-ID, and mail programs show it once.
    fn mailed(&self) -> (Vec<String>, usize) {
        let mails = self.smtp.mails();
        let ids: BTreeSet<&str> = mails.iter().map(|mail| mail.message_id.as_str()).collect();
        let people: BTreeSet<String> = mails.iter().map(|mail| mail.to.clone()).collect();
        (people.into_iter().collect(), ids.len())
    }

    /// Each person has one mail about the line, and each line is counted once.
    async fn assert_told_once(&self, living: &Server) {
        let everybody = [ANN, BEN, CLEO].map(|(_, address)| address.to_owned()).to_vec();
        assert_eq!(self.mailed(), (everybody, 3));
        let issues = living.app.store.issues_between(0, i64::MAX / 2).await.expect("store");
        let counts: Vec<i64> = issues.iter().map(|week| week.issue.occurrences).collect();
        assert_eq!(counts, [1, 1, 1]);
    }

    /// The port of the one that will be killed.
    fn first(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }
}

/// The port of the one that lives.
fn second(living: &Server) -> SocketAddr {
    living.thrift_address.expect("open")
}

async fn report(to: SocketAddr, parts: &[usize]) {
    for at in parts {
        let mut client = ThriftClient::connect(to).await;
        client.record_error(&part(*at)).await.expect("accepted");
    }
}

fn part(at: usize) -> RecordErrorRequest {
    let (path, function, text) =
        (format!("/srv/app/part{at}.py"), format!("part{at}"), format!("return x.go{at}()"));
    request(&[(path.as_str(), 2, function.as_str(), text.as_str())])
}

/// An issue as attribution would have found it.
fn facts(who: (&str, &str)) -> IssueFacts {
    IssueFacts {
        identity: format!("the line of {}", who.0),
        path: format!("app/{}.py", who.0),
        line: 1,
        function_name: "run".into(),
        text: "x.go()".into(),
        exception_type: "builtins.ValueError".into(),
        developer_name: Some(who.0.into()),
        developer_email: Some(who.1.into()),
        ..IssueFacts::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn report_that_was_being_recorded_is_refused_and_counts_once_when_it_is_sent_again() {
    let two = Two::new().await;
    let again = RecordErrorRequest { id: Some("0f".repeat(16)), ..part(0) };
    let mut dying = two.start_dying().await;
    two.wait_for_start().await;
    let held = two.hold("pending_report");
    let mut client = ThriftClient::connect(two.first()).await;
    let sent = tokio::spawn({
        let report = again.clone();
        async move { client.record_error(&report).await }
    });
    wait_until("it is in the middle", async || held.is_waited_for()).await;
    dying.kill();
    assert!(sent.await.expect("no panic").is_err(), "it was not accepted");
    drop(held);
    let living = two.start_living().await;
    for _ in 0..2 {
        let mut client = ThriftClient::connect(second(&living)).await;
        client.record_error(&again).await.expect("accepted");
    }
    two.finish(&living).await;
    assert_eq!(two.mailed(), (vec![ANN.1.to_owned()], 1));
    let issues = living.app.store.issues_between(0, i64::MAX / 2).await.expect("store");
    assert_eq!((issues.len(), issues[0].issue.occurrences), (1, 1));
    living.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn report_that_was_being_attributed_is_attributed_by_the_other_server() {
    let two = Two::new().await;
    let dying = two.start_dying().await;
    two.wait_for_start().await;
    let held = two.hold("sample");
    report(two.first(), &[0]).await;
    let living = two.kill_when_it_waits(dying, held).await;
    report(second(&living), &[1, 2]).await;
    two.finish(&living).await;
    two.assert_told_once(&living).await;
    living.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alert_that_was_being_composed_is_composed_by_the_other_server() {
    let two = Two::new().await;
    let dying = two.start_dying().await;
    two.wait_for_start().await;
    let held = two.hold("outbox");
    report(two.first(), &[0]).await;
    let living = two.kill_when_it_waits(dying, held).await;
    report(second(&living), &[1, 2]).await;
    two.finish(&living).await;
    two.assert_told_once(&living).await;
    living.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_that_was_being_sent_is_sent_by_the_other_server() {
    let two = Two::new().await;
    two.smtp.hang();
    let mut dying = two.start_dying().await;
    report(two.first(), &[0, 1, 2]).await;
    wait_until("a mail has no answer", async || two.smtp.has_hung()).await;
    let living = two.start_living().await;
    dying.kill();
    two.finish(&living).await;
    two.assert_told_once(&living).await;
    assert_eq!(two.smtp.mails().len(), 3);
    living.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn post_that_was_being_sent_is_sent_by_the_other_server() {
    let two = Two::new().await;
    let hook = Webhook::start().await;
    let store = two.store().await;
    let url = Secret::new(hook.url("/"));
    let mut tx = store.write().await.expect("store");
    let channel = NewChannel { kind: "slack", url, secret: None, owner: None };
    tx.add_channel(&channel, two.clock.now()).await.expect("added");
    tx.commit().await.expect("store");
    hook.hang();
    let mut dying = two.start_dying().await;
    report(two.first(), &[0]).await;
    hook.wait_for(1).await;
    let living = two.start_living().await;
    dying.kill();
    two.finish(&living).await;
    let posts = hook.wait_for(2).await;
    assert_eq!(posts.len(), 2, "the one without an answer, and the one of the other server");
    assert_eq!(posts[0].body, posts[1].body);
    assert_eq!(two.mailed(), (vec![ANN.1.to_owned()], 1));
    living.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn issue_that_was_being_resolved_is_resolved_by_the_other_server() {
    let two = Two::new().await;
    let mut dying = two.start_dying().await;
    report(two.first(), &[0, 1, 2]).await;
    wait_until("all are told", async || two.smtp.mails().len() == 3).await;
    dying.kill();
    let gone = "def part0(x):\n    return 1\n";
    two.repository.commit(BEN, "2026-05-01", "mend it", &[("app/part0.py", gone)]);
    let held = two.hold("issue");
    let living = two.kill_when_it_waits(two.start_dying().await, held).await;
    let store = &living.app.store;
    wait_until("it is resolved", async || {
        let issues = store.issues_between(0, i64::MAX / 2).await.expect("store");
        issues.iter().filter(|week| week.issue.resolved_at.is_some()).count() == 1
    })
    .await;
    two.assert_told_once(&living).await;
    living.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn weekly_report_that_was_being_written_is_written_by_the_other_server() {
    let two = Two::new().await;
    let store = two.store().await;
    let now = two.clock.now();
    let week = ReportWeek::reported_at(now, Weekday::Monday, &TimeZone::UTC).expect("a week");
    let before = week.day.checked_sub(7.days()).expect("a day");
    let mut tx = store.write().await.expect("store");
    tx.set_weekly_sent(before).await.expect("written");
    let midnight = week.day.to_zoned(TimeZone::UTC).expect("a time").timestamp();
    for who in [ANN, BEN, CLEO] {
        let at = midnight.as_millisecond() - 2 * DAY_MS;
        let seen = Seen {
            occurrences: 5,
            only_listed: 0,
            reports: 1,
            first_at: at,
            last_at: at,
            samples: 0,
        };
        tx.count_attributed(&facts(who), seen).await.expect("counted");
    }
    tx.commit().await.expect("store");
    // The last thing that is written: the mails are in the outbox by then.
    let held = two.hold("setting");
    let living = two.kill_when_it_waits(two.start_dying().await, held).await;
    let everybody = [ANN, BEN, CLEO].map(|(_, address)| address.to_owned()).to_vec();
    wait_until("the reports are there", async || two.mailed() == (everybody.clone(), 3)).await;
    assert_eq!(store.weekly_sent().await.expect("store"), Some(week.day));
    living.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_that_was_being_applied_is_applied_by_the_other_server() {
    let two = Two::new().await;
    let store = two.store().await;
    let mut tx = store.write().await.expect("store");
    let report = flawless_core::Report::default();
    let sample = encode_sample(&Sample { report, frames: Vec::new().into(), blamed_frame: None });
    let sample = sample.expect("it is encoded");
    for (who, days) in [(ANN, 200), (BEN, 1)] {
        let at = two.clock.now() - days * DAY_MS;
        let seen = Seen {
            occurrences: 1,
            only_listed: 0,
            reports: 1,
            first_at: at,
            last_at: at,
            samples: 1,
        };
        let issue = tx.count_attributed(&facts(who), seen).await.expect("counted").id;
        tx.add_samples(&[NewSample { issue, number: 1, received_at: at, body: &sample }])
            .await
            .expect("kept");
    }
    tx.commit().await.expect("store");
    let held = two.hold("sample");
    let living = two.kill_when_it_waits(two.start_dying().await, held).await;
    let people = async || {
        let issues = store.issues_between(0, i64::MAX / 2).await.expect("store");
        issues.into_iter().map(|week| week.issue.facts.path).collect::<Vec<_>>()
    };
    wait_until("what is old is gone", async || people().await == ["app/Ben Baker.py"]).await;
    living.stop().await;
}
