//! The page Health and the same as JSON.
use serde_json::Value;

use crate::harness::{App, SmtpServer, ThriftClient, on_postgres, request, wait_until};

const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];

async fn json(app: &App) -> (u16, Value) {
    let (status, text) = app.get("/check_health.json").await;
    (status, serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

/// A kind of outcome in the answer.
fn kind<'a>(health: &'a Value, kind: &str) -> &'a Value {
    let kinds = health["outcomes"].as_array().expect("a list");
    kinds.iter().find(|known| known["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn outcomes_of_every_kind_are_listed_with_their_newest_example() {
    let app = App::with("smtp_password", "hunter2").with("smtp_user", "u");
    let app = app.with("report_error_threshold", "100").start().await;
    let (status, health) = json(&app).await;
    assert_eq!((status, &health["ok"]), (200, &Value::Bool(true)));
    assert_eq!(health["headline"], "All components work");
    let kinds = ["counted", "not_blamed", "third_party", "ignored_exception", "refused"];
    for word in kinds {
        assert_eq!(kind(&health, word)["reports"], 0, "{word}");
    }
    app.report(&request(&CART)).await;
    for path in ["/elsewhere/z.py", "/elsewhere/a<b>.py"] {
        app.settle().await;
        app.clock.advance(1_000);
        app.report(&request(&[(path, 1, "f", "x()")])).await;
    }
    app.settle().await;
    ThriftClient::connect(app.thrift_address()).await.send_frame(b"no thrift").await;
    wait_until("all are counted", async || kind(&json(&app).await.1, "refused")["reports"] == 1)
        .await;
    let (_, health) = json(&app).await;
    assert_eq!(kind(&health, "counted")["reasons"][0]["example"], "shop/cart.py:5");
    let nobody = kind(&health, "not_blamed");
    assert_eq!(
        (&nobody["reports"], &nobody["reasons"][0]["example"]),
        (&2.into(), &"/elsewhere/a<b>.py:1".into())
    );
    assert_eq!(kind(&health, "refused")["reasons"][0]["reason"], "not a thrift call");
    assert_eq!(health["clients"][0]["name"], "over framed Thrift");
    let options = health["configuration"].as_array().expect("a list");
    let option = |name: &str| options.iter().find(|option| option["name"] == name).expect(name);
    assert_eq!(option("smtp_password")["value"], "***");
    assert!(option("smtp_user")["set_at"].as_str().is_some_and(|at| at.starts_with("--set")));
    assert_eq!(option("max_connections")["set_at"], Value::Null);
    let versions = &health["versions"];
    assert!(versions["schema"].as_i64() >= Some(1), "{versions}");
    assert!(versions["git"].as_str().is_some_and(|git| git.starts_with('2')), "{versions}");
    let database = if on_postgres() { "PostgreSQL " } else { "SQLite 3." };
    assert!(versions["database"].as_str().is_some_and(|it| it.starts_with(database)), "{versions}");
    assert!(health["memory_bytes"].as_u64() > Some(1_000_000), "{health}");

    let (_, page) = app.get("/check_health").await;
    for expected in
        ["All components work", "dropped: third-party rule", "a&#60;b&#62;.py", "not a thrift call"]
    {
        assert!(page.contains(expected), "{expected:?} is missing: {page}");
    }
    assert!(!page.contains("hunter2") && !page.contains("a<b>.py"), "{page}");
    let page = app.get("/check_health?format=json").await.1;
    assert!(serde_json::from_str::<Value>(&page).is_ok(), "{page}");
    let url = format!("http://{}/check_health", app.server.http_address);
    let asked = reqwest::Client::new().get(url).header("accept", "application/json").send().await;
    assert_eq!(asked.expect("an answer").headers()["content-type"], "application/json");
}

#[tokio::test(flavor = "multi_thread")]
async fn part_that_needs_attention_gives_a_hint() {
    let smtp = SmtpServer::start();
    let place = smtp.address();
    drop(smtp);
    let app = App::with("smtp_host", &place).start().await;
    app.report(&request(&CART)).await;
    let store = &app.server.app.store;
    wait_until("an attempt has failed", async || {
        store.outbox_queue().await.expect("store").last_error.is_some()
    })
    .await;
    app.clock.advance(2 * 3_600_000);
    let (status, health) = json(&app).await;
    assert_eq!((status, &health["headline"]), (503, &"1 component needs attention".into()));
    let parts = health["parts"].as_array().expect("a list");
    let outbox = parts.iter().find(|part| part["name"] == "outbox").expect("a part");
    assert!(outbox["hint"].as_str().is_some_and(|hint| hint.contains("smtp_host")), "{outbox}");
    let (status, page) = app.get("/check_health").await;
    assert!(status == 503 && page.contains("1 component needs attention"), "{page}");
    assert!(page.contains("Check smtp_host"), "{page}");
}
