//! Projects are made and changed on the command line, on pages and by the API, without a restart.
use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use super::{project, repository_of};
use crate::harness::{App, CLEO, flawless, stderr, stdout, wait_until};

/// Runs `flawless projects` on the data of a running server.
fn projects(app: &App, arguments: &[&str]) -> Output {
    let conf = app.conf();
    let all = [&["projects"], arguments, &["-conf", &conf]].concat();
    flawless(app.folder.path(), &all)
}

fn listed(app: &App) -> Vec<Value> {
    let lines = stdout(&projects(app, &["list", "--json"]));
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn named(app: &App, name: &str) -> Option<flawless_server::app::App> {
    app.server.app.projects.named(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn command_line_makes_changes_and_removes_a_project_while_the_server_runs() {
    let app = App::start().await;
    let repository = repository_of(CLEO, "a.py");
    let url = repository.dir().display().to_string();
    let added =
        projects(&app, &["add", "pay", "--repo-url", &url, "--default-contact", "pay@example.com"]);
    let text = stdout(&added);
    assert!(text.starts_with("project  pay\nnumber   2\ndsn      http://"), "{text}");
    assert!(text.contains(&format!("code     {url}  (the project)")), "{text}");
    wait_until("the server knows it", async || named(&app, "pay").is_some()).await;
    wait_until("its mirror is cloned", async || {
        named(&app, "pay").expect("it is there").repo.get().tip_commit().is_some()
    })
    .await;
    assert!(app.folder.path().join("data/projects/2/mirror.git").is_dir());
    let all = listed(&app);
    assert_eq!((all.len(), &all[0]["name"], &all[1]["id"]), (2, &json!("default"), &json!(2)));
    assert_eq!(all[1]["keys"].as_array().map(Vec::len), Some(1));

    let set = stdout(&projects(
        &app,
        &["set", "pay", "report_error_threshold=7", "blame_frame=innermost"],
    ));
    assert_eq!(set, "pay: report_error_threshold, blame_frame changed\n");
    let again = stdout(&projects(&app, &["set", "pay", "report_error_threshold=7"]));
    assert_eq!(again, "pay has these values already\n");
    let shown = stdout(&projects(&app, &["show", "pay"]));
    let line = |name: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {shown}")).to_owned()
    };
    assert!(line("report_error_threshold").ends_with("7  (the project)"));
    assert!(line("digest_minutes").ends_with("5  (default value)"));
    stdout(&projects(&app, &["set", "2", "--unset", "report_error_threshold"]));
    let shown: Value =
        serde_json::from_str(&stdout(&projects(&app, &["show", "pay", "--json"]))).expect("JSON");
    assert_eq!(
        shown["settings"]["report_error_threshold"],
        json!({"value": "3", "set_at": "default value"})
    );

    assert_eq!(
        stdout(&projects(&app, &["rename", "pay", "billing"])).lines().next(),
        Some("pay is called billing now")
    );
    let keys = stdout(&projects(&app, &["keys", "add", "--project", "billing", "--label", "web"]));
    assert!(keys.contains("/2\n"), "{keys}");
    stdout(&projects(&app, &["archive", "billing"]));
    stdout(&projects(&app, &["archive", "billing", "--undo"]));
    let asked = projects(&app, &["remove", "billing"]);
    assert!(stderr(&asked).contains("--yes removes without asking"), "{}", stderr(&asked));
    assert!(String::from_utf8_lossy(&asked.stdout).contains("  0 issues\n"));
    stdout(&projects(&app, &["remove", "billing", "--yes"]));
    wait_until("the server forgets it", async || named(&app, "billing").is_none()).await;
    let mirror = app.folder.path().join("data/projects/2");
    wait_until("its mirror is gone", async || !mirror.exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_commands_are_refused_with_a_hint_and_change_nothing() {
    let app = App::start().await;
    stdout(&projects(
        &app,
        &["add", "pay", "repo_url=https://u:Tr0ub4dor@git.example.com/pay.git"],
    ));
    for (arguments, why) in [
        (&["add", "pay"][..], "there is a project \"pay\" already"),
        (&["add", "PAY"], "cannot be the name of a project"),
        (&["add", "7"], "cannot be the name of a project"),
        (&["add", "x", "port=1"], "a project cannot set this option"),
        (&["add", "x", "repo_urll=1"], "Did you mean repo_url?"),
        (&["add", "x", "blame_frame=middle"], "Write one of: likely, innermost"),
        (&["add", "x", "--default-contact", "nobody"], "is not a mail address"),
        (&["set", "nope", "blame_frame=likely"], "there is no project \"nope\""),
        (&["set", "pay", "blame_frame"], "is not OPTION=VALUE"),
        (&["set", "pay", "report_error_threshold=x"], "project pay: report_error_threshold"),
        (&["rename", "pay", "default"], "there is a project \"default\" already"),
        (&["remove", "default", "--yes"], "the first project cannot be removed"),
        (&["apply", "missing.cfg"], "missing.cfg cannot be read"),
    ] {
        let output = projects(&app, arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(stderr(&output).contains(why), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(listed(&app).len(), 2);
    for shown in [&["show", "pay"][..], &["show", "pay", "--json"], &["list"]] {
        let text = stdout(&projects(&app, shown));
        assert!(!text.contains("Tr0ub4dor"), "credentials are never shown again: {text}");
    }
}

fn apply(app: &App, file: &Path, text: &str) -> Output {
    std::fs::write(file, text).expect("written");
    projects(app, &["apply", &file.display().to_string()])
}

#[tokio::test(flavor = "multi_thread")]
async fn file_of_projects_is_applied_once_and_changes_nothing_the_second_time() {
    let app = App::start().await;
    let file = app.folder.path().join("projects.cfg");
    let text = "[pay]\nreport_error_threshold = 2\ndefault_contact = pay@example.com\n\n\
                [web]\narchived = True\n";
    assert_eq!(
        stdout(&apply(&app, &file, text)),
        "pay: the project is new\nweb: the project is new\n"
    );
    let before = listed(&app);
    assert_eq!(stdout(&apply(&app, &file, text)), "nothing to change\n");
    assert_eq!(listed(&app), before);
    let changed = "[pay]\nreport_error_threshold = 3\n[web]\n";
    let said = stdout(&apply(&app, &file, changed));
    assert_eq!(
        said,
        "pay: report_error_threshold is set\npay: default_contact is not set any longer\n\
         web: it is in use again\n"
    );
    assert_eq!(stdout(&apply(&app, &file, changed)), "nothing to change\n");
    let wrong = apply(&app, &file, "[new]\n[pay]\nreport_error_threshold = many\n");
    assert!(stderr(&wrong).contains("projects.cfg:2"), "{}", stderr(&wrong));
    assert_eq!(listed(&app).len(), 3, "nothing of a wrong file is done");
    wait_until("the server knows them", async || {
        named(&app, "web").is_some_and(|web| web.project.row.archived_at.is_none())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_make_and_change_a_project() {
    let app = App::start().await;
    let repository = repository_of(CLEO, "a.py");
    let url = repository.dir().display().to_string();
    let made = app
        .post("/new_project", &[("name", "pay"), ("repo_url", &url), ("default_contact", "")])
        .await;
    assert_eq!(made.0, 200, "{}", made.1);
    let pay = named(&app, "pay").expect("it is there at once");
    assert!(made.1.contains(&pay.project.dsn(&app.server.app.client_url()).expect("a DSN")));
    let (_, overview) = app.get("/projects").await;
    assert!(overview.contains("href=\"/projects/pay/\""), "{overview}");
    let (_, page) = app.get("/projects/pay/settings").await;
    assert!(page.contains("action=\"/projects/pay/settings/save\""), "{page}");
    let fields = [("option", "report_error_threshold"), ("value", "9")];
    let saved = app.post("/projects/pay/settings/save", &fields).await;
    assert_eq!(saved.0, 200, "{}", saved.1);
    assert_eq!(named(&app, "pay").expect("it is there").config.error_threshold, 9);
    let unset = [("option", "report_error_threshold"), ("unset", "1")];
    app.post("/projects/pay/settings/save", &unset).await;
    assert_eq!(named(&app, "pay").expect("it is there").config.error_threshold, 1);
    let wrong =
        app.post("/projects/pay/settings/save", &[("option", "port"), ("value", "1")]).await;
    assert!(wrong.0 == 422 && wrong.1.contains("a project cannot set this option"), "{}", wrong.1);
    app.post("/projects/pay/settings/keys/add", &[("label", "web")]).await;
    let pay = named(&app, "pay").expect("it is there");
    assert_eq!(pay.project.keys.len(), 2);
    let id = pay.project.keys[0].id.to_string();
    app.post("/projects/pay/settings/keys/disable", &[("id", &id), ("disabled", "1")]).await;
    assert!(named(&app, "pay").expect("it is there").project.keys[0].disabled_at.is_some());
    let renamed = app.post("/projects/pay/settings/rename", &[("name", "billing")]).await;
    assert!(renamed.0 == 200 && renamed.1.contains("Settings of billing"), "{}", renamed.1);
    let kept = app.post("/projects/billing/settings/remove", &[("name", "pay")]).await;
    assert_eq!(kept.0, 422, "{}", kept.1);
    let removed = app.post("/projects/billing/settings/remove", &[("name", "billing")]).await;
    assert!(removed.0 == 200 && named(&app, "billing").is_none(), "{}", removed.1);
    let first = app.post("/settings/remove", &[("name", "default")]).await;
    assert!(first.0 == 422 && first.1.contains("cannot be removed"), "{}", first.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn api_makes_and_changes_a_project() {
    let app = App::start().await;
    let url = format!("http://{}/api/v1/projects", app.server.http_address);
    let http = reqwest::Client::new();
    let send = async |method: &str, path: &str, body: Value| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).expect("a method");
        let request = http.request(method, format!("{url}{path}"));
        let request = request.header("content-type", "application/json").body(body.to_string());
        let answer = request.send().await.expect("an answer");
        let (status, text) = (answer.status().as_u16(), answer.text().await.expect("text"));
        (status, serde_json::from_str::<Value>(&text).expect("JSON"))
    };
    let new = json!({"name": "pay", "settings": {"report_error_threshold": "4"}});
    let (status, made) = send("POST", "", new.clone()).await;
    assert_eq!((status, &made["name"], &made["id"]), (201, &json!("pay"), &json!(2)), "{made}");
    assert_eq!(
        made["settings"]["report_error_threshold"],
        json!({"value": "4", "set_at": "the project"})
    );
    assert_eq!(send("POST", "", new).await.0, 409);
    let change = json!({"settings": {"report_error_threshold": null, "blame_frame": "innermost"}});
    let (status, changed) = send("PATCH", "/pay", change).await;
    assert_eq!((status, &changed["settings"]["blame_frame"]["value"]), (200, &json!("innermost")));
    assert_eq!(changed["settings"]["report_error_threshold"]["value"], json!("1"));
    let wrong = send("PATCH", "/2", json!({"settings": {"blame_frame": "x"}})).await;
    assert_eq!(wrong.0, 422, "{}", wrong.1);
    let (status, with_key) = send("POST", "/pay/keys", json!({"label": "web"})).await;
    assert_eq!((status, with_key["all_keys"].as_array().map(Vec::len)), (200, Some(2)));
    let first = with_key["all_keys"][0]["id"].as_i64().expect("a number");
    let off = send("PATCH", &format!("/pay/keys/{first}"), json!({"disabled": true})).await;
    assert_eq!((off.0, off.1["keys"].as_array().map(Vec::len)), (200, Some(1)));
    let (_, all) = app.get("/api/v1/projects").await;
    let all: Value = serde_json::from_str(&all).expect("JSON");
    assert_eq!(all["projects"].as_array().map(Vec::len), Some(2));
    let own = app.get("/projects/pay/api/v1/issues").await;
    assert_eq!(own.0, 200, "{}", own.1);
    let (status, archived) = send("PATCH", "/pay", json!({"archived": true, "name": "old"})).await;
    assert!(status == 200 && archived["archived_at"].is_string(), "{archived}");
    assert_eq!(send("DELETE", "/old", json!({})).await.0, 200);
    assert_eq!(send("GET", "/old", json!({})).await.0, 404);
    assert_eq!(send("DELETE", "/default", json!({})).await.0, 409);
    assert!(project(&app, 2).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn change_by_the_api_is_all_or_nothing() {
    let app = App::start().await;
    stdout(&projects(&app, &["add", "pay"]));
    wait_until("the server knows it", async || named(&app, "pay").is_some()).await;
    let url = format!("http://{}/api/v1/projects/pay", app.server.http_address);
    let body = json!({"name": "default", "settings": {"digest_minutes": "7"}, "archived": true});
    let request = reqwest::Client::new().patch(url).header("content-type", "application/json");
    let answer = request.body(body.to_string()).send().await.expect("an answer");
    assert_eq!(answer.status(), 409);
    let shown: Value =
        serde_json::from_str(&stdout(&projects(&app, &["show", "pay", "--json"]))).expect("JSON");
    assert_eq!(shown["settings"]["digest_minutes"]["value"], "5");
    assert_eq!(shown["archived_at"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn field_of_a_setting_holds_what_the_project_itself_has_typed() {
    let app = App::with("redact_names", "pin").start().await;
    for (option, value) in [
        ("redact_names", "cvc"),
        ("submodules", "vendor/pay=https://bot:hidden@git.example.com/pay.git"),
    ] {
        app.post("/settings/save", &[("option", option), ("value", value)]).await;
    }
    let page = async || app.get("/settings").await.1;
    let field = "value=\"cvc\" aria-label=\"New value of redact_names\"";
    wait_until("it is shown", async || page().await.contains(field)).await;
    let field = "value=\"\" aria-label=\"New value of submodules\"";
    let page = page().await;
    assert!(page.contains(field), "{page}");
    let (_, health) = app.get("/check_health").await;
    for shown in [page, health] {
        assert!(shown.contains("https://***@git.example.com/pay.git"), "{shown}");
        assert!(!shown.contains("hidden@"), "{shown}");
    }
}
