//! OpenTelemetry's protocol: who may send, in which forms, and what is answered.
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::Write;

use crate::harness::{App, BEN, NOW, wait_until};

const PYTHON: &str = "Traceback (most recent call last):\n  File \"/srv/app/shop/cart.py\", line 5, in \
    total\n    return sum(prices) / len(prices)\nZeroDivisionError: division by zero\n";

fn key(app: &App) -> String {
    app.server.app.now().project.keys[0].secret.reveal().to_owned()
}

fn pairs(pairs: &[(&str, &str)]) -> Value {
    pairs.iter().map(|(key, value)| json!({"key": key, "value": {"stringValue": value}})).collect()
}

fn traces(service: &str, stacktrace: &str) -> Value {
    let event = json!({"name": "exception", "attributes": pairs(&[
        ("exception.type", "ZeroDivisionError"), ("exception.message", "division by zero"),
        ("exception.stacktrace", stacktrace)])});
    json!({"resourceSpans": [{
        "resource": {"attributes": pairs(&[("service.name", service)])},
        "scopeSpans": [{"spans": [{"name": "GET /", "events": [event]}, {"name": "fine"}]}],
    }]})
}

/// Posts a body; the status, the type and the body of the answer.
async fn post(
    app: &App,
    path: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> (u16, String, Vec<u8>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("http://{}{path}", app.server.http_address);
    let mut request = reqwest::Client::new().post(url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("the server answers");
    let kind = answer.headers()["content-type"].to_str().expect("a text").to_owned();
    (answer.status().as_u16(), kind, answer.bytes().await.expect("a body").into())
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_forms_are_those_of_exporters() {
    let app = App::with("report_error_threshold", "1").start().await;
    let bearer = format!("Bearer {}", key(&app));
    let json = ("content-type", "application/json");
    let body = traces("shop", PYTHON).to_string().into_bytes();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(&body).expect("memory");
    let gzip = gzip.finish().expect("memory");
    let own = key(&app);
    for (path, headers, body) in [
        ("/v1/traces", vec![("authorization", &*bearer), json], body.clone()),
        ("/otlp/v1/traces/", vec![("x-flawless-key", &*own), json], body.clone()),
        ("/v1/traces", vec![("authorization", &*bearer), json, ("content-encoding", "gzip")], gzip),
        (
            "/api/1/integration/otlp/v1/traces/",
            vec![("authorization", &*bearer), json],
            body.clone(),
        ),
    ] {
        let (status, kind, answer) = post(&app, path, &headers, body).await;
        assert_eq!((status, &*kind, &*answer), (200, "application/json", &b"{}"[..]), "{path}");
    }
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1, "{}", mail.text);
    for (path, headers, body, expected) in [
        ("/v1/traces", vec![json], body.clone(), 401),
        ("/v1/traces", vec![("authorization", "Bearer 0123"), json], body.clone(), 403),
        (
            "/api/7/integration/otlp/v1/traces/",
            vec![("authorization", &*bearer), json],
            body.clone(),
            403,
        ),
        ("/v1/traces", vec![("authorization", &*bearer), json], b"[]".to_vec(), 400),
        ("/v1/logs", vec![("authorization", &*bearer)], b"\x0a\xff".to_vec(), 400),
        ("/v1/logs", vec![("authorization", &*bearer), ("content-encoding", "x")], vec![], 415),
        ("/v1/logs", vec![("authorization", &*bearer)], vec![0; 5 * 1024 * 1024], 413),
    ] {
        let (status, kind, answer) = post(&app, path, &headers, body).await;
        assert_eq!(status, expected, "{path} {headers:?}");
        let is_json = headers.contains(&json);
        assert_eq!(kind.contains("json"), is_json, "{kind}");
        assert!(!answer.is_empty(), "it says why");
    }
    let (status, kind, answer) =
        post(&app, "/v1/logs", &[("authorization", &bearer)], Vec::new()).await;
    assert_eq!((status, &*kind, answer.len()), (200, "application/x-protobuf", 0));
    wait_until("the other span is counted", async || {
        let outcomes = app.server.app.store.outcomes_since(NOW).await.expect("store");
        outcomes.iter().any(|outcome| outcome.reason.contains("spans without an exception"))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn service_belongs_to_the_project_that_names_it() {
    let app = App::start().await;
    let projects = &app.server.app.projects;
    let mut tx = app.server.app.store.write().await.expect("store");
    let web = tx.add_project("web", NOW).await.expect("store").expect("it is free");
    tx.enter(web);
    tx.set_option("otlp_services", Some("web-*, checkout"), NOW, "ann").await.expect("store");
    tx.commit().await.expect("store");
    wait_until("the project is there", async || projects.get(web).is_some()).await;
    let bearer = format!("Bearer {}", key(&app));
    let headers = [("authorization", &*bearer), ("content-type", "application/json")];
    for service in ["Web-front", "shop", "checkout"] {
        let body = traces(service, PYTHON).to_string().into_bytes();
        assert_eq!(post(&app, "/v1/traces", &headers, body).await.0, 200);
    }
    for (project, expected) in [(web, 2), (1, 1)] {
        let app = projects.get(project).expect("a project");
        wait_until("its reports are counted", async || {
            let issues = app.store.issues_between(0, i64::MAX / 2).await.expect("store");
            issues.iter().map(|issue| issue.week_occurrences).sum::<i64>() == expected
        })
        .await;
    }
}
