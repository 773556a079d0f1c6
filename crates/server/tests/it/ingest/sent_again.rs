//! A client that got no answer sends the same report again: it counts once.
use flawless_protocol::thrift::RecordErrorRequest;

use crate::harness::{App, ThriftClient, request};

const WEEK: i64 = 7 * 86_400_000;

fn report(id: &str) -> RecordErrorRequest {
    let mut report = request(&[("/srv/app/shop/cart.py", 5, "total", "return sum(prices)")]);
    report.id = Some(id.to_owned());
    report.error_count = Some(3);
    report.lost_count = Some(2);
    report
}

/// Occurrences of all issues, reports in their hours, samples, and what clients lost.
async fn counted(app: &App) -> (i64, i64, usize, i64) {
    app.settle().await;
    let store = &app.server.app.store;
    let issues = store.issues_between(0, i64::MAX).await.expect("store");
    let (mut occurrences, mut samples) = (0, 0);
    for issue in &issues {
        occurrences += issue.issue.occurrences;
        samples += store.samples_of(issue.issue.id).await.expect("store").len();
    }
    let losses = store.losses_since(0).await.expect("store");
    let lost = losses.iter().map(|row| row.occurrences).sum();
    (occurrences, issues.len() as i64, samples, lost)
}

#[tokio::test]
async fn report_sent_again_is_answered_and_counts_once() {
    let app = App::start().await;
    app.report(&report("a")).await;
    let once = counted(&app).await;
    assert_eq!(once, (3, 1, 1, 2));
    // It no longer waits to be attributed: its line is known now.
    app.clock.advance(5_000);
    app.report(&report("a")).await;
    assert_eq!(counted(&app).await, once);
    app.report(&report("b")).await;
    assert_eq!(counted(&app).await, (6, 1, 2, 4), "another report of the same line");
    app.report(&report("b")).await;
    assert_eq!(counted(&app).await, (6, 1, 2, 4));
}

#[tokio::test]
async fn report_is_known_after_a_restart_and_hours_without_reports() {
    let app = App::start().await;
    app.report(&report("a")).await;
    let once = counted(&app).await;
    app.clock.advance(10 * 3_600_000);
    let app = app.restart().await;
    app.report(&report("a")).await;
    assert_eq!(counted(&app).await, once);
}

#[tokio::test]
async fn reports_sent_twice_at_the_same_time_count_once() {
    let app = App::start().await;
    let mut sending = Vec::new();
    for _ in 0..20 {
        let address = app.thrift_address();
        sending.push(tokio::spawn(async move {
            let mut client = ThriftClient::connect(address).await;
            client.record_error(&report("a")).await
        }));
    }
    for sent in sending {
        assert_eq!(sent.await.expect("no panic"), Ok("record_error".to_owned()));
    }
    assert_eq!(counted(&app).await, (3, 1, 1, 2));
}

#[tokio::test]
async fn reports_without_an_id_count_each() {
    let app = App::start().await;
    for id in [None, None, Some(""), Some(""), Some("a b"), Some("a b")] {
        let mut report = report("");
        report.id = id.map(str::to_owned);
        app.report(&report).await;
    }
    assert_eq!(counted(&app).await.0, 18);
}

#[tokio::test]
async fn senders_with_and_without_a_key_do_not_share_ids() {
    let app = App::start().await;
    app.report(&report("a")).await;
    let key = app.server.app.now().project.keys[0].secret.reveal().to_owned();
    let with_key = RecordErrorRequest { project_key: Some(key), ..report("a") };
    app.report(&with_key).await;
    assert_eq!(counted(&app).await.0, 6);
    app.report(&with_key).await;
    assert_eq!(counted(&app).await.0, 6);
}

#[tokio::test]
async fn id_is_deleted_after_a_week_but_the_newest_stays() {
    let app = App::start().await;
    app.report(&report("a")).await;
    app.report(&report("b")).await;
    app.clock.advance(WEEK + 60_000);
    let now = app.clock.now();
    app.apply_retention(0, now).await;
    let app = app.restart().await;
    app.report(&report("a")).await;
    assert_eq!(counted(&app).await.0, 9, "no client sends a report again after that");
    app.report(&report("b")).await;
    assert_eq!(counted(&app).await.0, 9, "the newest one is kept indefinitely");
}

#[tokio::test]
async fn report_that_could_not_be_stored_counts_when_sent_again() {
    let app = App::start().await;
    app.execute("ALTER TABLE pending_report RENAME TO away").await;
    let mut client = ThriftClient::connect(app.thrift_address()).await;
    let refused = client.record_error(&report("a")).await.expect_err("it cannot be stored");
    assert!(refused.contains("cannot store"), "{refused}");
    app.execute("ALTER TABLE away RENAME TO pending_report").await;
    assert_eq!(client.record_error(&report("a")).await, Ok("record_error".to_owned()));
    assert_eq!(counted(&app).await, (3, 1, 1, 2));
}
