//! Third-party clients, in programs that really fail, with the whole server behind them: from
//! an exception to the mail.
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::harness::{ANN, App, BEN, CLEO, Mail, NOW, TestRepository, python_with_package};

/// Packages that `./test` has set up.
pub(super) fn packages(folder: &str) -> PathBuf {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target")).join(folder);
    assert!(folder.exists(), "{} is missing: run ./test once, it sets it up", folder.display());
    folder.canonicalize().expect("a path")
}

/// Runs a program of a clone of the repository that has moved on since, and returns the only mail.
async fn mail_of(program: &str, set_up: impl FnOnce(&Path) -> Command) -> Mail {
    let repository = TestRepository::empty();
    let programs = [
        ("plain.py", include_str!("programs/plain.py")),
        ("grouped.py", include_str!("programs/grouped.py")),
        ("in_django.py", include_str!("programs/in_django.py")),
        ("in_fastapi.py", include_str!("programs/in_fastapi.py")),
        ("in_celery.py", include_str!("programs/in_celery.py")),
        ("plain.js", include_str!("programs/plain.js")),
        ("throwing.js", include_str!("programs/throwing.js")),
        ("plain.rb", include_str!("programs/plain.rb")),
        ("otel.py", include_str!("programs/otel.py")),
        ("otel.js", include_str!("programs/otel.js")),
        ("with_airbrake.py", include_str!("programs/with_airbrake.py")),
        ("with_airbrake.js", include_str!("programs/with_airbrake.js")),
        ("with_rollbar.py", include_str!("programs/with_rollbar.py")),
        ("with_rollbar.js", include_str!("programs/with_rollbar.js")),
        ("with_raven.py", include_str!("programs/with_raven.py")),
    ];
    repository.commit(ANN, "2026-03-02", "programs", &programs);
    let carts = [
        ("shop/__init__.py", ""),
        ("shop/cart.py", "def total(prices):\n    return sum(prices) / len(prices)\n"),
        (
            "shop/cart.js",
            "function total(prices) {\n  return prices.length;\n}\n\nfunction find(stock, article) {\n  \
             if (!stock[article]) throw new Error(`no ${article}`);\n  return stock[article];\n}\n\n\
             module.exports = { total, find };\n",
        ),
        (
            "shop/cart.rb",
            "module Cart\n  def self.total(prices)\n    7 / prices.size\n  end\nend\n",
        ),
    ];
    let revision = repository.commit(BEN, "2026-05-18", "carts", &carts);
    let folder: TempDir = tempfile::tempdir().expect("a folder");
    repository.git(&["clone", "--quiet", ".", &folder.path().display().to_string()]);
    // By the newest commit all of it is Cleo's: it was away, and is there again.
    repository.commit(CLEO, "2026-06-01", "away with them", &carts.map(|(path, _)| (path, "")));
    repository.commit(CLEO, "2026-06-02", "back again", &carts);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let mut command = set_up(folder.path());
    command.current_dir(folder.path()).arg(program);
    let dsn = app.server.dsn().expect("an address");
    let key = dsn.split(['/', '@']).nth(2).expect("a key");
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", app.server.http_address));
    command.env("OTEL_EXPORTER_OTLP_HEADERS", format!("Authorization=Bearer%20{key}"));
    command.env("OTEL_RESOURCE_ATTRIBUTES", format!("vcs.ref.head.revision={revision}"));
    command.env("KEY", key).env("REVISION", &revision);
    command.env("HOST", app.server.http_address.to_string());
    command.env("DSN", dsn);
    if !program.ends_with(".py") {
        command.env("SENTRY_RELEASE", &revision);
    }
    let output = command.output().expect("it runs");
    println!("{}", String::from_utf8_lossy(&output.stderr));
    let issue = async || app.server.app.store.issues_between(0, NOW + 3_600_000).await;
    crate::harness::wait_until("an issue is there", async || {
        !issue().await.expect("store").is_empty()
    })
    .await;
    app.one_mail().await
}

fn python(folder: &Path) -> Command {
    python_at(&python_with_package(), folder)
}

/// The Python that the packages were installed with: some of them are compiled.
fn older_python(folder: &Path) -> Command {
    python_at(&crate::harness::python(), folder)
}

fn python_at(python: &Path, folder: &Path) -> Command {
    let mut command = Command::new(python);
    let packages = packages("clients-python");
    command.env("PYTHONPATH", format!("{}:{}", folder.display(), packages.display()));
    command.env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

fn node(_: &Path) -> Command {
    let mut command = Command::new("node");
    command.env("NODE_PATH", packages("clients-node").join("node_modules"));
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn python_programs_mail_who_last_changed_the_line_that_ran() {
    for (program, expected) in [
        ("plain.py", "ZeroDivisionError"),
        ("grouped.py", "ZeroDivisionError"),
        ("in_django.py", "/carts/{number}/"),
        ("in_fastapi.py", "/carts/{number}"),
        ("in_celery.py", "shop.price"),
    ] {
        let mail = mail_of(program, python).await;
        assert_eq!(mail.to, BEN.1, "{program}\n{}", mail.text);
        assert!(mail.text.contains("shop/cart.py"), "{program}\n{}", mail.text);
        assert!(mail.text.contains(expected), "{program}\n{}", mail.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn node_programs_mail_who_last_changed_the_line_that_ran() {
    let mail = mail_of("plain.js", node).await;
    assert_eq!(mail.to, BEN.1, "{}", mail.text);
    assert!(mail.text.contains("shop/cart.js") && mail.text.contains("TypeError"), "{}", mail.text);
    let mail = mail_of("throwing.js", node).await;
    assert_eq!(mail.to, ANN.1, "who called what throws\n{}", mail.text);
    assert!(mail.text.contains("throwing.js"), "{}", mail.text);
}

/// The first code below a heading of docs/clients/sdks.md, with the address of the test's server.
fn documented(heading: &str, address: &str) -> String {
    let docs = include_str!("../../../../../docs/clients/sdks.md");
    let section = docs.split("\n## ").find(|section| section.lines().next() == Some(heading));
    let code = section.and_then(|section| section.split("\n```").nth(1)).expect("a snippet");
    let (_, code) = code.split_once('\n').expect("a line");
    code.replace("\"http://KEY@flawless.example.com:8080/1\"", address)
}

#[tokio::test(flavor = "multi_thread")]
async fn snippets_of_the_docs_report() {
    for (program, heading, address, fails, set_up) in [
        (
            "documented.js",
            "Node",
            "process.env.DSN",
            "require('./shop/cart.js').total(undefined);",
            node as fn(&Path) -> Command,
        ),
        (
            "documented.rb",
            "Ruby",
            "ENV[\"DSN\"]",
            "begin\n  require_relative \"shop/cart\"\n  Cart.total([])\nrescue => error\n  \
             Sentry.capture_exception(error)\nend\nsleep 1",
            |_| Command::new("ruby"),
        ),
    ] {
        let code = format!("{}\n{fails}\n", documented(heading, address));
        let mail = mail_of(program, |folder| {
            std::fs::write(folder.join(program), &code).expect("it is written");
            set_up(folder)
        })
        .await;
        assert_eq!(mail.to, BEN.1, "{program}\n{}", mail.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ruby_program_mails_who_last_changed_the_line_that_ran() {
    let mail = mail_of("plain.rb", |_| Command::new("ruby")).await;
    assert_eq!(mail.to, BEN.1, "{}", mail.text);
    assert!(mail.text.contains("shop/cart.rb"), "{}", mail.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_with_opentelemetry_mail_who_last_changed_the_line_that_ran() {
    let mail = mail_of("otel.py", python).await;
    assert_eq!(mail.to, BEN.1, "{}", mail.text);
    // The exception left two spans and was logged, all in one trace.
    assert!(mail.says("Occurred once") && mail.says("shop/cart.py"), "{}", mail.text);
    let mail = mail_of("otel.js", node).await;
    assert_eq!(mail.to, BEN.1, "{}", mail.text);
    assert!(mail.says("shop/cart.js") && mail.says("TypeError"), "{}", mail.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_with_airbrake_rollbar_and_raven_mail_who_last_changed_the_line_that_ran() {
    for program in ["with_airbrake.py", "with_rollbar.py", "with_raven.py"] {
        let mail = mail_of(program, older_python).await;
        assert_eq!(mail.to, BEN.1, "{program}\n{}", mail.text);
        assert!(
            mail.says("shop/cart.py") && mail.says("ZeroDivisionError"),
            "{program}\n{}",
            mail.text
        );
    }
    for program in ["with_airbrake.js", "with_rollbar.js"] {
        let mail = mail_of(program, node).await;
        assert_eq!(mail.to, BEN.1, "{program}\n{}", mail.text);
        assert!(mail.says("shop/cart.js") && mail.says("TypeError"), "{program}\n{}", mail.text);
    }
}
