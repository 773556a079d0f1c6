//! Events of Sentry's clients: who may send them and in which forms, what becomes of everything
//! else in envelopes, and what clients and browsers are answered.
use std::io::Write;

use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::harness::{App, BEN, NOW, wait_until};
use crate::ingest::thrift::refusals;

const ID: &str = "7937ba37b0cb4b7587b78bf32f652b50";

/// An answer: status, headers and body.
pub(super) struct Answer(pub u16, pub HeaderMap, pub Value);

fn key(app: &App) -> String {
    app.server.app.now().project.keys[0].secret.reveal().to_owned()
}

/// Posts a body with these headers.
async fn post(app: &App, path: &str, headers: &[(&str, String)], body: Vec<u8>) -> Answer {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("http://{}{path}", app.server.http_address);
    let mut request = reqwest::Client::new().post(url).body(body);
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let answer = request.send().await.expect("the server answers");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.bytes().await.expect("a body");
    Answer(status, headers, serde_json::from_slice(&body).unwrap_or_default())
}

fn auth(key: &str) -> (&'static str, String) {
    ("x-sentry-auth", format!("Sentry sentry_key={key}, sentry_version=7, sentry_client=test/1"))
}

/// An event about the line of the cart.
fn event() -> Value {
    let frame = json!({
        "filename": "shop/cart.py", "abs_path": "/srv/app/shop/cart.py", "function": "total",
        "lineno": 5, "context_line": "    return sum(prices) / len(prices)",
        "vars": {"prices": [], "token": "t0p-s3cret-value"},
    });
    json!({
        "event_id": ID, "platform": "python", "server_name": "web-01",
        "exception": {"values": [{
            "type": "ZeroDivisionError", "value": "division by zero",
            "stacktrace": {"frames": [frame]},
        }]},
    })
}

pub(super) fn envelope(items: &[(&str, &Value)]) -> Vec<u8> {
    let mut body = format!("{{\"event_id\":\"{ID}\"}}\n");
    for (kind, item) in items {
        body += &format!("{{\"type\":\"{kind}\"}}\n{item}\n");
    }
    body.into_bytes()
}

/// Posts an envelope with the right key.
pub(super) async fn send(app: &App, body: Vec<u8>) -> Answer {
    post(app, "/api/1/envelope/", &[auth(&key(app))], body).await
}

/// What was counted by name.
async fn passed_over(app: &App) -> Vec<(String, i64)> {
    let outcomes = app.server.app.store.outcomes_since(NOW).await.expect("store");
    let outcomes = outcomes.into_iter().filter(|outcome| outcome.kind == "not_an_error");
    let mut found: Vec<_> = outcomes.map(|outcome| (outcome.reason, outcome.reports)).collect();
    found.sort();
    found
}

pub(super) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(body).expect("memory");
    encoder.finish().expect("memory")
}

#[tokio::test]
async fn event_mails_the_author_of_its_line_without_secrets() {
    let app = App::start().await;
    let Answer(status, headers, body) = send(&app, envelope(&[("event", &event())])).await;
    assert_eq!((status, &body), (200, &json!({"id": ID})));
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert!(headers["x-sentry-rate-limits"].to_str().expect("text").contains("transaction"));
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1, "{}", mail.text);
    assert!(
        mail.text.contains("division by zero") && mail.text.contains("web-01"),
        "{}",
        mail.text
    );
    assert!(!mail.text.contains("t0p-s3cret-value"), "{}", mail.text);
    // The same event again is the same occurrence.
    assert_eq!(send(&app, envelope(&[("event", &event())])).await.0, 200);
    app.settle().await;
    let issue = app.server.app.store.issue(1).await.expect("store").expect("an issue");
    assert_eq!(issue.occurrences, 1);
}

#[tokio::test]
async fn key_is_found_wherever_a_client_puts_it() {
    let app = App::start().await;
    let key = key(&app);
    let body = || envelope(&[("session", &json!({}))]);
    let query = format!("?sentry_version=7&sentry_key={key}&sentry_client=a%2F1");
    let dsn = format!("{{\"dsn\":\"http://{key}@errors.example.com/1\"}}\n");
    let bearer = ("authorization", auth(&key).1);
    for (path, headers, body) in [
        ("/api/1/envelope/".to_owned(), vec![auth(&key)], body()),
        ("/api/1/envelope".to_owned(), vec![auth(&key)], body()),
        ("/api/default/envelope/".to_owned(), vec![auth(&key)], body()),
        ("/some/prefix/api/1/envelope/".to_owned(), vec![auth(&key)], body()),
        ("/api/store/".to_owned(), vec![auth(&key)], b"{\"type\":\"transaction\"}".into()),
        ("/prefix/api/1/store/".to_owned(), vec![auth(&key)], b"{\"type\":\"transaction\"}".into()),
        (format!("/api/1/envelope/{query}"), vec![], body()),
        ("/api/1/envelope/".to_owned(), vec![bearer], body()),
        ("/api/1/envelope/".to_owned(), vec![], dsn.into_bytes()),
    ] {
        let Answer(status, _, answer) = post(&app, &path, &headers, body).await;
        assert_eq!(status, 200, "{path} {headers:?}: {answer}");
    }
}

#[tokio::test]
async fn wrong_keys_are_refused_and_do_not_tell_which_projects_exist() {
    let app = App::start().await;
    let (right, body) = (key(&app), || envelope(&[("event", &event())]));
    let wrong = "0".repeat(32);
    let Answer(status, _, _) = post(&app, "/api/1/envelope/", &[], body()).await;
    assert_eq!(status, 401);
    let mut answers = Vec::new();
    for (project, key) in [("1", &wrong), ("7", &wrong), ("7", &right), ("nowhere", &right)] {
        let path = format!("/api/{project}/envelope/");
        let Answer(status, headers, answer) = post(&app, &path, &[auth(key)], body()).await;
        assert_eq!(headers["access-control-allow-origin"], "*", "a browser can read it");
        answers.push((status, answer));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.0 == 403), "{answers:?}");
    let expected = [("no project key".to_owned(), 1), ("wrong project key".to_owned(), 4)];
    wait_until("they are counted", async || refusals(&app).await == expected).await;
    assert!(app.mails().await.is_empty());
}

#[tokio::test]
async fn other_traffic_is_counted_by_name_and_losses_as_losses() {
    let app = App::start().await;
    let lost = json!({"discarded_events": [
        {"reason": "queue_overflow", "category": "error", "quantity": 3},
        {"reason": "sample_rate", "category": "error", "quantity": 50},
        {"reason": "queue_overflow", "category": "span", "quantity": 70},
    ]});
    let info = json!({"message": "hello", "level": "info"});
    let body = envelope(&[
        ("session", &json!({})),
        ("transaction", &json!({})),
        ("client_report", &lost),
        ("from_the_future", &json!({})),
        ("event", &info),
        ("check_in", &json!({})),
    ]);
    assert_eq!(send(&app, body).await.0, 200);
    let expected = [
        "check-ins",
        "client reports",
        "items of an unknown type",
        "messages below the level of an error",
        "sessions",
        "transactions and spans",
    ]
    .map(|name| (name.to_owned(), 1));
    wait_until("they are counted", async || passed_over(&app).await == expected).await;
    let losses = app.server.app.store.losses_since(NOW).await.expect("store");
    assert_eq!(losses.iter().map(|loss| loss.occurrences).collect::<Vec<_>>(), [3]);
    let (_, page) = app.get("/check_health").await;
    assert!(page.contains("transactions and spans"), "{page}");
    for path in ["/api/1/security/", "/api/1/minidump/"] {
        let Answer(status, _, answer) = post(&app, path, &[auth(&key(&app))], Vec::new()).await;
        assert_eq!(status, 404);
        assert!(answer["detail"].as_str().expect("a reason").contains("does not take"), "{answer}");
    }
}

#[tokio::test]
async fn bodies_are_decoded_and_bounded() {
    let app = App::with("max_report_bytes", "100000").start().await;
    let plain = envelope(&[("event", &event())]);
    let encoding = |name: &str| ("content-encoding", name.to_owned());
    let zstd = zstd::bulk::compress(&plain, 1).expect("memory");
    let zeros = vec![b' '; 50_000_000];
    let bomb = [plain.clone(), zeros.clone()].concat();
    let large = json!({"extra": {"text": "x".repeat(200_000)}});
    for (name, body, expected) in [
        ("gzip", gzip(&plain), 200),
        ("GZIP", gzip(&plain), 200),
        ("", plain.clone(), 200),
        ("zstd", zstd, 200),
        ("gzip", plain.clone(), 200),
        ("gzip", gzip(&plain)[..60].to_vec(), 400),
        ("compress", plain.clone(), 415),
        ("gzip", gzip(&bomb), 413),
        ("", envelope(&[("event", &large)]), 413),
        ("", b"nothing\n".to_vec(), 400),
        ("", b"{}\n{\"type\":\"event\"}\n{\"cut\n".to_vec(), 400),
        ("", b"{}\n{\"type\":\"event\",\"length\":99}\n{}".to_vec(), 400),
        ("", b"{}".to_vec(), 200),
    ] {
        let headers = [auth(&key(&app)), encoding(name)];
        let Answer(status, _, answer) = post(&app, "/api/1/envelope/", &headers, body).await;
        assert_eq!(status, expected, "{name:?}: {answer}");
    }
    // What stands before an item that is too large is kept.
    let attachment = json!("x".repeat(300_000));
    let with_attachment = envelope(&[("event", &event()), ("attachment", &attachment)]);
    let _ = send(&app, with_attachment).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    // Single events come in base64 too.
    use base64::Engine;
    let body = base64::engine::general_purpose::STANDARD.encode(event().to_string());
    let Answer(status, _, answer) =
        post(&app, "/api/1/store/", &[auth(&key(&app))], body.into_bytes()).await;
    assert_eq!((status, answer), (200, json!({"id": ID})));
}

#[tokio::test]
async fn browser_is_allowed_to_send_its_headers() {
    let app = App::start().await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("http://{}/api/1/envelope/", app.server.http_address);
    let request = reqwest::Client::new().request(reqwest::Method::OPTIONS, url);
    let request = request.header("origin", "https://shop.example.com");
    let request = request.header("access-control-request-headers", "x-team");
    let answer = request.send().await.expect("the server answers");
    assert_eq!(answer.status(), 204);
    assert_eq!(answer.headers()["access-control-allow-headers"], "x-team");
    assert_eq!(answer.headers()["access-control-allow-methods"], "POST");
}

#[derive(serde::Deserialize)]
struct Recording {
    name: String,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// The key and the project of all recordings.
const RECORDED: [&str; 2] = ["a1b2c3d4e5f60718293a4b5c6d7e8f90", "/api/42/"];

/// What is answered to the recordings that were made by hand and are not taken.
const REFUSED: [(&str, u16); 19] = [
    ("synth/bomb-br", 413),
    ("synth/bomb-gzip", 413),
    ("synth/bomb-nested-gzip", 400),
    ("synth/bomb-zstd", 413),
    ("synth/enc-truncated", 400),
    ("synth/enc-unknown", 415),
    ("synth/env-header-array", 400),
    ("synth/env-header-huge", 400),
    ("synth/env-header-not-json", 400),
    ("synth/env-length-huge", 400),
    ("synth/env-length-negative", 400),
    ("synth/env-length-too-long", 400),
    ("synth/env-wrong-key", 403),
    ("synth/env-wrong-project", 403),
    ("synth/pay-deep-unclosed", 400),
    ("synth/pay-empty", 400),
    ("synth/pay-level-forms", 400),
    ("synth/pay-text", 400),
    ("synth/store-msgpack-like", 400),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_client_is_answered_as_it_expects() {
    use base64::Engine;
    let app = App::start().await;
    let key = key(&app);
    let lines = include_bytes!("../../recordings/sentry.jsonl.zst");
    let lines = zstd::decode_all(&lines[..]).expect("compressed");
    let client = reqwest::Client::new();
    let (mut refused, mut all) = (Vec::new(), 0);
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let recording: Recording = serde_json::from_slice(line).expect("a recording");
        let to_us = |text: &str| text.replace(RECORDED[0], &key).replace(RECORDED[1], "/api/1/");
        let url = format!("http://{}{}", app.server.http_address, to_us(&recording.target));
        let method = recording.method.parse().expect("a method");
        let mut request = client.request(method, url);
        for (name, value) in &recording.headers {
            request = request.header(name, to_us(value));
        }
        let body = base64::engine::general_purpose::STANDARD.decode(&recording.body);
        let body = body.expect("base64");
        let body = match String::from_utf8(body) {
            Ok(text) => text.replace(RECORDED[0], &key).into_bytes(),
            Err(error) => error.into_bytes(),
        };
        let answer = request.body(body).send().await.expect("the server answers");
        let status = answer.status().as_u16();
        let answer = answer.text().await.expect("text");
        all += 1;
        if status != 200 && recording.method == "POST" {
            println!("{status} {} {answer}", recording.name);
            refused.push((recording.name, status));
        }
    }
    let expected: Vec<(String, u16)> =
        REFUSED.iter().map(|(name, status)| ((*name).to_owned(), *status)).collect();
    assert_eq!((refused, all), (expected, 375));
}

#[tokio::test]
async fn body_that_is_cut_is_said_so_and_what_came_before_is_kept() {
    let app = App::with("max_report_bytes", "100000").start().await;
    let attachment = json!("x".repeat(300_000));
    let body = envelope(&[("event", &event()), ("attachment", &attachment), ("event", &event())]);
    assert_eq!(send(&app, body).await.0, 413);
    assert_eq!(app.one_mail().await.to, BEN.1);
    for odd in ["[]", "1", "\"abc\"", "null"] {
        let body = format!("{{\"event_id\":\"x\"}}\n{{\"type\":\"event\"}}\n{odd}\n");
        assert_eq!(send(&app, body.into_bytes()).await.0, 400, "{odd}");
    }
    let Answer(status, _, answer) = send(&app, b"{\"event_id\":\"<x>\"}\n".to_vec()).await;
    assert_eq!((status, answer), (200, json!({})));
}
