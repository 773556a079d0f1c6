//! The project's key, which is made once and shown on request, and the older port, which can be
//! closed.
use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};

use crate::harness::{App, flawless, stderr, stdout};

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
    assert_eq!(first["dsn"], format!("http://{key}@127.0.0.1:8080/default"));
    let named = "data_dir_path = data\nhostname = https://errors.example.com/flawless/";
    let again = projects(folder.path(), named);
    assert_eq!(again["dsn"], format!("https://{key}@errors.example.com/flawless/default"));
    let everywhere = projects(folder.path(), "data_dir_path = data\nhttp_host = 0.0.0.0");
    let dsn = everywhere["dsn"].as_str().expect("a name of this machine");
    assert!(dsn.ends_with(":8080/default") && !dsn.contains("0.0.0.0"), "{dsn}");
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
    let key = app.server.app.project.keys[0].clone();
    assert_eq!(before, format!("http://{}@{}/default", key.reveal(), app.server.http_address));
    let app = app.restart().await;
    assert_eq!(app.server.app.project.keys, [key]);
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
