//! Rules of older installations: pages and data of 0.4.5, made by its own code, and files of the
//! first Flawless.
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::harness::{flawless, python, stderr, stdout};

const KEYS: [&str; 7] = [
    "known_errors",
    "building_blocks",
    "third_party_whitelist",
    "ignored_exceptions",
    "watch_list",
    "disownership_list",
    "email_remapping",
];

/// The folder of a server of 0.4.5 with some rules.
fn older_server() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/rules/older/fill.py");
    let mut command = Command::new(python());
    let output = command.arg(script).arg(folder.path()).args(KEYS).output().expect("it runs");
    assert!(output.status.success(), "{}", stderr(&output));
    folder
}

fn import(folder: &Path, key: &str, file: &str) -> std::process::Output {
    flawless(folder, &["rules", "import", key, file, "--set", "data_dir_path=new"])
}

/// The entries of all lists, without their numbers.
fn entries(folder: &Path) -> Vec<Value> {
    let lists = KEYS.map(|key| {
        stdout(&flawless(folder, &["rules", "list", key, "--json", "--set", "data_dir_path=new"]))
    });
    let entry = |line: &str| {
        let mut entry: Value = serde_json::from_str(line).expect("JSON");
        entry.as_object_mut().expect("an object").remove("id");
        entry
    };
    lists.iter().flat_map(|list| list.lines()).map(entry).collect()
}

fn expected() -> Vec<Value> {
    let code = r#"if a < b and c > d: raise Wrong("<br />", "&amp;", "\\", "ß")"#;
    vec![
        json!({
            "filename": "shop/cart.py",
            "function_name": "total",
            "code_fragment": "return sum(prices) / len(prices)",
            "min_alert_threshold": 5,
            "max_alert_threshold": 100,
            "alert_every_n_occurrences": 10,
            "email_recipients": ["ann@example.com", "ben@example.com"],
            "email_header": "Look at <b>this</b>\nfirst & \"soon\"",
        }),
        json!({"filename": "shop/web.py", "code_fragment": code}),
        json!({"filename": "building_blocks.py", "function_name": "run"}),
        json!({"filename": "third_party_whitelist.py", "function_name": "run"}),
        json!({"filepath": "shop", "email": "w@example.com", "watch_all_errors": true}),
        json!({"filepath": "shop/old", "email": "ann@example.com",
               "designated_email": "ben@example.com"}),
        json!({"old_email": "jon", "new_email": "jon@example.com"}),
    ]
}

#[test]
fn pages_of_0_4_5_are_imported_as_it_sends_them() {
    let folder = older_server();
    for key in KEYS {
        stdout(&import(folder.path(), key, &format!("{key}.html")));
    }
    assert_eq!(entries(folder.path()), expected());
}

#[test]
fn page_saved_by_a_browser_is_imported_if_rules_are_intact() {
    let folder = older_server();
    // A page as browsers save it in full.
    let saved = |key: &str| {
        let path = folder.path().join(format!("{key}.html"));
        let page = std::fs::read_to_string(&path).expect("a page");
        let escaped = page.replace(" & ", " &amp; ").replace("a < b", "a &lt; b");
        std::fs::write(path, escaped.replace("<br />", "<br>")).expect("written");
    };
    saved("email_remapping");
    stdout(&import(folder.path(), "email_remapping", "email_remapping.html"));
    assert_eq!(entries(folder.path()), expected()[6..]);
    saved("known_errors");
    let refused = import(folder.path(), "known_errors", "known_errors.html");
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("markup. Fetch it as it is sent: curl"), "{refused:?}");
}

#[test]
fn data_of_a_stopped_0_4_5_is_named_with_lines_to_print_it() {
    let folder = older_server();
    for key in KEYS {
        let refused = import(folder.path(), key, "flawless-whitelists-config");
        assert_eq!(refused.status.code(), Some(1));
        let message = stderr(&refused);
        assert!(message.contains("is a Python pickle"), "{message}");
        let script = &message[message.find("python -c").expect("the lines")..];
        assert_eq!(script.trim().lines().count(), 5, "three lines of Python: {script}");
        let older: PathBuf = python().parent().expect("a folder").to_owned();
        let done = Command::new("sh")
            .args(["-c", script])
            .current_dir(folder.path())
            .env("PATH", format!("{}:/usr/bin:/bin", older.display()))
            .output()
            .expect("it runs");
        assert!(done.status.success(), "{}", stderr(&done));
        stdout(&import(folder.path(), key, &format!("{key}.json")));
    }
    assert_eq!(entries(folder.path()), expected());
}

#[test]
fn files_of_the_first_flawless_are_imported_without_comments() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path();
    let known = r#"[
      " Errors that are expected:",
      "",
      {"filename": "shop/cart.py", "function_name": "total", "code_fragment": null,
       "alert_every_n_occurences": 10, "email_recipients": ["ann@example.com"]},
      " This one is never told:",
      {"max_alert_threshold": 0, "filename": "shop/web.py"}
    ]"#;
    for (key, file, text, said) in [
        ("known_errors", "known_errors", known, "2 entries added, 0 were there already, 3"),
        (
            "watch_list",
            "watched_files",
            r#"[" Who:", {"email": "w@example.com", "filepath": "shop", "watch_all_errors": false}]"#,
            "1 entry added, 0 were there already, 1 comment was left out",
        ),
        (
            "email_remapping",
            "email_remapping",
            r#"[" To:", {"remap": "jon", "to": "jon@example.com"}]"#,
            "1 entry added",
        ),
        ("building_blocks", "building_blocks", r#"["", " none"]"#, "0 entries added"),
    ] {
        std::fs::write(path.join(file), text).expect("written");
        let output = stdout(&import(path, key, file));
        assert!(output.contains(said), "{output}");
    }
    let expected = [
        json!({"filename": "shop/cart.py", "function_name": "total",
               "alert_every_n_occurrences": 10, "email_recipients": ["ann@example.com"]}),
        json!({"filename": "shop/web.py", "max_alert_threshold": 0}),
        json!({"filepath": "shop", "email": "w@example.com", "watch_all_errors": false}),
        json!({"old_email": "jon", "new_email": "jon@example.com"}),
    ];
    assert_eq!(entries(path), expected);
}
