//! The project's keys: made, shown, replaced and switched off; and the older port, which can be
//! closed.
use std::path::Path;
use std::process::Output;
use std::time::Duration;

use flawless_protocol::thrift::RecordErrorRequest;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::harness::{App, ThriftClient, flawless, request, stderr, stdout, wait_until};

fn projects(folder: &Path, config: &str) -> Value {
    std::fs::write(folder.join("f.cfg"), format!("[flawless]\n{config}\n")).expect("written");
    let output = flawless(folder, &["projects", "-conf", "f.cfg", "--json"]);
    serde_json::from_str(&stdout(&output)).expect("one line of JSON")
}

#[test]
fn key_exists_before_the_first_start_and_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = projects(folder.path(), "data_dir_path = data");
    let key = first["keys"][0].as_str().expect("a key").to_owned();
    assert_eq!(key.len(), 32);
    assert!(key.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()), "{key}");
    assert_eq!(first["id"], 1);
    assert_eq!(first["name"], "default");
    assert_eq!(first["dsn"], format!("http://{key}@127.0.0.1:8080/1"));
    let named = "data_dir_path = data\nhostname = https://errors.example.com/flawless/";
    let again = projects(folder.path(), named);
    assert_eq!(again["dsn"], format!("https://{key}@errors.example.com/flawless/1"));
    let everywhere = projects(folder.path(), "data_dir_path = data\nhttp_host = 0.0.0.0");
    let dsn = everywhere["dsn"].as_str().expect("a name of this machine");
    assert!(dsn.ends_with(":8080/1") && !dsn.contains("0.0.0.0"), "{dsn}");
    let unknown = projects(folder.path(), "data_dir_path = data\nhttp_port = 0");
    assert_eq!((&unknown["dsn"], &unknown["keys"][0]), (&Value::Null, &Value::from(key.as_str())));
    let human = stdout(&flawless(folder.path(), &["projects", "-conf", "f.cfg"]));
    assert!(human.contains("project  default") && human.contains("set hostname"), "{human}");
    let other = projects(folder.path(), "data_dir_path = other");
    assert_ne!(other["keys"][0], key, "another server has another key");
}

#[test]
fn folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("file"), "").expect("written");
    let output = flawless(folder.path(), &["projects", "--set", "data_dir_path=file/data"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("data_dir_path"), "{}", stderr(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_keeps_the_key() {
    let app = App::start().await;
    let before = app.server.dsn().expect("an address");
    let keys = app.server.app.now().project.keys.clone();
    assert_eq!(before, format!("http://{}@{}/1", keys[0].secret.reveal(), app.server.http_address));
    let app = app.restart().await;
    assert_eq!(app.server.app.now().project.keys, keys);
}

#[tokio::test(flavor = "multi_thread")]
async fn port_0_closes_the_older_port_and_says_so() {
    let app = App::with("port", "0").start().await;
    assert_eq!(app.server.thrift_address, None);
    let folder = tempfile::tempdir().expect("a folder");
    let config = "[flawless]\nport = 0\nhttp_port = 0\ndata_dir_path = data\n";
    std::fs::write(folder.path().join("f.cfg"), config).expect("written");
    let check = flawless(folder.path(), &["check", "-conf", "f.cfg"]);
    let text = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(text.contains("the thrift port is closed (f.cfg:2: port = 0)"), "{text}");
    let mut server = tokio::process::Command::new(env!("CARGO_BIN_EXE_flawless"))
        .args(["start", "-conf", "f.cfg"])
        .current_dir(folder.path())
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it runs");
    let mut lines = BufReader::new(server.stdout.take().expect("a pipe")).lines();
    let first = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await;
    let first = first.expect("it starts").expect("text").expect("a line");
    assert_eq!(first, "Reports: the thrift port is closed (port = 0)");
    let second = lines.next_line().await.expect("text").expect("a line");
    assert!(second.contains("/thrift (flawless projects shows the key)"), "{second}");
}

/// Runs `flawless projects keys` on the data of a running server.
fn keys(app: &App, arguments: &[&str]) -> Output {
    let conf = app.conf();
    let all = [&["projects", "keys"], arguments, &["-conf", &conf]].concat();
    flawless(app.folder.path(), &all)
}

fn listed(app: &App) -> Vec<Value> {
    let lines = stdout(&keys(app, &["list", "--json"]));
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

async fn send(app: &App, key: &str) -> Result<String, String> {
    let mut client = ThriftClient::connect(app.thrift_address()).await;
    let frame = ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
    let mut report = request(&[frame]);
    report.traceback[0].frame_locals = Some([("sent_to".into(), format!("x {key} x"))].into());
    client.record_error(&RecordErrorRequest { project_key: Some(key.to_owned()), ..report }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn key_is_replaced_without_a_restart_and_the_older_one_switched_off() {
    let app = App::start().await;
    let first = app.server.app.now().project.keys[0].secret.reveal().to_owned();
    let rotated = stdout(&keys(&app, &["rotate"]));
    let second = listed(&app)[1]["key"].as_str().expect("a key").to_owned();
    assert!(rotated.contains(&format!("key      {second}")), "{rotated}");
    assert!(rotated.contains(&format!("http://{second}@")), "{rotated}");
    assert!(rotated.contains(&format!("keys disable {first} -conf")), "{rotated}");
    wait_until("the new key is accepted", async || send(&app, &second).await.is_ok()).await;
    send(&app, &first).await.expect("the older key works still");
    assert!(app.server.dsn().expect("an address").contains(&second), "new programs get it");
    app.settle().await;
    let (_, sample) = app.server.app.store.newest_sample(1).await.expect("store").expect("one");
    let stored = format!("{:?}", sample.report);
    assert!(!stored.contains(&first) && !stored.contains(&second), "keys are secrets: {stored}");

    let off = stdout(&keys(&app, &["disable", &first[..6]]));
    assert_eq!(off, format!("{first} is switched off\n"));
    wait_until("the older key is refused", async || {
        send(&app, &first).await.is_err_and(|why| why.contains("its key was switched off"))
    })
    .await;
    send(&app, &second).await.expect("the other one works");
    wait_until("Health says so", async || {
        app.get("/check_health").await.1.contains("project key switched off")
    })
    .await;
    let only = keys(&app, &["disable", &second]);
    assert!(stderr(&only).contains("the only key that works"), "{}", stderr(&only));

    stdout(&keys(&app, &["enable", &first]));
    wait_until("it works again", async || send(&app, &first).await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_listed_with_their_labels_and_named_by_their_digits() {
    let app = App::start().await;
    let added = stdout(&keys(&app, &["add", "--label", "billing"]));
    assert!(added.starts_with("key      "), "{added}");
    let all = listed(&app);
    assert_eq!((all.len(), &all[0]["label"], &all[1]["label"]), (2, &"".into(), &"billing".into()));
    assert_eq!(all[1]["disabled_at"], Value::Null);
    let second = all[1]["key"].as_str().expect("a key");
    stdout(&keys(&app, &["disable", second]));
    let text = stdout(&keys(&app, &["list"]));
    assert!(text.contains("works\n") && text.contains("switched off 20"), "{text}");
    assert!(text.lines().any(|line| line.starts_with(second) && line.ends_with("billing")));
    let shown = stdout(&keys(&app, &["list", "--json"]));
    assert_eq!(shown.lines().count(), 2);
    for (wrong, why) in [
        (&["disable", "zz"][..], "no key begins with \"zz\""),
        (&["disable", ""], "too short to name one key"),
        (&["disable", &second[..2]], "too short to name one key"),
        (&["add", "--label", "two\nlines"], "a label has at most 60 characters"),
        (&["add", "--label", &"x".repeat(61)], "a label has at most 60 characters"),
    ] {
        let output = keys(&app, wrong);
        assert_eq!(output.status.code(), Some(1), "{wrong:?}");
        assert!(stderr(&output).contains(why), "{wrong:?}: {}", stderr(&output));
    }
    let conf = app.conf();
    let list = flawless(app.folder.path(), &["projects", "list", "--json", "-conf", &conf]);
    let project: Value = serde_json::from_str(&stdout(&list)).expect("JSON");
    assert_eq!(project["keys"].as_array().map(Vec::len), Some(1), "only those that work");
}
