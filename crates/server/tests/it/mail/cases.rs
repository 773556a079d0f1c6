//! Mails about programs that really fail, as people get them. Each is kept in `target/mails`,
//! from which `docs/mails/render` makes pictures.
use std::path::PathBuf;
use std::process::Command;

use crate::harness::{
    ANN, App, AppBuilder, BEN, CLEO, Mail, Person, TestRepository, add_rule, python_with_package,
    request, wait_until,
};

const BOT: Person = ("dependabot[bot]", "49699333+dependabot[bot]@users.noreply.github.com");

const GATEWAY_KEY: &str = "gk-1f2e3d4c5b6a";

/// The shop: the invoices are Ann's, payments and imports Ben's, the rest Cleo's.
pub fn shop() -> TestRepository {
    let repository = TestRepository::empty();
    let commit = |who, day, message: &str, path: &str, text: &str| {
        repository.commit(who, day, message, &[(path, text)])
    };
    commit(
        CLEO,
        "2026-01-12",
        "a program that runs the others",
        "run.py",
        include_str!("cases/run.py"),
    );
    commit(CLEO, "2026-01-12", "shop: a package", "shop/__init__.py", "");
    let invoices = include_str!("cases/invoices.py");
    commit(ANN, "2026-03-02", "invoices: print the average price", "shop/invoices.py", invoices);
    let payments = include_str!("cases/payments.py");
    commit(
        BEN,
        "2026-04-20",
        "payments: charge in the currency of the customer",
        "shop/payments.py",
        payments,
    );
    commit(CLEO, "2026-05-04", "web: pay an order", "shop/web.py", include_str!("cases/web.py"));
    commit(
        CLEO,
        "2026-06-08",
        "sync: ask all warehouses at once",
        "shop/sync.py",
        include_str!("cases/sync.py"),
    );
    commit(
        BEN,
        "2026-09-14",
        "imports: suppliers' lists",
        "shop/imports.py",
        include_str!("cases/imports.py"),
    );
    repository
}

fn notified() -> AppBuilder {
    App::with("hostname", "https://errors.example.com").repository(shop())
}

/// Runs a function of the shop in a real Python, with the package of this repository.
async fn run(app: &App, arguments: &[&str]) {
    let mut program = Command::new(python_with_package());
    program.args(arguments).current_dir(app.repository.dir());
    // `hostname` names the address for clients; the test server has another one.
    let dsn = app.server.dsn().expect("an address");
    let key = dsn.split(['/', '@']).nth(2).expect("a key").to_owned();
    program.env("FLAWLESS_DSN", format!("http://{key}@{}/default", app.server.http_address));
    program.env("PYTHONDONTWRITEBYTECODE", "1").env("GATEWAY_KEY", GATEWAY_KEY);
    let output = tokio::task::spawn_blocking(move || program.output()).await.expect("no panic");
    let output = output.expect("python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The only mail of a case, kept for the pictures.
async fn one_mail(app: &App, case: &str, to: &str) -> Mail {
    let mail = app.one_mail().await;
    assert_eq!(mail.to, to, "{}", mail.text);
    keep(app, case, &mail);
    mail
}

fn keep(app: &App, case: &str, mail: &Mail) {
    assert_eq!(mail.defects(), "");
    assert!(mail.raw.len() < 90_000, "{} bytes", mail.raw.len());
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/mails"));
    std::fs::create_dir_all(&folder).expect("made");
    let outside = |name: &str| format!("{name}: {}\n", mail.header(name));
    let headers: String = ["from", "to", "subject", "list-id"].map(outside).concat();
    // Paths as on a machine that people deploy to.
    let python = python_with_package();
    let venv = python.parent().and_then(|bin| bin.parent()).expect("a folder");
    let venv = venv.canonicalize().expect("it exists");
    let standard = std::fs::canonicalize(&python).expect("it exists");
    let standard = standard.parent().and_then(|bin| bin.parent()).expect("a folder");
    let places = [
        (app.repository.dir().display().to_string(), "/srv/shop"),
        (venv.display().to_string(), "/srv/venv"),
        (standard.display().to_string(), "/usr"),
    ];
    let write = |kind: &str, text: &str| {
        let text = places.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        std::fs::write(folder.join(format!("{case}.{kind}")), text).expect("written");
    };
    write("html", &mail.html);
    write("txt", &format!("{headers}\n{}", mail.text));
}

fn expect_all(mail: &Mail, expected: &[&str]) {
    for part in expected {
        assert!(mail.says(part), "{part:?} is missing in\n{}", mail.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn job_divides_by_zero() {
    let app = notified().start().await;
    run(&app, &["run.py", "shop.invoices", "print_invoice"]).await;
    let mail = one_mail(&app, "01-zero-division", ANN.1).await;
    assert_eq!(mail.subject, "ZeroDivisionError in average_price (shop/invoices.py)");
    let beside = "return \"%.2f %s\" % (total / count, currency)\n       |     count = 0\n";
    expect_all(&mail, &[beside, "total = 0.0", "customer = 'ACME Ltd.'", "Your commit "]);
}

#[tokio::test(flavor = "multi_thread")]
async fn web_request_fails_with_a_cause() {
    let app = notified().start().await;
    run(&app, &["-c", "from shop.web import main; main()"]).await;
    let mail = one_mail(&app, "02-web-request", BEN.1).await;
    expect_all(
        &mail,
        &["Caused by:", "KeyError('CHF')", "POST /pay?from=cart", "order = {'id': 4711"],
    );
    for secret in [GATEWAY_KEY, "4111", "abcdefghij"] {
        assert!(!mail.text.contains(secret) && !mail.html.contains(secret), "{secret}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_fail_together() {
    let app = notified().start().await;
    run(&app, &["run.py", "shop.sync", "main", "sync-02"]).await;
    let mail = one_mail(&app, "03-exception-group", CLEO.1).await;
    // Both failed at one line; the group only carried them.
    expect_all(
        &mail,
        &["Occurred 2 times", "Carried here by:", "ExceptionGroup('unhandled errors"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn long_values_are_shortened() {
    let app = notified().start().await;
    run(&app, &["run.py", "shop.imports", "main", "import-01"]).await;
    let mail = one_mail(&app, "04-long-values", BEN.1).await;
    expect_all(&mail, &["record = {", "'price': 'on request'", "(27935 characters)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn failure_that_blames_nobody() {
    let app = notified().start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("nightly.py");
    let text = "import flawless\nfrom flawless.client.decorators import wrap_function\n\n\
                def nightly(day):\n    return {}['report-%s' % day]\n\n\
                flawless.init(hostname='cron-01')\ntry:\n    wrap_function(nightly)('2026-11-22')\n\
                except KeyError:\n    pass\nflawless.flush(10)\n";
    std::fs::write(&script, text).expect("written");
    run(&app, &[&script.display().to_string()]).await;
    let mail = one_mail(&app, "05-nobody-to-blame", "team@example.com").await;
    expect_all(&mail, &["Nobody is blamed: no frame of the traceback is a file of the repository"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn known_error_is_notified_by_its_threshold_with_its_header() {
    let app = notified().start().await;
    let rule = r#"{"filename": "shop/invoices.py", "min_alert_threshold": 1,
        "email_header": "Orders without items come from the old till.\nRunbook: https://wiki.example.com/till"}"#;
    add_rule(&app, "known_errors", rule).await;
    run(&app, &["run.py", "shop.invoices", "print_invoice", "till-04"]).await;
    let mail = one_mail(&app, "06-known-error", ANN.1).await;
    assert!(mail.text.starts_with("Orders without items come from the old till.\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn fixed_error_regresses() {
    let app = notified().start().await;
    run(&app, &["run.py", "shop.invoices", "print_invoice"]).await;
    assert_eq!(app.one_mail().await.to, ANN.1);
    app.later();
    let invoices = include_str!("cases/invoices.py");
    let line = "    return \"%.2f %s\" % (total / count, currency)\n";
    let resolved =
        invoices.replace(line, "    return \"%.2f %s\" % (total / (count or 1), currency)\n");
    assert_ne!(resolved, invoices);
    let hint = app.repository.commit(
        ANN,
        "2026-10-01",
        "invoices: none without items",
        &[("shop/invoices.py", &resolved)],
    );
    // Another error shows that the next revision runs.
    run(&app, &["run.py", "shop.sync", "main", "sync-02"]).await;
    let store = &app.server.app.store;
    wait_until("the issue is resolved", async || {
        let issue = store.issue(1).await.expect("store").expect("an issue");
        issue.resolved_by.as_deref() == Some(hint.as_str())
    })
    .await;
    app.server.app.rules.refresh(store).await.expect("store");
    app.later();
    app.repository.commit(
        CLEO,
        "2026-10-08",
        "invoices: faster",
        &[("shop/invoices.py", invoices)],
    );
    run(&app, &["run.py", "shop.invoices", "print_invoice"]).await;
    let mails = app.mails().await;
    let mail = mails.iter().find(|mail| mail.subject.starts_with("Regression: ")).expect("again");
    assert_eq!(mail.to, CLEO.1);
    keep(&app, "07-regression", mail);
    expect_all(mail, &["REGRESSION. Fixed by ", "(“invoices: none without items” by Ann Archer)"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn week_is_over() {
    let app = notified().with("weekly_report", "Monday").start().await;
    run(&app, &["run.py", "shop.invoices", "print_invoice"]).await;
    app.settle().await;
    app.later();
    let invoices = include_str!("cases/invoices.py");
    let resolved = invoices.replace("total / count,", "total / (count or 1),");
    let files = [("shop/invoices.py", resolved.as_str())];
    let hint = app.repository.commit(ANN, "2026-11-22", "invoices: none without items", &files);
    for line in [12, 17, 25] {
        let text = include_str!("cases/payments.py").lines().nth(line - 1).expect("a line");
        let at = i64::try_from(line).expect("short");
        let mut report = request(&[("/srv/shop/payments.py", at, "charge", text)]);
        report.revision = Some(hint.clone());
        app.report(&report).await;
    }
    let store = &app.server.app.store;
    wait_until("the issue is resolved", async || {
        let issue = store.issue(1).await.expect("store").expect("an issue");
        issue.resolved_by.as_deref() == Some(hint.as_str())
    })
    .await;
    app.settle().await;
    app.clock.advance(24 * 3_600_000);
    wait_until("the weekly report is sent", async || {
        app.smtp.mails().iter().filter(|mail| mail.subject.starts_with("Your week")).count() == 2
    })
    .await;
    let mails = app.mails().await;
    let mut of_week = mails.iter().filter(|mail| mail.subject.starts_with("Your week"));
    let ann = of_week.find(|mail| mail.to == ANN.1).expect("Ann's");
    expect_all(ann, &["1 resolved", "invoices: none without items"]);
    let ben = mails.iter().find(|mail| mail.to == BEN.1 && mail.subject.starts_with("Your week"));
    keep(&app, "11-weekly", ben.expect("Ben's"));
}

#[tokio::test(flavor = "multi_thread")]
async fn outage_raises_many_errors_at_once() {
    let app = notified().start().await;
    run(&app, &["run.py", "shop.imports", "main", "import-01"]).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    // The database is down: every query fails.
    let payments = include_str!("cases/payments.py");
    let lines = payments
        .lines()
        .enumerate()
        .filter(|(_, line)| line.starts_with("    ") && !line.contains("\"\"\""));
    for (at, line) in lines {
        let at = i64::try_from(at).expect("short") + 1;
        let mut report = request(&[("/srv/shop/payments.py", at, "charge", line)]);
        report.exception_type = Some("psycopg.OperationalError".into());
        report.exception_message = Some("OperationalError('connection refused')".into());
        app.report(&report).await;
    }
    app.settle().await;
    app.later();
    let mails = app.mails().await;
    let mail = mails.iter().find(|mail| mail.subject.contains(" issues: ")).expect("a summary");
    assert_eq!((mails.len(), mail.to.as_str()), (2, BEN.1));
    keep(&app, "08-digest", mail);
}

#[tokio::test(flavor = "multi_thread")]
async fn human_behind_a_bot_reads_why() {
    let app = notified().start().await;
    let invoices = include_str!("cases/invoices.py");
    let bumped = invoices.replace("total / count, currency)", "total / count, currency.upper())");
    let message = "invoices: currencies in capitals\n\nCo-authored-by: Ben Baker <ben@example.com>";
    app.repository.commit(BOT, "2026-07-01", message, &[("shop/invoices.py", &bumped)]);
    let reindented = bumped.replace("\n    return \"%.2f", "\n    return  \"%.2f");
    let format = app.repository.commit(
        CLEO,
        "2026-07-02",
        "format all",
        &[("shop/invoices.py", &reindented)],
    );
    app.repository.commit(
        CLEO,
        "2026-07-02",
        "ignore the formatting",
        &[(".git-blame-ignore-revs", &format)],
    );
    run(&app, &["run.py", "shop.invoices", "print_invoice"]).await;
    let mail = one_mail(&app, "09-behind-a-bot", BEN.1).await;
    expect_all(&mail, &["co-author Ben Baker <ben@example.com> is blamed", "dependabot[bot]"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_owner_and_a_watcher_are_notified() {
    let app = notified().with("mail_locals", "names").start().await;
    let reassigned = r#"{"email": "ann@example.com", "filepath": "shop",
        "designated_email": "dora@example.com"}"#;
    add_rule(&app, "disownership_list", reassigned).await;
    let watch = r#"{"email": "wanda@example.com", "filepath": "shop/invoices.py"}"#;
    add_rule(&app, "watch_list", watch).await;
    run(&app, &["run.py", "shop.invoices", "print_invoice"]).await;
    let mails = app.mails().await;
    let [dora, wanda] = &mails[..] else { panic!("{mails:#?}") };
    assert_eq!((dora.to.as_str(), wanda.to.as_str()), ("dora@example.com", "wanda@example.com"));
    keep(&app, "10-reassigned", dora);
    expect_all(dora, &["reassigned for shop: ann@example.com → dora@example.com"]);
    assert!(!dora.text.contains("ACME"), "names only: {}", dora.text);
}
