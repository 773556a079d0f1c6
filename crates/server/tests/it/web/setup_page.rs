//! The page Set up: missing settings, snippets with the real address, and a test error.
use std::process::Command;

use crate::harness::{App, SmtpServer, python_with_package, request, wait_until};

const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];

/// What an element of a page holds, as a reader sees it.
fn text_of(page: &str, id: &str) -> String {
    let start = page.split(&format!("id=\"{id}\"")).nth(1).expect("the element");
    let text = start.split_once('>').expect("its end").1.split("</pre>").next().expect("text");
    text.replace("&#34;", "\"")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&#38;", "&")
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_setup_is_listed_with_hints() {
    let smtp = SmtpServer::start();
    let place = smtp.address();
    drop(smtp);
    let app = App::with("smtp_host", &place).without_repository().start().await;
    let (_, page) = app.get("/setup").await;
    for expected in [
        "None is configured, so nobody can be blamed",
        "repo_url = https://",
        "cannot be used",
        "smtp_host = ",
        "team@example.com gets the alerts that have no other recipient",
        "hostname = https://",
        "No program has reported yet",
        "4 things are still to do",
    ] {
        assert!(page.contains(expected), "{expected:?} is missing: {page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn completed_setup_is_ticked_off() {
    let app = App::with("hostname", "http://127.0.0.1").start().await;
    app.report(&request(&CART)).await;
    app.settle().await;
    let (_, page) = app.get("/setup").await;
    for expected in [" of HEAD.", " answers.", "Programs are reporting.", "FLAWLESS_REVISION"] {
        assert!(page.contains(expected), "{expected:?} is missing: {page}");
    }
    assert!(page.contains("1 thing is still to do"), "only the revision: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn snippet_copied_from_the_page_reports_to_this_server() {
    let app = App::start().await;
    let (_, page) = app.get("/setup").await;
    assert_eq!(text_of(&page, "dsn"), app.server.dsn().expect("an address"));
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("program.py");
    let code = format!("{}\n1 / 0\n", text_of(&page, "snippet-0"));
    std::fs::write(&program, code).expect("written");
    let mut python = Command::new(python_with_package());
    python.arg(&program).env_remove("FLAWLESS_DSN");
    let ended = tokio::task::spawn_blocking(move || python.output().expect("it runs")).await;
    let stderr = String::from_utf8_lossy(&ended.expect("no panic").stderr).into_owned();
    assert!(stderr.contains("ZeroDivisionError"), "{stderr}");
    app.settle().await;
    let (_, health) = app.get("/check_health").await;
    assert!(health.contains("flawless-client/"), "{stderr} {health}");
    let older = text_of(&page, "snippet-9");
    let port = app.thrift_address().port();
    assert!(older.contains(&format!("set_hostports([\"127.0.0.1:{port}\"])")), "{older}");
}

#[tokio::test(flavor = "multi_thread")]
async fn test_error_goes_all_the_way_and_blames_nobody() {
    let app = App::start().await;
    let (status, _) = app.post("/send_test_error", &[]).await;
    assert_eq!(status, 200);
    let mail = app.one_mail().await;
    assert_eq!(mail.to, "team@example.com");
    assert!(mail.text.contains("TestError"), "{}", mail.text);
    let url = format!("/setup/test_error/{}", app.clock.now());
    wait_until("it is over", async || {
        app.get(&url).await.1.contains("The message to team@example.com was sent")
    })
    .await;
    let (_, page) = app.get(&url).await;
    for expected in ["nobody is blamed", "Send another one", "Open the issue"] {
        assert!(page.contains(expected), "{expected:?} is missing: {page}");
    }
    assert!(app.get("/setup").await.1.contains("No program has reported yet"));
    app.later();
    app.post("/send_test_error", &[]).await;
    assert_eq!(app.mails().await.len(), 2, "each is notified");
    for wrong in ["/setup/test_error/7", "/setup/test_error/x", "/setup/test_error/-1"] {
        assert_eq!(app.get(wrong).await.0, 404, "{wrong}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn test_error_says_when_nobody_can_be_notified() {
    let app = App::with("default_contact", "").start().await;
    app.post("/send_test_error", &[]).await;
    let url = format!("/setup/test_error/{}", app.clock.now());
    wait_until("it is over", async || app.get(&url).await.1.contains("default_contact is not set"))
        .await;
    let (_, page) = app.get(&url).await;
    assert!(page.contains("Nobody can be notified"), "{page}");
}
