//! Patterns of `redact_values` that take too long: nobody waits for them, texts that they did not
//! search are not stored, and Health names the pattern.
use std::path::Path;

use flawless_protocol::thrift::RecordErrorRequest;
use serde_json::Value;

use crate::harness::{App, ThriftClient, flawless, request};

/// Looks ahead from each character to the end.
const SLOW: &str = r"(?=.*\d)(?=.*!)x";
const HOUR_MS: i64 = 3_600_000;

fn report(function: &str) -> RecordErrorRequest {
    let mut report = request(&[("/srv/app/shop/cart.py", 5, function, "return sum(prices)")]);
    let locals = report.traceback[0].frame_locals.get_or_insert_default();
    locals.insert("note".into(), "'customer cust-4711'".into());
    report
}

/// A report with a text on which the pattern is slow.
fn hostile(function: &str) -> RecordErrorRequest {
    let mut report = report(function);
    report.additional_info = Some("Harbour_PoMJNb some words ".repeat(2_400));
    report
}

async fn redaction_part(app: &App) -> Value {
    let (_, text) = app.get("/check_health.json").await;
    let health: Value = serde_json::from_str(&text).expect("JSON");
    let parts = health["parts"].as_array().expect("a list");
    parts.iter().find(|part| part["name"] == "redaction").expect("a part").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_pattern_delays_nobody_else_and_is_named_on_health() {
    let app = App::with("redact_values", &format!("{SLOW}, cust-[0-9]+"))
        .with("report_error_threshold", "1")
        .start()
        .await;
    assert_eq!(redaction_part(&app).await["ok"], true);
    // Known lines and new ones.
    app.report(&report("known")).await;
    app.settle().await;
    let address = app.thrift_address();
    let slow = tokio::spawn(async move {
        ThriftClient::connect(address).await.record_error(&hostile("slow")).await
    });
    let mut quick = ThriftClient::connect(address).await;
    for function in ["known", "new", "known"] {
        quick.record_error(&report(function)).await.expect("recorded");
    }
    assert!(!slow.is_finished(), "others were recorded while its texts were searched");
    slow.await.expect("no panic").expect("recorded");
    app.settle().await;

    let store = &app.server.app.store;
    let mut seen = Vec::new();
    for issue in 1..=3 {
        let Some((_, sample)) = store.newest_sample(issue).await.expect("store") else { continue };
        let frame = &sample.report.traceback[0];
        assert_eq!(frame.path, "/srv/app/shop/cart.py", "texts needed for attribution are short");
        assert!(!format!("{:?}", sample.report).contains("Harbour_PoMJNb"));
        if frame.function != "slow" {
            let locals = frame.locals.as_ref().expect("locals");
            assert_eq!(locals["note"], "'customer **scrubbed**'");
        }
        seen.push((frame.function.clone(), sample.report.additional_info.clone()));
    }
    assert!(seen.contains(&("slow".into(), "**scrubbed**".into())), "{seen:?}");

    let part = redaction_part(&app).await;
    assert_eq!((&part["ok"], &part["is_vital"]), (&false.into(), &false.into()));
    let text = part["text"].as_str().expect("a text");
    assert!(text.contains("redact_values") && text.contains(r"(?=.*\\d)(?=.*!)x"), "{text}");
    assert!(text.contains("1 report") && !text.contains("cust-"), "{text}");
    assert!(part["hint"].as_str().is_some_and(|hint| hint.contains("look-ahead")), "{part}");
    let (status, page) = app.get("/check_health").await;
    assert_eq!(status, 200, "reports are taken and people are notified");
    assert!(page.contains("takes too long") || page.contains("took too long"), "{page}");
    app.clock.advance(25 * HOUR_MS);
    assert_eq!(redaction_part(&app).await["ok"], true, "the pattern is no longer slow");
}

#[tokio::test(flavor = "multi_thread")]
async fn text_on_which_a_pattern_gives_up_is_not_stored() {
    let app = App::with("redact_values", r"(a|b|ab)*(?=c)d\1").start().await;
    let mut report = report("f");
    report.exception_message = Some("ab".repeat(2_000));
    app.report(&report).await;
    app.settle().await;
    let (_, sample) =
        app.server.app.store.newest_sample(1).await.expect("store").expect("a sample");
    assert_eq!(sample.report.exception_message, "**scrubbed**");
    assert_eq!(redaction_part(&app).await["ok"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_go_on_when_a_pattern_is_slow_on_each_of_them() {
    let app = App::with("redact_values", SLOW).start().await;
    let address = app.thrift_address();
    let clients = (0..8).map(|client| {
        tokio::spawn(async move {
            let mut thrift = ThriftClient::connect(address).await;
            for number in 0..10 {
                let function = format!("f_{client}_{number}");
                thrift.record_error(&hostile(&function)).await.expect("recorded");
            }
        })
    });
    for client in clients.collect::<Vec<_>>() {
        client.await.expect("no panic");
    }
    let part = redaction_part(&app).await;
    assert!(part["text"].as_str().is_some_and(|text| text.contains("80 reports")), "{part}");
}

#[test]
fn check_names_a_pattern_that_takes_too_long_for_some_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "[flawless]\nrepo_dir = {}\nredact_values = cust-[0-9]+, {SLOW}\n",
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").display()
    );
    std::fs::write(folder.path().join("f.cfg"), config).expect("written");
    // Other settings may have problems on this machine.
    let output = flawless(folder.path(), &["check", "--conf", "f.cfg"]).stdout;
    let output = String::from_utf8_lossy(&output);
    let notes: Vec<&str> = output.lines().filter(|line| line.contains("redaction:")).collect();
    assert_eq!(notes.len(), 1, "{output}");
    assert!(notes[0].contains("f.cfg:3") && notes[0].contains(r"(?=.*!)x"), "{output}");
}
