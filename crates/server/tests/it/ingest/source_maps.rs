//! Minified code: source maps that `sentry-cli` uploaded lead to the line and its author.
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

use axum::Router;
use axum::http::{Uri, header};
use flawless_store::ArtifactRow;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::client_programs::packages;
use super::sentry::{gzip, send};
use super::sentry_cli::sentry_cli;
use crate::harness::{
    ANN, App, BEN, Browser, CLEO, Mail, TestRepository, wait_until, with_sign_in,
};

const PRICING: &str = "export function unitPrice(line) {\n  const quantity = line.quantity.value;\n  \
    return line.total / quantity;\n}\n";
const MAIN: &str = "import { unitPrice } from './pricing.js';\n\nexport function show(order) {\n  \
    return order.lines.map((line) => unitPrice(line));\n}\n\nsetTimeout(() => show({ lines: [{ total: 7 \
    }] }), 50);\n";
const RELEASE: &str = "web@2.0.0";

/// A repository in which Ben's line ran, as a release that was built with maps.
struct Shop {
    app: App,
    token: String,
    dist: TempDir,
}

impl Shop {
    async fn built(entry: &str, options: &[&str]) -> Self {
        let repository = TestRepository::empty();
        repository.commit(ANN, "2026-03-02", "a page", &[("src/main.js", MAIN)]);
        let released =
            repository.commit(BEN, "2026-05-18", "pricing", &[("src/pricing.js", PRICING)]);
        repository.git(&["tag", RELEASE, &released]);
        let app = with_sign_in().with("report_error_threshold", "1").repository(repository);
        let app = app.start().await;
        let token = app.api_token(ANN.1, "developer").await;
        let dist = tempfile::tempdir().expect("a folder");
        let shop = Self { app, token, dist };
        shop.build(entry, options);
        // By the newest commit all of it is Cleo's.
        let gone = [("src/pricing.js", ""), ("src/main.js", "")];
        shop.app.repository.commit(CLEO, "2026-06-01", "away with them", &gone);
        let back = [("src/pricing.js", PRICING), ("src/main.js", MAIN)];
        shop.app.repository.commit(CLEO, "2026-06-02", "back again", &back);
        shop
    }

    fn build(&self, entry: &str, options: &[&str]) {
        let folder = self.app.repository.dir();
        std::fs::write(folder.join("entry.js"), entry).expect("it is written");
        let mut build = Command::new(packages("clients-node").join("node_modules/.bin/esbuild"));
        build.current_dir(folder).args(["entry.js", "--bundle", "--minify", "--sourcemap"]);
        build.env("NODE_PATH", packages("clients-node").join("node_modules"));
        build.arg(format!("--outfile={}", self.dist.path().join("assets/app.js").display()));
        let output = build.args(options).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        std::fs::remove_file(folder.join("entry.js")).expect("it is there");
    }

    fn cli(&self, words: &[&str]) -> Result<String, String> {
        let dist = self.dist.path().display().to_string();
        let words: Vec<&str> =
            words.iter().map(|word| if *word == "DIST" { &*dist } else { word }).collect();
        sentry_cli(&self.app, &self.token, &words)
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.dist.path().join(name)).expect("a file")
    }

    /// An event of the built code: its innermost frame is in the pricing.
    fn event(&self) -> Value {
        let file = self.file("assets/app.js");
        let line = file.lines().position(|line| line.contains(".value")).expect("it is there");
        let column = file.lines().nth(line).and_then(|line| line.find(".value"));
        let frame = json!({
            "filename": "https://shop.example/assets/app.js", "function": "t", "lineno": line + 1,
            "colno": column.expect("it is there") + 2, "in_app": true,
        });
        json!({
            "platform": "javascript", "release": RELEASE,
            "exception": {"values": [{"type": "TypeError", "value": "no value",
                "stacktrace": {"frames": [frame]}}]},
        })
    }

    async fn report(&self, event: &Value) {
        let envelope = format!("{{}}\n{{\"type\":\"event\"}}\n{event}\n");
        assert_eq!(send(&self.app, envelope.into_bytes()).await.0, 200);
    }

    /// The mail to Ben, once somebody else may have got one.
    async fn mail(&self) -> Mail {
        let store = &self.app.server.app.store;
        wait_until("somebody is blamed", async || {
            let issues = store.issues_between(0, i64::MAX / 2).await.expect("store");
            issues.iter().any(|issue| issue.issue.facts.developer_email.is_some())
        })
        .await;
        self.app.settle().await;
        let mails = self.app.mails().await;
        mails.into_iter().find(|mail| mail.to != "team@example.com").expect("a mail")
    }

    async fn unblamed(&self) -> String {
        let store = &self.app.server.app.store;
        let mut reason = String::new();
        wait_until("an issue is there", async || {
            let issues = store.issues_between(0, i64::MAX / 2).await.expect("store");
            let Some(issue) = issues.first() else { return false };
            let issue = store.issue(issue.issue.id).await.expect("store").expect("an issue");
            assert_eq!(issue.facts.developer_email, None);
            reason = issue.facts.reason;
            true
        })
        .await;
        reason
    }
}

async fn api(app: &App, token: &str, path: &str) -> Value {
    let url = format!("http://{}{path}", app.server.http_address);
    let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await;
    let body = answer.expect("the server answers").bytes().await.expect("a body");
    serde_json::from_slice(&body).expect("JSON")
}

fn is_bens(mail: &Mail) {
    assert_eq!(mail.to, BEN.1, "{}", mail.text);
    for expected in ["src/pricing.js", "line.quantity.value", "unitPrice"] {
        assert!(mail.says(expected), "{expected}: {}", mail.text);
    }
}

/// Serves a folder, and returns its address.
async fn serve(folder: &Path) -> String {
    let mut files = HashMap::new();
    for name in ["assets/app.js", "index.html"] {
        let content = std::fs::read(folder.join(name)).expect("a file");
        files.insert(format!("/{name}"), content);
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let answer = async move |uri: Uri| {
        let kind = if uri.path().ends_with(".js") { "text/javascript" } else { "text/html" };
        ([(header::CONTENT_TYPE, kind)], files.get(uri.path()).cloned().unwrap_or_default())
    };
    tokio::spawn(axum::serve(listener, Router::new().fallback(answer)).into_future());
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn error_in_a_browser_mails_who_last_changed_the_line_in_the_sources() {
    let shop = Shop::built("", &[]).await;
    let dsn = shop.app.server.dsn().expect("an address");
    let entry = format!(
        "import * as Sentry from '@sentry/browser';\nSentry.init({{dsn: '{dsn}', release: \
         '{RELEASE}'}});\nimport('./src/main.js');\n"
    );
    // The import is part of the bundle.
    shop.build(&entry, &["--format=iife"]);
    shop.cli(&["sourcemaps", "inject", "DIST"]).expect("ids are added");
    shop.cli(&["sourcemaps", "upload", "DIST"]).expect("it is uploaded");
    let page = "<!doctype html><title>Shop</title><script src=/assets/app.js></script>";
    std::fs::write(shop.dist.path().join("index.html"), page).expect("it is written");
    let address = serve(shop.dist.path()).await;
    let browser = Browser::start(&shop.app).await;
    browser.open(&format!("{address}/index.html")).await;
    is_bens(&shop.mail().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn report_waits_for_its_source_map_and_is_blamed_when_it_is_there() {
    let shop = Shop::built("import './src/main.js'", &[]).await;
    shop.report(&shop.event()).await;
    let reason = shop.unblamed().await;
    assert!(reason.contains("sentry-cli sourcemaps upload --release 'web@2.0.0'"), "{reason}");
    assert!(reason.contains("https://shop.example/assets/app.js:"), "{reason}");
    // More of them are counted with it meanwhile.
    for _ in 0..3 {
        shop.report(&shop.event()).await;
    }
    shop.app.settle().await;
    shop.cli(&["sourcemaps", "upload", "--release", RELEASE, "DIST"]).expect("it is uploaded");
    is_bens(&shop.mail().await);
    let issues = shop.app.server.app.store.issues_between(0, i64::MAX / 2).await.expect("store");
    assert_eq!(issues.len(), 1, "it is the same issue");
    assert_eq!(issues[0].week_occurrences, 4, "none is counted twice or lost");
    // Later ones are known, and their samples show the sources too.
    for _ in 0..2 {
        shop.app.clock.advance(5_000);
        shop.report(&shop.event()).await;
        shop.app.settle().await;
    }
    let address = format!("/api/v1/issues/{}/samples", issues[0].issue.id);
    let samples = api(&shop.app, &shop.token, &address).await;
    let newest = |sample: &&Value| sample["received_at"] == "2026-11-22T12:00:10Z";
    let sample = samples["samples"].as_array().and_then(|all| all.iter().find(newest));
    let slot = sample.unwrap_or_else(|| panic!("{samples}"))["slot"].clone();
    let sample = api(&shop.app, &shop.token, &format!("{address}/{slot}")).await;
    let frame = &sample["report"]["frames"][0];
    assert!(
        frame["path"].as_str().is_some_and(|path| path.ends_with("src/pricing.js")),
        "{sample}"
    );
    let generated = frame["generated_at"].as_str().unwrap_or_default();
    assert!(generated.starts_with("https://shop.example/assets/app.js:1:"), "{sample}");
}

#[tokio::test(flavor = "multi_thread")]
async fn maps_are_found_by_release_and_url_and_mistakes_are_explained() {
    let shop = Shop::built("import './src/main.js'", &[]).await;
    let upload = |words: &[&str]| {
        let all = [&["sourcemaps", "upload", "--release", RELEASE, "DIST"], words].concat();
        shop.cli(&all)
    };
    upload(&["--url-prefix", "~/static"]).expect("it is uploaded");
    shop.report(&shop.event()).await;
    let reason = shop.unblamed().await;
    assert!(reason.contains("~/static/assets/app.js"), "{reason}");
    assert!(reason.contains("--url-prefix '~/assets'"), "{reason}");
    upload(&["--url-prefix", "https://shop.example"]).expect("it is uploaded");
    is_bens(&shop.mail().await);
    // Of another build, or of another variant of the release.
    let other = tempfile::tempdir().expect("a folder");
    let map = json!({"version": 3, "sources": [], "names": [], "mappings": ""});
    for (name, content) in [
        ("other.min.js", "a();\n//# sourceMappingURL=other.min.js.map\n"),
        ("other.min.js.map", &map.to_string()),
        ("lonely.min.js", "c();\n"),
    ] {
        std::fs::write(other.path().join(name), content).expect("it is written");
    }
    let folder = other.path().display().to_string();
    let words = ["sourcemaps", "upload", "--no-rewrite", "--release", RELEASE, &folder];
    shop.cli(&words).expect("it is uploaded");
    // The command itself skips files that are not source maps.
    let broken = ArtifactRow {
        release_version: RELEASE.into(),
        dist: String::new(),
        url: "~/broken.min.js.map".into(),
        debug_id: String::new(),
        is_map: 1,
        map_url: String::new(),
        hash: "h".into(),
        created_at: 0,
    };
    let mut tx = shop.app.server.app.store.write().await.expect("store");
    let body = zstd::bulk::compress(b"{}[", 1).expect("it is compressed");
    tx.put_artifact_body("h", &body, 0).await.expect("it is written");
    tx.put_artifacts(&[broken]).await.expect("it is written");
    tx.commit().await.expect("store");
    for (name, expected) in [
        ("other", "is of another build"),
        ("broken", "cannot be read: it is not a source map"),
        ("lonely", "uploaded without its source map"),
        ("missing", "was not uploaded"),
    ] {
        let frame = json!({"filename": format!("https://shop.example/{name}.min.js"),
            "lineno": 1, "colno": 1, "function": name});
        let event = json!({"platform": "javascript", "release": RELEASE, "exception":
            [{"type": name, "stacktrace": {"frames": [frame]}}]});
        shop.report(&event).await;
        shop.app.settle().await;
        let issues = shop.app.server.app.store.issues_between(0, i64::MAX / 2).await;
        let issues = issues.expect("store");
        let of_it = issues.iter().find(|issue| issue.issue.facts.exception_type == name);
        let reason = &of_it.expect("an issue").issue.facts.reason;
        assert!(reason.contains(expected), "{name}: {reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_bounded_and_need_the_role() {
    let shop = Shop::built("import './src/main.js'", &[]).await;
    let url = |path: &str| {
        format!("http://{}/api/0/organizations/x/{path}", shop.app.server.http_address)
    };
    let client = reqwest::Client::new();
    let post = async |token: &str, path: &str, body: &Value| {
        let request = client.post(url(path)).bearer_auth(token).json(body);
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        (status, answer.json::<Value>().await.unwrap_or_default())
    };
    let assemble = "artifactbundle/assemble/";
    let part = b"no archive";
    let checksum = "b50b8432301b2d8c1e44c78549b7fbc125fe36ef";
    let body = |projects: &[&str], chunks: &[&str]| json!({"checksum": checksum, "chunks": chunks, "projects": projects, "version": "1"});
    let reader = shop.app.api_token(ANN.1, "reader").await;
    let (status, answer) = post(&reader, assemble, &body(&["default"], &[checksum])).await;
    assert_eq!(status, 403, "{answer}");
    assert_eq!(post("flw_x", assemble, &body(&["default"], &[checksum])).await.0, 401);
    for wrong in [
        body(&[], &[checksum]),
        body(&["elsewhere"], &[checksum]),
        body(&["default"], &[]),
        body(&["default"], &["a"; 1_000]),
        json!({"checksum": checksum, "chunks": ["a"], "projects": ["default"], "version": "a/b"}),
        json!({"chunks": "x"}),
    ] {
        let (status, answer) = post(&shop.token, assemble, &wrong).await;
        assert!((400..500).contains(&status) && answer["detail"].is_string(), "{wrong} {answer}");
    }
    let (status, answer) = post(&shop.token, assemble, &body(&["default"], &[checksum])).await;
    assert_eq!((status, &answer["state"]), (200, &json!("not_found")), "{answer}");
    assert_eq!(answer["missingChunks"], json!([checksum]));
    let upload = async |form: reqwest::multipart::Form| {
        let request = client.post(url("chunk-upload/")).bearer_auth(&shop.token).multipart(form);
        request.send().await.expect("the server answers").status().as_u16()
    };
    let file = |bytes: Vec<u8>| reqwest::multipart::Part::bytes(bytes).file_name("x");
    let form = |name: &'static str, bytes| reqwest::multipart::Form::new().part(name, file(bytes));
    assert_eq!(upload(form("file", part.to_vec())).await, 201);
    assert_eq!(upload(form("file_gzip", b"no gzip".to_vec())).await, 400);
    let bomb = gzip(&vec![0; 9 * 1024 * 1024]);
    assert!(bomb.len() < 100_000);
    assert_eq!(upload(form("file_gzip", bomb)).await, 413);
    assert_eq!(upload(form("file", vec![0; 40 * 1024 * 1024])).await, 413);
    let (status, answer) = post(&shop.token, assemble, &body(&["default"], &[checksum])).await;
    assert_eq!((status, &answer["state"]), (200, &json!("error")), "{answer}");
    assert!(answer["detail"].as_str().is_some_and(|it| it.contains("artifact bundle")), "{answer}");
    let other = json!({"checksum": "0".repeat(40), "chunks": [checksum], "projects": ["default"]});
    let (_, answer) = post(&shop.token, assemble, &other).await;
    assert!(answer["detail"].as_str().is_some_and(|it| it.contains("checksum")), "{answer}");
    let used = shop.app.server.app.store.artifact_use().await.expect("store");
    assert_eq!((used.files, used.bytes), (0, 0));
}
