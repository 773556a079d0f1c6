//! The command `sentry-cli` in the steps of a deployment.
use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::harness::{ANN, App, BEN, CLEO, TestRepository, with_sign_in};

/// Runs the command in the team's repository; its output, or what it printed of an error.
pub(super) fn sentry_cli(app: &App, token: &str, words: &[&str]) -> Result<String, String> {
    let command = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../target/clients-node/node_modules/.bin/sentry-cli"
    );
    assert!(Path::new(command).exists(), "{command} is missing: run ./test once, it sets it up");
    let mut command = Command::new(command);
    command.args(words).current_dir(app.repository.dir());
    command.env("SENTRY_URL", format!("http://{}", app.server.http_address));
    command.env("SENTRY_AUTH_TOKEN", token).env("SENTRY_ORG", "shop");
    command.env("SENTRY_PROJECT", "default").env("HOME", app.folder.path());
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, error) = (text(&output.stdout), text(&output.stderr));
    if output.status.success() { Ok(out) } else { Err(format!("{out}{error}")) }
}

#[tokio::test(flavor = "multi_thread")]
async fn release_names_the_revision_that_lines_are_blamed_in() {
    let repository = TestRepository::shop();
    let released = repository.git(&["rev-parse", "HEAD"]);
    let cart = "# one\n# two\nfrom shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n";
    repository.commit(CLEO, "2026-07-01", "lines on top", &[("shop/cart.py", cart)]);
    let app = with_sign_in().repository(repository).start().await;
    let token = app.api_token(ANN.1, "developer").await;
    let cli = |words: &[&str]| sentry_cli(&app, &token, words);
    cli(&["releases", "new", "shop@1.4.2"]).expect("it is created");
    let folder = app.repository.dir().display().to_string();
    let parts: Vec<&str> = folder.rsplit('/').take(2).collect();
    let commit = format!("{}/{}@{released}", parts[1], parts[0]);
    cli(&["releases", "set-commits", "shop@1.4.2", "--commit", &commit]).expect("it is told");
    cli(&["releases", "finalize", "shop@1.4.2"]).expect("it is final");
    cli(&["deploys", "new", "--release", "shop@1.4.2", "-e", "production"])
        .expect("it is deployed");
    let running = app.server.app.store.running_revisions(9).await.expect("store");
    assert!(running.iter().any(|running| running.commit_id == released), "{running:?}");
    // Nobody could be blamed by the number of a line alone.
    let frame = json!({"filename": "shop/cart.py", "abs_path": "/srv/app/shop/cart.py",
        "function": "total", "lineno": 5});
    let event = json!({"platform": "python", "release": "shop@1.4.2",
        "exception": [{"type": "ZeroDivisionError", "stacktrace": {"frames": [frame]}}]});
    let url = app.server.dsn().expect("an address");
    let key = url.split('@').next().and_then(|url| url.rsplit('/').next()).expect("a key");
    let url = format!("http://{}/api/1/store/?sentry_key={key}", app.server.http_address);
    let answer = reqwest::Client::new().post(url).body(event.to_string()).send().await;
    assert_eq!(answer.expect("the server answers").status(), 200);
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1, "{}", mail.text);
    assert!(mail.says("shop@1.4.2") && mail.says(&released[..12]), "{}", mail.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_a_clone_are_found_and_mistakes_are_explained() {
    let app = with_sign_in().start().await;
    let token = app.api_token(ANN.1, "developer").await;
    let cli = |words: &[&str]| sentry_cli(&app, &token, words);
    cli(&["releases", "new", "shop@1.4.2"]).expect("it is created");
    cli(&["releases", "set-commits", "shop@1.4.2", "--local"]).expect("it is told");
    let head = app.repository.git(&["rev-parse", "HEAD"]);
    let release = app.server.app.store.release("shop@1.4.2").await.expect("store");
    assert_eq!(release.expect("a release").commit_id.as_deref(), Some(&*head));
    let error = cli(&["releases", "finalize", "nowhere@1"]).err().unwrap_or_default();
    assert!(!error.contains("panic"), "{error}");
    let error =
        cli(&["releases", "-p", "elsewhere", "new", "shop@2"]).expect_err("no such project");
    assert!(error.contains("elsewhere"), "{error}");
    let wrong = ["releases", "set-commits", "shop@1.4.2", "--commit", "acme/other@abc"];
    let error = cli(&wrong).expect_err("another repository");
    assert!(error.contains("acme/other"), "{error}");
    let reader = app.api_token(ANN.1, "reader").await;
    let error = sentry_cli(&app, &reader, &["releases", "new", "shop@3"]).expect_err("a reader");
    assert!(error.contains("developer"), "{error}");
    let error = sentry_cli(&app, "flw_wrong", &["releases", "new", "shop@3"]).expect_err("nobody");
    assert!(error.contains("401") || error.contains("token"), "{error}");
}
