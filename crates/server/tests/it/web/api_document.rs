//! The API does what its OpenAPI document says: schemathesis tests it and finds no difference.
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{App, Surfer, request};

const ROOT: &str = "root@example.com";

/// A server with data of every kind, and a token of an administrator.
async fn filled() -> (App, String) {
    let app = App::with("auth", "on").with("administrators", ROOT).start().await;
    let token = app.api_token(ROOT, "administrator").await;
    let post = async |path: &str, body: Value| {
        app.api_as(Some(&token), "POST", path, Some(&body.to_string())).await
    };
    for (path, line) in [("/srv/app/shop/cart.py", 5), ("/srv/app/other/a.py", 1)] {
        let text = "    return sum(prices) / len(prices)\n";
        for _ in 0..3 {
            let frames = [("/srv/app/main.py", 3, "main", "run()"), (path, line, "total", text)];
            app.report(&request(&frames)).await;
        }
    }
    app.settle().await;
    for (list, entry) in [
        ("known_errors", json!({"filename": "a.py", "min_alert_threshold": 5})),
        ("building_blocks", json!({"filename": "b.py", "function_name": "f"})),
        ("ignored_exceptions", json!("a.B")),
        ("watch_list", json!({"filepath": "shop", "email": "w@example.com"})),
        ("email_remapping", json!({"old_email": "o", "new_email": "n@example.com"})),
    ] {
        let added = post(&format!("/rules/{list}"), json!({"entry": entry})).await;
        assert_eq!(added.status, 201, "{added:?}");
    }
    let muted = post("/issues/1/actions", json!({"action": "mute"})).await;
    assert_eq!(muted.status, 200, "{muted:?}");
    (app, token)
}

fn schemathesis() -> PathBuf {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/test-env-api/bin/schemathesis");
    let path = PathBuf::from(path);
    assert!(path.exists(), "{} is missing: run ./test once, it sets it up", path.display());
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn schemathesis_finds_nothing() {
    let (app, token) = filled().await;
    let configuration = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/web/schemathesis.toml");
    let url = format!("http://{}/api/v1/openapi.json", app.server.http_address);
    let folder = app.folder.path().to_owned();
    let run = tokio::task::spawn_blocking(move || {
        Command::new(schemathesis())
            .args(["--config-file", configuration, "run", &url, "--checks", "all"])
            .args(["--header", &format!("Authorization: Bearer {token}")])
            .current_dir(folder)
            .output()
    });
    let output = run.await.expect("it runs").expect("schemathesis starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    // All operations except the document that it reads.
    let all = operations(&app.api_get("/openapi.json").await).len() - 1;
    assert!(text.contains(&format!("Tested: {all}\n")), "{text}");
}

#[tokio::test]
async fn document_lists_every_address_and_method() {
    let (app, token) = filled().await;
    let document = app.api_get("/openapi.json").await;
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")));
    let paths = document["paths"].as_object().expect("paths");
    assert_eq!(paths.len(), 18, "{:?}", paths.keys());
    let mut by_path: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (method, path) in operations(&document) {
        by_path.entry(path).or_default().push(method);
    }
    for (path, mut said) in by_path {
        said.sort();
        // Methods that are not listed are refused.
        let answer = app.api_as(Some(&token), "PROPFIND", &path, None).await;
        assert_eq!((answer.status, &*answer.content_type), (405, "application/problem+json"));
        let mut allowed: Vec<String> =
            answer.allow.split(',').map(str::to_owned).filter(|name| name != "HEAD").collect();
        allowed.sort();
        assert_eq!(allowed, said, "{path}");
    }
}

fn methods(item: &Value) -> Vec<String> {
    let item = item.as_object().expect("an item");
    item.keys().filter(|key| key.len() <= 6).map(|key| key.to_ascii_uppercase()).collect()
}

/// Each method with its address below the API, for an issue, a rule and a person that exist.
fn operations(document: &Value) -> Vec<(String, String)> {
    let paths = document["paths"].as_object().expect("paths").iter();
    let all = paths.flat_map(|(path, item)| {
        let asked = path.replace("{id}", "1").replace("{slot}", "0");
        let asked = asked.replace("{list}", "watch_list").replace("{address}", "w@example.com");
        let asked = asked.replace("{project}", "default");
        let asked = asked.strip_prefix("/api/v1").expect("below the API").to_owned();
        methods(item).into_iter().map(move |method| (method, asked.clone()))
    });
    all.collect()
}

#[tokio::test]
async fn token_is_required_and_readers_change_nothing() {
    let (app, root) = filled().await;
    let reader = app.api_token(ROOT, "reader").await;
    let developer = app.api_token(ROOT, "developer").await;
    let document = app.api_get("/openapi.json").await;
    let rule = json!({"entry": {"filepath": "x", "email": "w@example.com"}}).to_string();
    for (method, path) in operations(&document) {
        if path == "/openapi.json" {
            continue;
        }
        let body = match path.as_str() {
            "/issues/1/actions" => "{\"action\": \"unmute\"}",
            "/projects" => "{\"name\": \"pay\"}",
            "/projects/default" | "/projects/default/keys" => "{}",
            "/projects/default/keys/1" => "{\"disabled\": false}",
            _ => &rule,
        };
        let body = (method != "GET").then_some(body);
        let as_role =
            async |token: Option<&str>| app.api_as(token, &method, &path, body).await.status;
        assert_eq!(as_role(None).await, 401, "{method} {path}");
        assert_eq!(as_role(Some("flw_wrong")).await, 401, "{method} {path}");
        let status = as_role(Some(&reader)).await;
        if method == "GET" {
            assert!(matches!(status, 200 | 404), "{method} {path}: {status}");
            continue;
        }
        assert_eq!(status, 403, "{method} {path}");
        // This list contains personal data.
        let expected =
            if path == "/issues/1/actions" || path.ends_with("undo") { 200 } else { 403 };
        assert_eq!(as_role(Some(&developer)).await, expected, "{method} {path}");
    }
    let projects = async |token: &str| {
        app.api_as(Some(token), "GET", "/projects", None).await.body["projects"][0]["keys"].clone()
    };
    assert!(projects(&reader).await.is_null() && projects(&root).await.is_array());
    assert!(projects(&developer).await.is_array(), "as on the page Set up");
    let me = app.api_as(Some(&reader), "GET", "/me", None).await.body;
    assert_eq!(me, json!({"name": format!("token ci (of {ROOT})"), "role": "reader"}));
}

#[tokio::test]
async fn browser_session_is_read_only_in_the_api() {
    let (app, _) = filled().await;
    let browser = Surfer::new(&app);
    browser.sign_in(&app, ROOT).await;
    assert_eq!(browser.get("/api/v1/issues").await.status, 200);
    for path in ["/api/v1/actions/1/undo", "/api/v1/issues/1/actions", "/api/v1/rules/watch_list"] {
        let answer = browser.post_bare(path, &[]).await;
        assert_eq!(answer.status, 403, "{path}: {}", answer.body);
        assert!(answer.body.contains("may only read"), "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_of_the_docs_work_as_written() {
    let (app, token) = filled().await;
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");
    let docs = std::fs::read_to_string(docs).expect("the docs");
    let commands: Vec<&str> = docs.lines().filter(|line| line.starts_with("curl ")).collect();
    assert!(commands.len() > 10, "{commands:?}");
    for command in commands {
        let asked = format!("{command} --silent --show-error --write-out '%{{http_code}}'");
        let output = Command::new("bash")
            .args(["-c", &asked])
            .env("FLAWLESS", format!("http://{}/api/v1", app.server.http_address))
            .env("TOKEN", &token)
            .output()
            .expect("bash and curl are installed");
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(answer.ends_with("200") || answer.ends_with("201"), "{command}: {output:?}");
    }
}
