//! A mirror that may be outdated: nobody is blamed because of missing commits, and no report waits
//! forever.
use flawless_protocol::thrift::RecordErrorRequest;
use flawless_store::WaitsFor;
use tokio::net::TcpListener;

use crate::harness::{ANN, App, BEN, CLEO, Frame, Mail, TestRepository, request, wait_until};

const CART: &str = "from shop.money import add\n\n\ndef total(prices):\n    return prices[7]\n";
const NEW_LINE: Frame<'_> = ("/srv/app/shop/cart.py", 5, "total", "return prices[7]");
const KNOWN_LINE: Frame<'_> =
    ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
const CALLER: Frame<'_> = ("/srv/app/shop/web.py", 2, "handle", "return cart.total()");
/// How long a report waits for a fetch that could explain it.
const TEN_MINUTES: i64 = 10 * 60_000;

async fn clone_of(origin: &TestRepository) -> App {
    let url = origin.dir().display().to_string();
    let app = App::with("repo_url", &url).without_repository().start().await;
    wait_until("it is cloned", async || app.server.app.repo.get().tip_commit().is_some()).await;
    app
}

fn running(revision: &str, frames: &[Frame<'_>]) -> RecordErrorRequest {
    RecordErrorRequest { revision: Some(revision.to_owned()), ..request(frames) }
}

fn notified(mails: &[Mail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.to.as_str()).collect()
}

/// Makes the remote unreachable, or reachable again.
fn away(origin: &TestRepository, is_away: bool) {
    let (here, there) = (origin.dir().join(".git"), origin.dir().join("away"));
    let (from, to) = if is_away { (here, there) } else { (there, here) };
    std::fs::rename(from, to).expect("moved");
}

async fn waiting(app: &App) -> i64 {
    app.server.app.store.pending_queue().await.expect("store").waiting
}

/// Waits until fetches fail.
async fn fetch_has_failed(app: &App) {
    wait_until("a fetch fails", async || app.server.app.repo.get().failing.is_some()).await;
}

/// Fetches, as the server does at intervals, and releases the reports that waited for it.
async fn fetch(app: &App) {
    let shared = &app.server.app;
    let flawless_server::attribution::Repo::Ready(mirror) = shared.repo.get().repo else {
        panic!("no mirror")
    };
    mirror.fetch().await.expect("fetched");
    let mut tx = shared.store.write().await.expect("store");
    tx.release_waiting(WaitsFor::Fetch, app.clock.now()).await.expect("store");
    tx.commit().await.expect("store");
    shared.wakeups.pending.notify_one();
}

#[tokio::test]
async fn new_line_waits_while_the_remote_is_away() {
    let origin = TestRepository::shop();
    let app = clone_of(&origin).await;
    let tip = origin.commit(CLEO, "2026-07-01", "seven", &[("shop/cart.py", CART)]);
    away(&origin, true);
    app.report(&running(&tip, &[CALLER, NEW_LINE])).await;
    fetch_has_failed(&app).await;
    assert_eq!(waiting(&app).await, 1, "neither the caller nor the default contact is notified");
    assert!(app.smtp.mails().is_empty());
    away(&origin, false);
    fetch(&app).await;
    assert_eq!(notified(&app.mails().await), [CLEO.1]);
}

#[tokio::test]
async fn new_line_is_unblamed_until_the_remote_returns() {
    let origin = TestRepository::shop();
    let app = clone_of(&origin).await;
    let tip = origin.commit(CLEO, "2026-07-01", "seven", &[("shop/cart.py", CART)]);
    away(&origin, true);
    app.report(&running(&tip, &[NEW_LINE])).await;
    fetch_has_failed(&app).await;
    app.clock.advance(TEN_MINUTES);
    assert_eq!(notified(&app.mails().await), ["team@example.com"]);
    app.later();
    away(&origin, false);
    fetch(&app).await;
    wait_until("the author is notified", async || app.smtp.mails().len() == 2).await;
    let mails = app.mails().await;
    assert_eq!(notified(&mails), [CLEO.1, "team@example.com"]);
    assert!(mails[0].says("return prices[7]"), "{}", mails[0].text);
    let issues = app.server.app.store.issues_between(0, i64::MAX / 2).await.expect("store");
    let counts: Vec<i64> = issues.iter().map(|found| found.issue.occurrences).collect();
    assert_eq!(counts, [1], "it is one issue with one occurrence");
    // Later reports belong to that issue, and nobody is notified of them.
    app.report(&running(&tip, &[NEW_LINE])).await;
    assert_eq!(app.mails().await.len(), 2);
}

#[tokio::test]
async fn known_line_keeps_its_issue_while_the_remote_hangs() {
    let origin = TestRepository::shop();
    let app = clone_of(&origin).await;
    app.report(&request(&[KNOWN_LINE])).await;
    assert_eq!(notified(&app.mails().await), [BEN.1]);
    // Accepts connections and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = silent.local_addr().expect("bound").port();
    let config = flawless_server::config::Config {
        repository: Some(flawless_git::Source::Clone {
            url: format!("git://127.0.0.1:{port}/shop"),
            dir: match &app.server.app.config.repository {
                Some(flawless_git::Source::Clone { dir, .. }) => dir.clone(),
                other => panic!("{other:?}"),
            },
        }),
        max_blames: 2,
        ..(*app.server.app.config).clone()
    };
    let app = app.restart_with(config).await;
    let unknown = "0123456789abcdef0123456789abcdef01234567";
    for line in 10..20 {
        let frame = ("/srv/app/shop/cart.py", line, "total", "return not_here_yet(prices)");
        app.report(&running(unknown, &[frame])).await;
    }
    app.report(&running(unknown, &[KNOWN_LINE])).await;
    let (connection, _) = silent.accept().await.expect("a fetch");
    // Reports that can be explained do not wait behind those that cannot.
    app.report(&request(&[CALLER])).await;
    wait_until("the other author is notified", async || app.smtp.mails().len() == 2).await;
    assert_eq!(waiting(&app).await, 11);
    app.clock.advance(TEN_MINUTES);
    app.settle().await;
    let mails = app.mails().await;
    assert_eq!(mails.iter().filter(|mail| mail.to == BEN.1).count(), 1, "{:?}", notified(&mails));
    assert!(mails.iter().any(|mail| mail.to == ANN.1));
    let issues = app.server.app.store.issues_between(0, i64::MAX / 2).await.expect("store");
    let known = issues.iter().find(|found| {
        found.issue.facts.path == "shop/cart.py" && found.issue.facts.origin_commit.is_some()
    });
    assert_eq!(known.expect("the known line").issue.occurrences, 2);
    drop(connection);
}

#[tokio::test]
async fn unpushed_revision_is_not_looked_for_after_the_next_fetch() {
    let origin = TestRepository::shop();
    let app = clone_of(&origin).await;
    let unknown = "0123456789abcdef0123456789abcdef01234567";
    let elsewhere = ("/elsewhere/job.py", 3, "run", "work()");
    app.report(&running(unknown, &[elsewhere])).await;
    let rows = async || app.server.app.store.due_pending(i64::MAX / 4, 9).await.expect("store");
    wait_until("the report waits for a fetch", async || {
        rows().await.first().is_some_and(|row| row.attempts > 0)
    })
    .await;
    app.clock.advance(TEN_MINUTES);
    assert_eq!(notified(&app.mails().await), ["team@example.com"]);
    fetch(&app).await;
    wait_until("the report no longer waits", async || rows().await.is_empty()).await;
    let issues = app.server.app.store.issues_between(0, i64::MAX / 2).await.expect("store");
    let counts: Vec<i64> = issues.iter().map(|found| found.issue.occurrences).collect();
    assert_eq!(counts, [1]);
}
