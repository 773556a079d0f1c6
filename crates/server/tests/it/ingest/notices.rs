//! What the notifiers of Airbrake and Rollbar are answered, also when they send nonsense.
use serde_json::{Value, json};

use crate::harness::App;

async fn post(app: &App, path: &str, header: Option<(&str, &str)>, body: String) -> (u16, Value) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let url = format!("http://{}{path}", app.server.http_address);
    let mut request = reqwest::Client::new().post(url).body(body);
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let answer = request.send().await.expect("the server answers");
    (answer.status().as_u16(), answer.json().await.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn notifiers_are_answered_as_they_expect() {
    let app = App::start().await;
    let key = app.server.app.now().project.keys[0].secret.reveal().to_owned();
    let frames = json!([{"file": "/PROJECT_ROOT/shop/cart.py", "line": 5, "function": "total"}]);
    let notice =
        json!({"errors": [{"type": "E", "message": "m", "backtrace": frames}]}).to_string();
    let of_airbrake =
        |project: &str, key: &str| format!("/api/v3/projects/{project}/notices?key={key}");
    let (status, answer) = post(&app, &of_airbrake("1", &key), None, notice.clone()).await;
    assert_eq!(status, 201, "{answer}");
    assert!(answer["id"].as_str().is_some_and(|id| id.len() == 32), "{answer}");
    let item = |token: &str| {
        let trace = json!({"exception": {"class": "E", "message": "m"}, "frames": []});
        json!({"access_token": token, "data": {"uuid": "8defb6ff-01e4-4446-9cef-879efa1fba1f",
            "level": "error", "body": {"trace": trace}}})
        .to_string()
    };
    let (status, answer) = post(&app, "/api/1/item/", None, item(&key)).await;
    assert_eq!((status, &answer["err"]), (200, &json!(0)), "{answer}");
    assert_eq!(answer["result"]["uuid"], "8defb6ff01e444469cef879efa1fba1f");
    let header = Some(("x-rollbar-access-token", &*key));
    assert_eq!(post(&app, "/api/1/item", header, item("other")).await.0, 200, "the header counts");
    let large = format!("{{\"x\": \"{}\"}}", "y".repeat(5 * 1024 * 1024));
    for (path, body, expected) in [
        (of_airbrake("1", "wrong"), notice.clone(), 403),
        (of_airbrake("7", &key), notice.clone(), 403),
        ("/api/v3/projects/1/notices".to_owned(), notice.clone(), 401),
        (of_airbrake("1", &key), "[]".to_owned(), 400),
        (of_airbrake("1", &key), "{}".to_owned(), 400),
        (of_airbrake("1", &key), large, 413),
        ("/api/1/item/".to_owned(), item(""), 401),
        ("/api/1/item/".to_owned(), item("wrong"), 403),
        ("/api/1/item/".to_owned(), "{".to_owned(), 400),
    ] {
        let (status, answer) = post(&app, &path, None, body).await;
        assert_eq!(status, expected, "{path} {answer}");
        assert!(answer["message"].is_string(), "{answer}");
    }
    let statistics = format!("/api/v5/projects/1/routes-stats?key={key}");
    assert_eq!(post(&app, &statistics, None, "{}".to_owned()).await.0, 204);
}
