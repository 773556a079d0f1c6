//! Data that is erased or older than `retention_days` is gone from the bytes of the files too.
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use flawless_core::ChainedException;
use flawless_protocol::thrift::{Breadcrumb, Context, Process, RecordErrorRequest};
use flawless_store::{GivenRole, NewPending, NewSession, RoleScope, encode_sample};
use sqlx::{Connection, SqliteConnection};

use crate::harness::{ANN, App, AppBuilder, BEN, Frame, flawless, request, stdout, wait_until};
use crate::store::sealed::stands_in;

const CART: [Frame<'static>; 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];
const MONEY: [Frame<'static>; 1] =
    [("/srv/app/shop/money.py", 6, "fail", "raise ValueError(text)")];
const DAY_MS: i64 = 86_400_000;

/// Reports a value to search for later: mails hold it as it is, samples compressed.
async fn report(app: &App, frames: &[Frame<'_>], value: &str) {
    let mut report = request(frames);
    report.traceback[0].frame_locals = Some([("who".into(), format!("'{value}'"))].into());
    app.report(&report).await;
}

async fn database(app: &App) -> SqliteConnection {
    let path = app.folder.path().join("data/flawless.db");
    SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.expect("a database")
}

/// A part of each sample as it is on the disk.
async fn sample_bytes(app: &App, issue: i64) -> Vec<u8> {
    let query = sqlx::query_scalar("SELECT body FROM sample WHERE issue_id = $1 LIMIT 1");
    let body: Vec<u8> =
        query.bind(issue).fetch_one(&mut database(app).await).await.expect("a sample");
    body[20..90].to_vec()
}

async fn count(app: &App, table: &'static str) -> i64 {
    let query = match table {
        "issue" => "SELECT COUNT(*) FROM issue",
        "notice" => "SELECT COUNT(*) FROM notification",
        "alert" => "SELECT COUNT(*) FROM alert",
        _ => "SELECT COUNT(*) FROM sample",
    };
    sqlx::query_scalar(query).fetch_one(&mut database(app).await).await.expect("a number")
}

fn data(app: &App) -> std::path::PathBuf {
    app.folder.path().join("data")
}

fn erase(app: &App, arguments: &[&str]) -> Output {
    let set = format!("data_dir_path={}", data(app).display());
    flawless(Path::new("/"), &[&["erase", "--set", &set], arguments].concat())
}

async fn apply_retention(app: &App, before: i64) {
    let store = &app.server.app.store;
    app.apply_retention(before, app.clock.now()).await;
    wait_until("the journal is empty", async || store.empty_journal().await.expect("store")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn data_past_retention_is_in_no_byte_of_the_files() {
    let app = App::with("report_error_threshold", "2").in_file().start().await;
    report(&app, &CART, "an old value of the cart").await;
    app.settle().await;
    report(&app, &CART, "an old value of the cart").await;
    app.settle().await;
    report(&app, &MONEY, "unreported").await;
    app.settle().await;
    assert_eq!(app.smtp.mails().len(), 1, "only one of the issues was notified");
    let sample = sample_bytes(&app, 1).await;
    assert!(stands_in(&data(&app), &sample));
    assert!(stands_in(&data(&app), b"an old value of the cart"), "in the outbox");
    app.clock.advance(2 * DAY_MS);
    apply_retention(&app, app.clock.now() - DAY_MS).await;
    assert!(!stands_in(&data(&app), &sample));
    assert!(!stands_in(&data(&app), b"an old value of the cart"));
    assert_eq!(count(&app, "sample").await, 0);
    assert_eq!((count(&app, "issue").await, count(&app, "alert").await), (1, 1));
    // The number of the deleted issue is not used again.
    report(&app, &MONEY, "again").await;
    app.settle().await;
    assert_eq!(app.get("/view_traceback?issue=3").await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_revisions_and_old_refusal_resets_are_deleted() {
    let app = AppBuilder::default().in_file().start().await;
    let store = &app.server.app.store;
    let mut tx = store.write().await.expect("store");
    for revision in ["a", "b", "c"] {
        tx.seen_running(&revision.repeat(40), true, app.clock.now()).await.expect("store");
    }
    tx.clear_refusal(BEN.1, app.clock.now()).await.expect("store");
    tx.commit().await.expect("store");
    let left = async || {
        let query = "SELECT COUNT(*) FROM retried_address";
        let retried: i64 =
            sqlx::query_scalar(query).fetch_one(&mut database(&app).await).await.expect("a number");
        let running = store.running_revisions(9).await.expect("store");
        (running.into_iter().map(|row| row.commit_id[..1].to_owned()).collect::<String>(), retried)
    };
    app.clock.advance(10 * DAY_MS);
    apply_retention(&app, app.clock.now() - DAY_MS).await;
    assert_eq!(left().await, ("cba".to_owned(), 1), "they are kept for some weeks");
    app.clock.advance(30 * DAY_MS);
    let mut tx = store.write().await.expect("store");
    tx.seen_running(&"a".repeat(40), true, app.clock.now()).await.expect("store");
    tx.commit().await.expect("store");
    apply_retention(&app, app.clock.now() - DAY_MS).await;
    // The highest number is not used again.
    assert_eq!(left().await, ("ca".to_owned(), 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn deferred_alert_does_not_keep_values_forever() {
    let app = App::with("default_contact", "").without_repository().in_file().start().await;
    report(&app, &CART, "kept for nobody").await;
    let store = app.server.app.store.clone();
    wait_until("the alert is deferred", async || {
        store.alert_queue().await.expect("store").last_error.is_some()
    })
    .await;
    apply_retention(&app, app.clock.now() + 1).await;
    assert_eq!((count(&app, "sample").await, count(&app, "issue").await), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn issue_is_erased_with_its_mails_after_a_yes_and_starts_over() {
    let app = AppBuilder::default().in_file().start().await;
    report(&app, &CART, "a value to erase").await;
    app.settle().await;
    report(&app, &MONEY, "a value to keep").await;
    app.settle().await;
    let sample = sample_bytes(&app, 2).await;
    let shown = erase(&app, &["--issue", "1"]);
    assert_eq!(shown.status.code(), Some(1), "nobody was asked");
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(text.contains("issue 1 at shop/cart.py:5") && text.contains("1 sample\n"), "{text}");
    assert_eq!(count(&app, "issue").await, 2, "nothing is erased without --yes");
    let done = erase(&app, &["--issue", "1", "--yes"]);
    assert!(done.status.success(), "{done:?}");
    assert!(!stands_in(&data(&app), b"a value to erase"));
    assert!(stands_in(&data(&app), &sample), "the other issue stays");
    assert_eq!(count(&app, "issue").await, 1);
    assert_eq!(app.get("/view_traceback?issue=1").await.0, 404);
    // The running server has cached the verdict; the line still becomes a new issue.
    app.later();
    report(&app, &CART, "again").await;
    assert_eq!(app.mails().await.len(), 3, "the new issue is notified");
    let (status, page) = app.get("/view_traceback?issue=3").await;
    assert!(status == 200 && page.contains("shop/cart.py"), "{page}");
    assert_eq!(erase(&app, &["--issue", "77", "--yes"]).status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_reports_of_a_line_are_erased_with_its_issue() {
    let app = AppBuilder::default().in_file().start().await;
    report(&app, &CART, "known").await;
    app.settle().await;
    report(&app, &MONEY, "another").await;
    app.settle().await;
    let store = &app.server.app.store;
    let mut tx = store.write().await.expect("store");
    let cases = [(1, "of the line"), (1, "carried"), (2, "of another line")];
    for (issue, fingerprint) in cases {
        let (_, mut sample) = store.newest_sample(issue).await.expect("store").expect("a sample");
        if fingerprint == "carried" {
            let traceback = std::mem::take(&mut sample.report.traceback);
            sample.report.chain.push(ChainedException { traceback, ..Default::default() });
        }
        let pending = NewPending {
            fingerprint: fingerprint.into(),
            occurrences: 7,
            only_listed: 0,
            reports: 3,
            error_threshold: 1,
            // Far enough in the future not to be attributed during the test.
            at: app.clock.now() + 3_600_000,
            facets: Vec::new(),
            source: String::new(),
            body: encode_sample(&sample.report).expect("a body"),
        };
        tx.put_pending(&pending, "[]").await.expect("store");
    }
    tx.commit().await.expect("store");
    let text = stdout(&erase(&app, &["--issue", "1", "--yes"]));
    assert!(text.contains("2 waiting reports that went through the line"), "{text}");
    let waiting = store.due_pending(i64::MAX, 9).await.expect("store");
    let waiting: Vec<_> = waiting.iter().map(|row| row.fingerprint.as_str()).collect();
    assert_eq!(waiting, ["of another line"]);
    let outcomes = store.outcomes_since(0).await.expect("store");
    let outcomes: Vec<_> = outcomes.iter().map(|row| (&*row.reason, row.reports)).collect();
    assert!(outcomes.contains(&("erased", 6)), "each report has an outcome: {outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_written_while_its_issue_is_erased_does_not_stay() {
    let app = AppBuilder::default().in_file().start().await;
    let (store, erasures) = (&app.server.app.store, app.server.app.store.erasures());
    let erasures = erasures.await.expect("store");
    report(&app, &CART, "written since").await;
    app.settle().await;
    assert!(stands_in(&data(&app), b"written since"), "in the outbox");
    // The issue as it was before the mail was written.
    let mut looked_at = store.look_at_issue(1).await.expect("store").expect("an issue");
    looked_at.mails.clear();
    let mut tx = store.write().await.expect("store");
    assert!(!tx.erased_since(erasures).await.expect("store"));
    tx.erase_issue(&looked_at, app.clock.now()).await.expect("erased");
    assert!(tx.erased_since(erasures).await.expect("store"), "the writer of the mail can see it");
    tx.commit().await.expect("store");
    wait_until("the journal is empty", async || store.empty_journal().await.expect("store")).await;
    assert!(!stands_in(&data(&app), b"written since"));
}

#[tokio::test(flavor = "multi_thread")]
async fn person_is_erased_from_issues_mails_and_samples() {
    let app = AppBuilder::default().in_file().start().await;
    report(&app, &CART, "the cart of someone").await;
    app.settle().await;
    report(&app, &MONEY, &format!("written to {}", BEN.1)).await;
    app.settle().await;
    let rule = serde_json::json!({"filepath": "shop", "email": BEN.1});
    let mut tx = app.server.app.store.write().await.expect("store");
    let list = flawless_store::RuleList::WatchList;
    tx.add_rule(list, &rule, 0).await.expect("a rule");
    tx.give_role(BEN.1, RoleScope::AllProjects, GivenRole::Blocked, 0, "root@example.com")
        .await
        .expect("a role");
    tx.give_role("x@example.com", RoleScope::AllProjects, GivenRole::Blocked, 0, BEN.1)
        .await
        .expect("a role");
    let session =
        NewSession { hash: "0", address: BEN.1, how: "", user_agent: "", expires_at: i64::MAX };
    tx.add_session(&session, 0).await.expect("a sign-in");
    tx.commit().await.expect("store");
    let sample = sample_bytes(&app, 2).await;
    let done = erase(&app, &["--person", &BEN.1.to_uppercase(), "--yes"]);
    let text = stdout(&done);
    assert!(done.status.success(), "{text}");
    assert!(text.contains("1 mail to them") && text.contains("1 sample containing"), "{text}");
    assert!(text.contains("of watch_list stays") && text.contains("repository still"), "{text}");
    let (_, page) = app.get("/view_traceback?issue=1").await;
    assert!(!page.contains(BEN.1) && !page.contains(BEN.0) && page.contains("erased"), "{page}");
    assert!(!stands_in(&data(&app), &sample));
    assert!(!stands_in(&data(&app), b"the cart of someone"), "the mail to them");
    let (_, page) = app.get("/view_traceback?issue=2").await;
    assert!(page.contains(ANN.1), "{page}");
    let mut tx = app.server.app.store.write().await.expect("store");
    for rule in app.server.app.store.rule_entries(list).await.expect("rules") {
        tx.remove_rule(list, rule.id).await.expect("removed");
    }
    tx.commit().await.expect("store");
    wait_until("the journal is empty", async || {
        app.server.app.store.empty_journal().await.expect("store")
    })
    .await;
    assert!(!stands_in(&data(&app), BEN.1.as_bytes()), "in no byte of the files");
    assert_eq!(erase(&app, &["--person", "nobody"]).status.code(), Some(1));
}

/// Puts facts into one field of a report.
type Say = fn(&mut RecordErrorRequest, BTreeMap<String, String>);

#[tokio::test(flavor = "multi_thread")]
async fn user_of_a_program_is_erased_wherever_reports_name_them() {
    let app = AppBuilder::default().in_file().start().await;
    let zoe = "zoe@customer.example";
    let facts = |text: &str| [("email".to_owned(), text.to_owned())].into();
    let ways: [Say; 5] = [
        |report, facts| report.user = facts,
        |report, facts| report.tags = facts,
        |report, data| report.breadcrumbs = vec![Breadcrumb { data, ..Breadcrumb::default() }],
        |report, values| report.contexts = vec![Context { values, ..Context::default() }],
        |report, modules| {
            let modules_id = Some("ab".into());
            report.process = Some(Process { modules_id, modules, ..Process::default() });
        },
    ];
    for (at, say) in ways.into_iter().enumerate() {
        let frame = ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
        let mut report = request(&[frame]);
        say(&mut report, facts(zoe));
        report.error_count = i64::try_from(at).ok();
        app.report(&report).await;
        app.settle().await;
        app.clock.advance(5_000);
    }
    let done = erase(&app, &["--person", zoe, "--yes"]);
    let text = stdout(&done);
    assert!(text.contains("3 samples containing"), "{text}");
    assert_eq!(app.server.app.store.module_set("ab").await.expect("store"), None);
    let (_, page) = app.get("/issues/1").await;
    assert!(!page.contains(zoe), "{page}");
    wait_until("the journal is empty", async || {
        app.server.app.store.empty_journal().await.expect("store")
    })
    .await;
    assert!(!stands_in(&data(&app), zoe.as_bytes()));
}
