//! Two servers on one PostgreSQL: whatever one of them does when it dies, nothing is lost, and
//! nobody is told twice.
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use flawless_base::clock::Clock;
use flawless_server::config::{Config, RawConfig};
use flawless_server::server::Server;

use crate::harness::{
    ANN, BEN, CLEO, NOW, SmtpServer, TestRepository, ThriftClient, postgres, request, wait_until,
};

/// Lines of three people, each in a file of its own.
const LINES: usize = 24;

fn repository() -> TestRepository {
    let repository = TestRepository::empty();
    for at in 0..LINES {
        let path = format!("app/part{at}.py");
        let text = format!("def part{at}(x):\n    return x.go{at}()\n");
        repository.commit([ANN, BEN, CLEO][at % 3], "2026-04-01", "a part", &[(&path, &text)]);
    }
    repository
}

/// A server with a data folder of its own.
async fn server(
    url: &str,
    folder: &Path,
    repository: &TestRepository,
    smtp: &SmtpServer,
    clock: &Clock,
) -> Server {
    let mut raw = RawConfig::default();
    for (name, value) in [
        ("port", "any"),
        ("http_port", "0"),
        ("auth", "off"),
        ("timezone", "UTC"),
        ("default_contact", "team@example.com"),
        ("report_error_threshold", "1"),
        ("weekly_report", "Monday"),
        ("digest_minutes", "0"),
        ("mails_per_hour", "0"),
        ("mails_per_person_per_hour", "0"),
        ("smtp_host", &smtp.address()),
        ("database_url", url),
        ("repo_dir", &repository.dir().display().to_string()),
        ("data_dir_path", &folder.display().to_string()),
    ] {
        raw.set_argument(&format!("{name}={value}")).expect("a known option");
    }
    let config = Config::resolve(&raw).expect("a valid configuration");
    Server::start(config, clock.clone()).await.expect("the server starts")
}

async fn report(server: &Server, at: usize) -> Result<String, String> {
    let (path, function, text) =
        (format!("/srv/app/part{at}.py"), format!("part{at}"), format!("return x.go{at}()"));
    let frame = (path.as_str(), 2, function.as_str(), text.as_str());
    let mut client = ThriftClient::connect(server.thrift_address.expect("open")).await;
    client.record_error(&request(&[frame])).await
}

async fn settle(server: &Server) {
    let (store, clock) = (&server.app.store, &server.app.clock);
    wait_until("the queues are empty", async || {
        store.pending_queue().await.expect("store").waiting == 0
            && store.open_alerts(clock.now(), 1).await.expect("store").is_empty()
            && store.pending_digests().await.expect("store").is_empty()
            && store.outbox_queue().await.expect("store").waiting == 0
    })
    .await;
}

/// How many different mails there are about each line; a mail that is sent again has the same
/// Message-ID, and mail programs show it once.
fn mails_by_line(smtp: &SmtpServer) -> BTreeMap<String, usize> {
    let mut mails: BTreeMap<String, BTreeMap<String, ()>> = BTreeMap::new();
    for mail in smtp.mails().into_iter().filter(|mail| !mail.subject.starts_with("Your week")) {
        // A mail that had to wait may name several lines.
        for line in mail.text.split("app/part").skip(1) {
            let line = line.split('.').next().unwrap_or_default().to_owned();
            mails.entry(line).or_default().insert(mail.message_id.clone(), ());
        }
    }
    mails.into_iter().map(|(line, ids)| (line, ids.len())).collect()
}

fn one_each() -> BTreeMap<String, usize> {
    (0..LINES).map(|at| (at.to_string(), 1)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_servers_share_the_work_and_tell_each_line_once() {
    let database = postgres::shared().database();
    let (repository, smtp, clock) = (repository(), SmtpServer::start(), Clock::fixed(NOW));
    let (one, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("one"));
    let one = server(&database.url, one.path(), &repository, &smtp, &clock).await;
    let other = server(&database.url, other.path(), &repository, &smtp, &clock).await;
    for at in 0..LINES {
        // Each line fails at both at the same time.
        let (here, there) = tokio::join!(report(&one, at), report(&other, at));
        here.expect("accepted");
        there.expect("accepted");
    }
    settle(&one).await;
    assert_eq!(mails_by_line(&smtp), one_each());
    let issues = one.app.store.issues_between(0, i64::MAX / 2).await.expect("store");
    assert_eq!(issues.len(), LINES, "a line is one issue");
    let counts: Vec<i64> = issues.iter().map(|week| week.issue.occurrences).collect();
    assert_eq!(counts, vec![2; LINES], "nothing is lost or counted twice");
    // One weekly report for each person, whoever writes it.
    clock.advance(30 * 3_600_000);
    let weekly =
        || smtp.mails().iter().filter(|mail| mail.subject.starts_with("Your week")).count();
    wait_until("the weekly reports are there", async || weekly() >= 3).await;
    settle(&other).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(weekly(), 3);
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_dies_in_the_middle_loses_nothing() {
    let repository = repository();
    for after_ms in [0, 80, 300] {
        let database = postgres::shared().database();
        let (smtp, clock) = (SmtpServer::start(), Clock::fixed(NOW));
        let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
        let dying = server(&database.url, folders[0].path(), &repository, &smtp, &clock).await;
        let living = server(&database.url, folders[1].path(), &repository, &smtp, &clock).await;
        let mut accepted = 0;
        for at in 0..LINES {
            let to = if at % 2 == 0 { &dying } else { &living };
            accepted += i64::from(report(to, at).await.is_ok());
        }
        assert_eq!(accepted, LINES as i64);
        tokio::time::sleep(Duration::from_millis(after_ms)).await;
        // Nothing of it is stopped in order: its tasks end where they are.
        drop(dying);
        // The other one finds out that it is dead.
        clock.advance(120_000);
        settle(&living).await;
        assert_eq!(mails_by_line(&smtp), one_each(), "killed after {after_ms} ms");
        let issues = living.app.store.issues_between(0, i64::MAX / 2).await.expect("store");
        let sum: i64 = issues.iter().map(|week| week.issue.occurrences).sum();
        assert_eq!((issues.len(), sum), (LINES, accepted), "killed after {after_ms} ms");
        living.stop().await;
    }
}
