//! Nobody can fill the store: new data of a day has a quota, and reports over it are only counted.
use flawless_protocol::thrift::RecordErrorRequest;
use flawless_store::NewPending;
use serde_json::Value;

use crate::harness::{App, BEN, NOW, ThriftClient, request, wait_until};
use crate::ingest::thrift::refusals;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 86_400_000;
const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];

/// A report of another line for which nobody can be blamed.
fn unknown(number: usize) -> RecordErrorRequest {
    let path = format!("/elsewhere/a{number}.py");
    request(&[(&path, 1, "f", "x()")])
}

/// Adds values that cannot be compressed.
fn with_values(mut report: RecordErrorRequest, bytes: usize, seed: u64) -> RecordErrorRequest {
    let mut random = seed + 1;
    let digit = |_| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + (random >> 57) as u8 % 90)
    };
    let values: String = (0..bytes).map(digit).collect();
    let pieces = values.as_bytes().chunks(4_000).map(|piece| String::from_utf8_lossy(piece).into());
    let locals = pieces.enumerate().map(|(number, piece)| (format!("v{number}"), piece));
    report.traceback[0].frame_locals = Some(locals.collect());
    report
}

fn with_key(app: &App, report: RecordErrorRequest) -> RecordErrorRequest {
    let key = app.server.app.now().project.keys[0].secret.reveal().to_owned();
    RecordErrorRequest { project_key: Some(key), ..report }
}

/// Issues and their occurrences, by path.
async fn counted(app: &App) -> Vec<(String, i64)> {
    let store = &app.server.app.store;
    let (heads, _) = store.issue_heads(0).await.expect("store");
    let mut issues = Vec::new();
    for head in heads {
        let issue = store.issue(head.id).await.expect("store").expect("an issue");
        issues.push((issue.facts.path, issue.occurrences));
    }
    issues.sort();
    issues
}

async fn quotas(app: &App) -> (u16, bool, String) {
    let (status, text) = app.get("/check_health.json").await;
    let health: Value = serde_json::from_str(&text).expect("JSON");
    let parts = health["parts"].as_array().expect("a list");
    let part = parts.iter().find(|part| part["name"] == "quotas").expect("the part");
    (status, part["ok"] == true, part["text"].as_str().expect("text").to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn new_issues_over_a_senders_quota_are_only_counted() {
    let app = App::with("new_issues_per_sender_per_day", "3").start().await;
    app.report(&request(&CART)).await;
    for number in 1..=5 {
        app.report(&unknown(number)).await;
        app.settle().await;
    }
    let reason = "over new_issues_per_sender_per_day".to_owned();
    assert_eq!(refusals(&app).await, [(reason.clone(), 3)], "the sender gets ok nevertheless");
    let (status, ok, text) = quotas(&app).await;
    assert!(status == 200 && !ok, "nothing is broken, but somebody should look: {text}");
    assert!(text.contains("127.0.0.1 has used up today's quota of new issues"), "{text}");

    // Known lines are counted even after a restart, when their tracebacks are no longer cached.
    app.report(&request(&CART)).await;
    let app = app.restart().await;
    for report in [&request(&CART), &unknown(1), &unknown(2)] {
        app.report(report).await;
    }
    app.settle().await;
    let known = [("/elsewhere/a1.py", 2), ("/elsewhere/a2.py", 2), ("shop/cart.py", 3)];
    assert_eq!(counted(&app).await, known.map(|(path, count)| (path.to_owned(), count)));

    // A sender with a key has a quota of its own.
    app.report(&with_key(&app, unknown(6))).await;
    app.settle().await;
    assert_eq!(counted(&app).await.len(), 4);
    app.clock.advance(DAY_MS);
    app.report(&unknown(5)).await;
    app.settle().await;
    assert_eq!(counted(&app).await.len(), 5, "another day");
    assert!(quotas(&app).await.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn quota_of_all_senders_together_applies_too() {
    let app = App::with("new_issues_per_day", "2").start().await;
    for report in [unknown(1), with_key(&app, unknown(2)), unknown(3), with_key(&app, unknown(4))] {
        app.report(&report).await;
        app.settle().await;
    }
    assert_eq!(refusals(&app).await, [("over new_issues_per_day".to_owned(), 2)]);
    let (_, ok, text) = quotas(&app).await;
    assert!(!ok && text.contains("today's quota of 2 new issues is used up"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn byte_quota_drops_values_but_counts_every_occurrence() {
    let app = App::with("new_bytes_per_sender_per_day", "100000").start().await;
    for number in 0..20 {
        app.report(&with_values(unknown(number), 40_000, number as u64)).await;
        app.settle().await;
    }
    assert_eq!(counted(&app).await.len(), 20, "each line is known");
    let store = &app.server.app.store;
    let mut whole = 0;
    for issue in 1..=20 {
        let (_, sample) = store.newest_sample(issue).await.expect("store").expect("a sample");
        let locals = sample.report.traceback[0].locals.as_ref();
        match locals.is_some_and(|locals| !locals.is_empty()) {
            true => whole += 1,
            false => assert!(
                sample.report.additional_info.contains("new_bytes_per_sender_per_day is used up"),
                "{}",
                sample.report.additional_info
            ),
        }
    }
    assert!((2..=4).contains(&whole), "{whole} reports of about 35 kB are kept whole");
    // A known line is counted, and its earlier samples stay.
    for _ in 0..3 {
        app.clock.advance(2_000);
        app.report(&with_values(unknown(0), 40_000, 99)).await;
    }
    app.settle().await;
    let first = counted(&app).await;
    assert!(first.contains(&("/elsewhere/a0.py".to_owned(), 4)), "{first:?}");
    assert_eq!(store.samples_of(1).await.expect("store").len(), 1);
    // A report that is still large without its values does not come from a real program.
    let frame = |n: usize| (format!("/{}{n}", "é€x".repeat(200)), format!("f{n}"));
    let frames: Vec<_> = (0..1_000).map(frame).collect();
    let random = with_values(unknown(0), 1_000_000, 7);
    let values: Vec<String> =
        random.traceback[0].frame_locals.clone().expect("locals").into_values().collect();
    let mut huge = request(&[]);
    for ((path, function), value) in frames.iter().zip(values.iter().cycle()) {
        let line = (path.as_str(), 1, function.as_str(), &value[..1_900]);
        huge.traceback.extend(request(&[line]).traceback);
    }
    app.report(&huge).await;
    let expected = [("over new_bytes_per_sender_per_day".to_owned(), 1)];
    wait_until("the refusal is counted", async || refusals(&app).await == expected).await;
    let (_, ok, text) = quotas(&app).await;
    assert!(!ok && text.contains("127.0.0.1 has used up today's quota of new bytes"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sender_with_too_many_waiting_reports_is_asked_to_wait() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    app.settle().await;
    let mut tx = app.server.app.store.write().await.expect("store");
    for number in 0..10_000 {
        let pending = NewPending {
            fingerprint: format!("waits {number}"),
            occurrences: 1,
            only_listed: 0,
            reports: 1,
            error_threshold: 1,
            // Not attributed during the test, and not so far ahead that the clock must have jumped.
            at: NOW + HOUR_MS,
            facets: Vec::new(),
            source: "127.0.0.1".into(),
            body: Vec::new(),
        };
        tx.put_pending(&pending, "[]").await.expect("store");
    }
    tx.commit().await.expect("store");
    let mut client = ThriftClient::connect(app.thrift_address()).await;
    let answer = client.record_error(&unknown(1)).await;
    assert!(answer.is_err_and(|why| why.contains("could not keep it")));
    client.record_error(&request(&CART)).await.expect("known lines are counted");
    client.record_error(&with_key(&app, unknown(1))).await.expect("others are not kept waiting");
    let expected = [("too many reports wait".to_owned(), 1)];
    wait_until("the refusal is counted", async || refusals(&app).await == expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unblamed_issues_are_deleted_after_the_retention() {
    let app = App::start().await;
    for report in [&request(&CART), &unknown(1), &unknown(2)] {
        app.report(report).await;
        app.settle().await;
    }
    let notified =
        async |address| app.mails().await.iter().filter(|mail| mail.to == address).count();
    assert!(notified("team@example.com").await > 0);
    assert_eq!(notified(BEN.1).await, 1);
    let mut tx = app.server.app.store.write().await.expect("store");
    tx.mute(2, Some(i64::MAX)).await.expect("store");
    tx.commit().await.expect("store");
    app.clock.advance(100 * DAY_MS);
    app.apply_retention(app.clock.now() - 90 * DAY_MS, app.clock.now()).await;
    let left = counted(&app).await;
    let left: Vec<&str> = left.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(left, ["/elsewhere/a1.py", "shop/cart.py"], "one is muted, one has an author");
    app.report(&request(&CART)).await;
    assert_eq!(notified(BEN.1).await, 1, "the notification is remembered");
}

#[tokio::test(flavor = "multi_thread")]
async fn issues_of_the_first_hours_stay_silent_after_the_retention() {
    let app = App::with("baseline_hours", "1").start().await;
    app.report(&request(&CART)).await;
    app.settle().await;
    app.clock.advance(100 * DAY_MS);
    app.apply_retention(app.clock.now() - 90 * DAY_MS, app.clock.now()).await;
    app.report(&request(&CART)).await;
    assert!(app.mails().await.is_empty());
    assert_eq!(counted(&app).await, [("shop/cart.py".to_owned(), 2)]);
}
