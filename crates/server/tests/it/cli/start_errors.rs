//! An error at the start is one paragraph: what is wrong, where it was set, and a hint.
use std::path::Path;
use std::process::Command;

use crate::harness::{flawless, python, stderr};

/// Starts with a configuration that cannot work; returns the message.
fn start(folder: &Path, config: &str) -> String {
    std::fs::write(folder.join("f.cfg"), format!("[flawless]\n{config}\n")).expect("written");
    let output = flawless(folder, &["start", "-conf", "f.cfg"]);
    assert_eq!(output.status.code(), Some(1), "{config}: {}", stderr(&output));
    let message = stderr(&output);
    assert_eq!(message.trim_end().lines().count(), 1, "one paragraph: {message}");
    message
}

#[test]
fn wrong_values_are_named_with_file_line_and_hint() {
    let folder = tempfile::tempdir().expect("a folder");
    for (config, expected) in [
        ("prot = 1", ["f.cfg:2", "unknown option \"prot\"", "Did you mean port?"]),
        ("\nport = many", ["f.cfg:3: port", "\"many\" is not a port", "0 to 65535, or any"]),
        ("http_port = 70000", ["f.cfg:2: http_port", "\"70000\" is not a port", "for a free one"]),
        ("smtp_use_tls = perhaps", ["f.cfg:2: smtp_use_tls", "not a boolean", "True or False"]),
        (
            "repo_branch_pattern = (",
            ["f.cfg:2: repo_branch_pattern", "not a regular expression", "Python-style"],
        ),
        ("only_blame_filepaths_matching = ok, [", ["f.cfg:2: only_blame", "\"[\"", "Python-style"]),
        ("path_prefixes = /srv/app=../up", ["f.cfg:2: path_prefixes", "../up", "FOLDER=PART"]),
        ("blame_frame = outermost", ["f.cfg:2: blame_frame", "outermost", "likely, innermost"]),
        (
            "report_only_after_minimum_date = soon",
            ["f.cfg:2: report_only", "not a date", "YYYY-MM-DD"],
        ),
        (
            "default_contact = nobody",
            ["f.cfg:2: default_contact", "not a mail address", "dev@example.com"],
        ),
        ("smtp_host = mail:x", ["f.cfg:2: smtp_host", "no valid port", "HOST:PORT"]),
        ("\n[shop]\nrepo_dir = .", ["f.cfg:3", "[shop] is not [flawless]", "single projects"]),
        ("[DEFAULT]", ["f.cfg:2", "[DEFAULT] is not [flawless]", "below [flawless]"]),
        ("hostname = ::", ["f.cfg:2: hostname", "not a web address", "http://"]),
        ("timezone = Mars/Base", ["f.cfg:2: timezone", "Mars/Base", "Europe/Berlin"]),
        ("log_level = LOUD", ["f.cfg:2: log_level", "LOUD", "DEBUG, INFO"]),
        (
            "smtp_password_file = /nowhere/x\nsmtp_user = u",
            ["f.cfg:2: smtp_password_file", "cannot be read", "only the secret"],
        ),
        (
            "redact_names = pin(",
            ["f.cfg:2: redact_names", "\"pin(\" is not a regular", "Python-style"],
        ),
        ("redact_values = [", ["f.cfg:2: redact_values", "\"[\" is not a regular", "Python-style"]),
        ("redact_off = jtw", ["f.cfg:2: redact_off", "no rule \"jtw\"", "jwt"]),
        (
            "encrypt_samples = True",
            ["f.cfg:2: encrypt_samples", "FLAWLESS_SAMPLE_KEY is not set", "openssl rand -hex 32"],
        ),
        (
            "repo_web_url = svn https://h/x",
            ["f.cfg:2: repo_web_url", "begin with a kind of forge", "gitea"],
        ),
        (
            "http_host = 0.0.0.0\nauth = off",
            ["f.cfg:3: auth", "0.0.0.0, which others", "127.0.0.1"],
        ),
        (
            "administrators = ann",
            ["f.cfg:2: administrators", "\"ann\" is not a mail", "dev@example"],
        ),
        (
            "allowed_email_domains = a b",
            ["f.cfg:2: allowed_email_d", "not a domain", "example.com"],
        ),
        ("default_role = boss", ["f.cfg:2: default_role", "boss", "reader, developer, admin"]),
        ("session_days = 401", ["f.cfg:2: session_days", "401 is more than", "up to 400"]),
        (
            "oidc_issuer = http://id.example.com",
            ["f.cfg:2: oidc_issuer", "not an https", "https://"],
        ),
        ("oidc_issuer = https://id.example.com", ["f.cfg:2: oidc_issuer", "client_id", "Register"]),
        ("oidc_client_secret = x", ["f.cfg:2: oidc_client_s", "no oidc_issuer", "leave this out"]),
        ("proxy_user_header = X-User", ["f.cfg:2: proxy_user", "no proxy is trusted", "127.0.0.1"]),
        ("trusted_proxies = 0.0.0.0/0", ["f.cfg:2: trusted", "is everybody", "10.0.0.0/24"]),
        ("trusted_proxies = proxy", ["f.cfg:2: trusted", "not an address or network", "10.0.0.7"]),
        ("memory_limit = 1000000", ["f.cfg:2: memory_limit", "too little", "at least 16777216"]),
        ("new_issues_per_day = few", ["f.cfg:2: new_issues", "not a whole number", "digits only"]),
        ("repo_url = --upload-pack=x", ["f.cfg:2: repo_url", "not the address", "https://"]),
    ] {
        let message = start(folder.path(), config);
        for part in expected {
            assert!(message.contains(part), "{part:?} is missing in {message}");
        }
    }
    let missing = flawless(folder.path(), &["start", "-conf", "none.cfg"]);
    assert!(stderr(&missing).contains("flawless configure"), "{}", stderr(&missing));
    assert_eq!(flawless(folder.path(), &["start", "--nonsense"]).status.code(), Some(2));
}

#[test]
fn used_port_and_unwritable_folder_stop_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port();
    let message =
        start(folder.path(), &format!("host = 127.0.0.1\nport = {port}\ndata_dir_path = d"));
    assert!(message.contains("f.cfg:3: port") && message.contains("in use"), "{message}");
    std::fs::write(folder.path().join("file"), "").expect("written");
    let message = start(folder.path(), "port = any\nhttp_port = 0\ndata_dir_path = file/data");
    assert!(message.contains("data_dir_path") && message.contains("file/data"), "{message}");
}

#[test]
fn missing_repository_and_damaged_database_stop_the_start() {
    let folder = tempfile::tempdir().expect("a folder");
    let base = "port = any\nhttp_port = 0\ndata_dir_path = data";
    let message = start(folder.path(), &format!("{base}\nrepo_dir = nowhere"));
    assert!(message.contains("f.cfg:5: repo_dir") && message.contains("is not a git repository"));
    std::fs::create_dir(folder.path().join("data")).expect("made");
    std::fs::write(folder.path().join("data/flawless.db"), "not a database".repeat(500))
        .expect("written");
    let message = start(folder.path(), base);
    assert!(message.contains("flawless.db cannot be used as a database"), "{message}");
    let issues = flawless(folder.path(), &["issues", "--set", "data_dir_path=elsewhere"]);
    assert!(
        stderr(&issues).contains("no server has run with this data folder"),
        "{}",
        stderr(&issues)
    );
}

#[test]
fn database_of_a_newer_program_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let rules = ["rules", "list", "known_errors", "--set"];
    let set = format!("data_dir_path={}", data.display());
    assert!(flawless(folder.path(), &[&rules[..], &[&set]].concat()).status.success());
    let script = "import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute(\"INSERT INTO _sqlx_migrations VALUES (9999, 'future', '2030-01-01', 1, X'00', 1)\")";
    let status = Command::new(python()).args(["-c", script]).arg(data.join("flawless.db")).status();
    assert!(status.expect("python").success());
    let message = start(folder.path(), "port = any\nhttp_port = 0\ndata_dir_path = data");
    assert!(message.contains("newer Flawless (schema 9999"), "{message}");
}

#[test]
fn check_names_every_problem_with_a_hint() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("f.cfg"),
        "[flawless]\nsmtp_host = 127.0.0.1:1\nrepo_dir = /nowhere\ndata_dir_path = d\n\
         hostname = http://flawless.example.com\nhttp_port = 9876\n",
    )
    .expect("written");
    let output = flawless(folder.path(), &["check", "-conf", "f.cfg"]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for expected in [
        "ok       store",
        "PROBLEM  repository: f.cfg:3: repo_dir",
        "PROBLEM  mail server: f.cfg:2: smtp_host",
        "missing  no default_contact",
        "note     pages: f.cfg:5: hostname",
        "write http://flawless.example.com:9876",
    ] {
        assert!(text.contains(expected), "{expected:?} is missing in\n{text}");
    }
}
