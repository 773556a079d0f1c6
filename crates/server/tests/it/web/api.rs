//! `/api/v1`, as programs use it.
use flawless_server::project::keys::KeyIs;
use flawless_server::show::links;
use insta::assert_json_snapshot;
use serde_json::{Value, json};

use crate::harness::{App, BEN, request, steady};

const CART: (&str, i64, &str, &str) =
    ("/srv/app/shop/cart.py", 5, "total", "    return sum(prices) / len(prices)\n");

/// Reports issues of several files, types and days.
async fn report_some(app: &App) {
    for (file, exception, times) in
        [("a", "KeyError", 3), ("b", "KeyError", 2), ("c/d", "ValueError", 1)]
    {
        let path = format!("/srv/app/other/{file}.py");
        let mut report = request(&[(&path, 7, "run", "    run(x)\n")]);
        report.exception_type = Some(format!("builtins.{exception}"));
        for _ in 0..times {
            app.report(&report).await;
        }
    }
    app.report(&request(&[CART])).await;
    app.settle().await;
}

fn ids(list: &Value) -> Vec<i64> {
    let issues = list["issues"].as_array().expect("issues").iter();
    issues.map(|listed| listed["issue"]["id"].as_i64().expect("a number")).collect()
}

/// The issues that a page links to, without repetitions, in order.
fn linked(page: &str) -> Vec<i64> {
    let mut found = Vec::new();
    // Without the number.
    let address = links::issue("href=\"", 0);
    for link in page.split(address.trim_end_matches('0')).skip(1) {
        let end = link.find(|c: char| !c.is_ascii_digit()).unwrap_or_default();
        if let Ok(id) = link[..end].parse()
            && !found.contains(&id)
        {
            found.push(id);
        }
    }
    found
}

#[tokio::test]
async fn filters_give_the_same_issues_as_the_page() {
    let app = App::start().await;
    report_some(&app).await;
    for (query, expected) in [
        ("", 4),
        ("exception=KeyError", 2),
        ("file=/srv/app/other/c", 1),
        ("text=prices&state=notified", 1),
        ("sort=path&order=reversed", 4),
        ("state=muted", 0),
    ] {
        let list = app.api_get(&format!("/issues?{query}")).await;
        assert_eq!(list["totals"]["issues"], expected, "{query}: {list}");
        let (_, page) = app.get(&format!("/?{query}&view=list")).await;
        assert_eq!(ids(&list), linked(&page), "{query}");
    }
    let ben = app.api_get(&format!("/issues?developer={}", BEN.1)).await;
    assert_eq!(ben["issues"][0]["issue"]["path"], "shop/cart.py", "{ben}");
    assert_eq!(ben["issues"][0]["owner"], BEN.1);
    let earlier = app.api_get("/issues?from=2026-11-01T00:00:00Z&to=2026-11-08T00:00:00Z").await;
    assert_eq!((ids(&earlier).len(), &earlier["from"]), (0, &json!("2026-11-01T00:00:00Z")));
}

#[tokio::test]
async fn list_pages_hold_each_issue_once() {
    let app = App::start().await;
    report_some(&app).await;
    let base = format!("{}/api/v1", app.server.app.base_url);
    let (mut path, mut found) = ("/issues?sort=path&per_page=3".to_owned(), Vec::new());
    loop {
        let answer = app.api("GET", &path, None).await;
        found.extend(ids(&answer.body));
        let Some(next) = answer.body["next"].as_str() else {
            assert_eq!(answer.link, "");
            break;
        };
        assert_eq!(answer.link, format!("<{next}>; rel=\"next\""));
        path = next.strip_prefix(&base).expect("below the API").to_owned();
    }
    found.sort_unstable();
    assert_eq!(found, [1, 2, 3, 4]);
}

#[tokio::test]
async fn issue_is_returned_with_its_samples() {
    let app = App::start().await;
    app.report(&request(&[CART])).await;
    app.settle().await;
    for (name, path) in [
        ("issues", "/issues"),
        ("issue", "/issues/1"),
        ("samples", "/issues/1/samples"),
        ("sample", "/issues/1/samples/0"),
    ] {
        let answer = app.api_get(path).await;
        steady().bind(|| assert_json_snapshot!(name, answer));
    }
    for nothing in ["/issues/2", "/issues/1/samples/1", "/issues/2/samples", "/issues/2/actions"] {
        let answer = app.api("GET", nothing, None).await;
        assert_eq!((answer.status, &*answer.content_type), (404, "application/problem+json"));
    }
}

#[tokio::test]
async fn api_actions_are_in_the_issues_log_and_undone_on_the_page() {
    let app = App::start().await;
    app.report(&request(&[CART])).await;
    app.settle().await;
    let act = async |body: Value| app.api_post("/issues/1/actions", body).await;
    for (body, status) in [
        (json!({"action": "mute", "until": "2026-12-01T00:00:00+01:00"}), 200),
        (json!({"action": "resolve"}), 200),
        (json!({"action": "reopen"}), 200),
        (json!({"action": "reopen"}), 409),
        (json!({"action": "notify"}), 422),
        (json!({"action": "notify", "again": true}), 200),
        (json!({"action": "library_code"}), 200),
        (json!({"action": "library_code"}), 409),
        (json!({"action": "known_error", "entry": {"filename": "shop/cart.py"}}), 200),
        (json!({"action": "known_error", "entry": {"filename": ""}}), 422),
        (json!({"action": "ignore_exception"}), 200),
        (json!({"action": "reassign", "path": "shop", "designated_email": "c@example.com"}), 200),
        (json!({"action": "reassign", "path": "x", "designated_email": "c@example.com"}), 422),
        (json!({"action": "blame_instead", "suspect": 9}), 404),
    ] {
        let answer = act(body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    let issue = app.api_get("/issues/1").await;
    assert_eq!(issue["issue"]["muted_until"], "2026-11-30T23:00:00Z", "{issue}");
    let log = app.api_get("/issues/1/actions").await;
    let actions = log["actions"].as_array().expect("a list");
    assert_eq!(actions.len(), 8, "{log}");
    let mute = actions.last().expect("the first one");
    assert_eq!((&mute["kind"], &mute["who"]), (&json!("mute"), &json!("someone at this machine")));
    let id = &mute["id"];
    let (status, page) = app.post(&format!("/actions/{id}/undo"), &[]).await;
    assert_eq!(status, 200, "{page}");
    let issue = app.api_get("/issues/1").await;
    assert_eq!(issue["issue"]["muted_until"], Value::Null);
    let undone = app.api_post(&format!("/actions/{id}/undo"), json!({})).await;
    assert_eq!(undone.status, 409, "{undone:?}");
    let last = &actions[0]["id"];
    assert_eq!(app.api_post(&format!("/actions/{last}/undo"), json!({})).await.status, 200);
    let log = app.api_get("/issues/1/actions").await;
    assert_eq!(log["actions"].as_array().map(Vec::len), Some(10), "{log}");
}

#[tokio::test]
async fn rules_are_added_changed_removed_and_imported() {
    let app = App::start().await;
    let list = "/rules/watch_list";
    let entry = |path: &str| json!({"entry": {"filepath": path, "email": "w@example.com"}});
    let added = app.api_post(list, entry("shop")).await;
    assert_eq!(
        (added.status, &added.body["rule"]["text"]),
        (201, &json!("w@example.com for shop"))
    );
    assert_eq!(app.api_post(list, entry("shop")).await.status, 409);
    let id = added.body["rule"]["id"].as_i64().expect("a number");
    let one = format!("{list}/{id}");
    let changed = app.api("PUT", &one, Some(&entry("lib").to_string())).await;
    assert_eq!((changed.status, &changed.body["rule"]["entry"]["filepath"]), (200, &json!("lib")));
    assert_eq!(app.api_get(&one).await["entry"]["filepath"], "lib");
    let removed = app.api("DELETE", &one, None).await;
    assert_eq!((removed.status, &removed.body["can_undo"]), (200, &json!(true)));
    assert_eq!(app.api("GET", &one, None).await.status, 404);
    let undone = format!("/actions/{}/undo", removed.body["id"]);
    assert_eq!(app.api_post(&undone, json!({})).await.status, 200);
    assert_eq!(app.api_get(&one).await["entry"]["filepath"], "lib");
    let imported = app
        .api_post("/rules/email_remapping/import", json!({"a": "b@example.com", "c": "d@e.com"}))
        .await;
    assert_eq!(imported.status, 200, "{imported:?}");
    let page = app.api_get("/rules/email_remapping?per_page=1").await;
    assert_eq!(
        (page["total"].as_i64(), page["rules"].as_array().map(Vec::len)),
        (Some(2), Some(1))
    );
    assert!(page["next"].as_str().is_some_and(|next| next.ends_with("page=2&per_page=1")));
    for (list, entry, status, field) in [
        ("watch_list", json!({"filepath": "a", "email": "nobody"}), 422, "entry.email"),
        ("watch_list", json!({"filepath": "a"}), 422, "entry.email"),
        ("watch_list", json!({"filepath": 1, "email": "a@b.c"}), 422, "entry.filepath"),
        ("known_errors", json!({"filename": "a", "fragment": "x"}), 422, "entry.fragment"),
        ("known_errors", json!("x"), 422, "entry"),
        ("ignored_exceptions", json!({}), 422, "entry"),
        ("no_list", json!({}), 404, ""),
    ] {
        let answer = app.api_post(&format!("/rules/{list}"), json!({"entry": entry})).await;
        assert_eq!((answer.status, answer.field()), (status, field), "{list} {entry}: {answer:?}");
    }
}

#[tokio::test]
async fn people_projects_and_health_are_returned() {
    let app = App::start().await;
    app.report(&request(&[CART])).await;
    app.settle().await;
    let people = app.api_get("/people?text=ben").await;
    assert_eq!(people["people"][0]["address"], BEN.1, "{people}");
    let person = app.api_get(&format!("/people/{}", BEN.1)).await;
    assert_eq!(person["person"]["open_issues"], 1, "{person}");
    assert_eq!(app.api("GET", "/people/nobody@example.com", None).await.status, 404);
    let projects = app.api_get("/projects").await;
    let key = projects["projects"][0]["keys"][0].as_str().expect("a key");
    assert!(matches!(app.server.app.projects.keys().find(key), KeyIs::Valid(_)));
    assert_eq!(projects["projects"][0]["dsn"], json!(app.server.dsn()));
    assert_eq!(app.api_get("/health").await["ok"], true);
}

#[tokio::test]
async fn foreign_host_name_is_answered_with_a_problem_document() {
    let app = App::start().await;
    let url = format!("http://{}/api/v1/health", app.server.http_address);
    let request = reqwest::Client::new().get(url).header("host", "evil.example");
    let answer = request.send().await.expect("the server answers");
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let text = answer.text().await.expect("text");
    let problem: Value = serde_json::from_str(&text).expect("JSON");
    assert!(problem["detail"].as_str().is_some_and(|text| text.contains("hostname")), "{problem}");
}

#[tokio::test]
async fn wrong_request_is_reported_with_the_field() {
    let app = App::start().await;
    app.report(&request(&[CART])).await;
    app.settle().await;
    for (path, status, field) in [
        ("/issues?sate=new", 400, "sate"),
        ("/issues?state=good", 400, "state"),
        ("/issues?state=", 400, "state"),
        ("/issues?page=1&page=2", 400, "page"),
        ("/issues?page=-1", 400, "page"),
        ("/issues?page=0", 422, "page"),
        ("/issues?per_page=201", 422, "per_page"),
        ("/issues?from=yesterday", 400, "from"),
        ("/issues?from=2026-11-22T00:00:00Z&to=2026-11-21T00:00:00Z", 422, "from"),
        ("/issues?include_known_errors=maybe", 400, "include_known_errors"),
        ("/issues?text=%ff%00%3Cscript%3E", 200, ""),
        ("/issues/0", 404, ""),
        ("/issues/-1", 404, ""),
        ("/issues/x", 404, ""),
        ("/issues/%ff", 404, ""),
        ("/issues/99999999999999999999999999", 404, ""),
        ("/issues/1/samples/99999999999999999999999999", 404, ""),
        ("/people/%ff%00", 404, ""),
        ("/people?page=4294967296", 400, "page"),
        ("/people?page=0", 422, "page"),
        ("/rules/watch_list?per_page=0", 422, "per_page"),
        ("/nothing", 404, ""),
    ] {
        let answer = app.api("GET", path, None).await;
        assert_eq!((answer.status, answer.field()), (status, field), "{path}: {answer:?}");
        let kind = if status == 200 { "application/json" } else { "application/problem+json" };
        assert_eq!(answer.content_type, kind, "{path}");
    }
    let nested = "[".repeat(200_000);
    let long = format!("{{\"action\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
    for (body, status, field) in [
        ("", 400, ""),
        ("{", 400, ""),
        ("[]", 400, "action"),
        ("{\"action\": \"mute\"} {}", 400, ""),
        (&*nested, 400, ""),
        (&*long, 413, ""),
        ("{}", 400, "action"),
        ("{\"action\": \"destroy\"}", 400, "action"),
        ("{\"action\": \"mute\", \"until\": \"soon\"}", 400, "until"),
        ("{\"action\": \"mute\", \"untill\": null}", 400, "untill"),
        ("{\"action\": \"mute\", \"until\": \"2026-11-01T00:00:00Z\"}", 422, "until"),
        ("{\"action\": \"blame_instead\", \"suspect\": -1}", 400, "suspect"),
        ("{\"action\": \"resolve\", \"commit\": \"--help\"}", 422, "commit"),
    ] {
        let answer = app.api("POST", "/issues/1/actions", Some(body)).await;
        let shown = &body[..body.len().min(80)];
        assert_eq!((answer.status, answer.field()), (status, field), "{shown}: {answer:?}");
    }
}

#[tokio::test]
async fn non_json_requests_and_other_sites_are_refused() {
    let app = App::start().await;
    let url = format!("http://{}/api/v1/rules/ignored_exceptions", app.server.http_address);
    let client = reqwest::Client::new();
    let body = "{\"entry\": \"a.B\"}";
    let post = |kind: &str| client.post(&url).header("content-type", kind).body(body);
    let status = async |request: reqwest::RequestBuilder| {
        request.send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(status(post("text/plain")).await, 415);
    assert_eq!(status(post("application/x-www-form-urlencoded")).await, 415);
    assert_eq!(status(post("application/json").header("origin", "http://evil.example")).await, 403);
    assert_eq!(status(post("application/json").header("accept", "text/html")).await, 406);
    let undo = format!("http://{}/api/v1/actions/1/undo", app.server.http_address);
    assert_eq!(status(client.post(undo)).await, 415);
    assert_eq!(app.api_get("/rules/ignored_exceptions").await["total"], 0);
    assert_eq!(status(post("application/json; charset=utf-8")).await, 201);
}
