//! Starts with a data folder that is not as the last run left it.
use serde_json::Value;

use crate::harness::{App, AppBuilder, BEN, request};

const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];

/// The part of Health about a database that was lost.
async fn history(app: &App) -> (u16, Option<Value>) {
    let (status, text) = app.get("/check_health.json").await;
    let health: Value = serde_json::from_str(&text).expect("JSON");
    let parts = health["parts"].as_array().expect("a list");
    (status, parts.iter().find(|part| part["name"] == "history").cloned())
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_database_is_reported_on_health_and_by_mail() {
    let app = AppBuilder::default().in_file().start().await;
    app.report(&request(&CART)).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    assert_eq!(history(&app).await, (200, None), "a first start is not a loss");
    let app = app.restart().await;
    assert_eq!(history(&app).await, (200, None), "nor is another one");

    let App { server, clock, repository, smtp, folder } = app;
    let config = (*server.app.config).clone();
    server.stop().await;
    std::fs::remove_file(folder.path().join("data/flawless.db")).expect("the database exists");
    let server = flawless_server::server::Server::start(config, clock.clone()).await;
    let server = server.expect("errors of programs must not be lost too");
    let app = App { server, clock, repository, smtp, folder };
    let (status, part) = history(&app).await;
    let text = part.expect("the part is shown")["text"].to_string();
    assert_eq!(status, 200, "reports are taken and alerts go out");
    for expected in ["the database was missing", "notified of known lines", "put a backup of"] {
        assert!(text.contains(expected), "{text}");
    }
    let notes = async |app: &App| {
        let mails = app.mails().await.into_iter();
        mails.filter(|mail| mail.subject == "The Flawless database was missing").count()
    };
    assert_eq!(notes(&app).await, 1);
    let app = app.restart().await;
    assert_eq!(notes(&app).await, 1, "one note only");
    assert!(history(&app).await.1.is_some(), "and for a week on Health");
    app.clock.advance(8 * 86_400_000);
    assert_eq!(history(&app).await.1, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_sent_journal_does_not_prevent_a_start() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    app.one_mail().await;
    let journal = app.folder.path().join("data/sent.journal");
    let App { server, clock, repository, smtp, folder } = app;
    let config = (*server.app.config).clone();
    server.stop().await;
    std::fs::write(&journal, b"15\xff\n\x00\x01garbage without an end").expect("written");
    let server = flawless_server::server::Server::start(config, clock.clone()).await;
    let app = App { server: server.expect("it starts"), clock, repository, smtp, folder };
    app.report(&request(&[("/srv/app/shop/web.py", 2, "handle", "return cart.total()")])).await;
    assert_eq!(app.mails().await.len(), 2, "the server works");
}
