//! Which file a frame belongs to, and which of the project's own frames is blamed.
use serde_json::Value;

use crate::harness::{
    ANN, App, AppBuilder, BEN, CLEO, TestRepository, flawless_with_input, request, stdout,
};

/// The file and the rule of the innermost frame, as `flawless blame --json` prints them.
fn blamed_file(repository: &TestRepository, frame: &str, arguments: &[&str]) -> (Value, Value) {
    let traceback = format!("Traceback (most recent call last):\n{frame}\nValueError: no\n");
    let arguments = [&["blame", "--json"], arguments].concat();
    let output = stdout(&flawless_with_input(repository.dir(), &arguments, &traceback));
    let mut found: Value = serde_json::from_str(&output).expect("one line of JSON");
    let frame = &mut found["frame"];
    (frame["repo_path"].take(), frame["path_rule"].take())
}

#[test]
fn text_of_a_frame_decides_where_the_path_does_not() {
    let repository = TestRepository::shop();
    repository.commit(
        BEN,
        "2026-06-01",
        "tools",
        &[
            ("tools/shop-admin.py", "import shop\nshop.admin.run_all()\n"),
            (
                "web/util/text.py",
                "import re\n\ndef plain(text):\n    return re.sub('a', '', text)\n",
            ),
            (
                "api/util/text.py",
                "import re\n\ndef plain(text):\n    return re.sub('b', '', text)\n",
            ),
        ],
    );
    let head = repository.git(&["rev-parse", "HEAD"]);
    for (frame, expected) in [
        (
            "  File \"/srv/shop/web.py\", line 2, in handle\n    return cart.total()",
            "shop/web.py whole_path",
        ),
        (
            "  File \"/usr/bin/shop-admin\", line 2, in <module>\n    shop.admin.run_all()",
            "tools/shop-admin.py same_text",
        ),
        (
            "  File \"/usr/bin/shop-admin\", line 2, in <module>\n    shop.admin.run_none()",
            "null null",
        ),
        (
            "  File \"/srv/util/text.py\", line 4, in plain\n    return re.sub('b', '', text)",
            "api/util/text.py same_text",
        ),
        ("  File \"/srv/util/text.py\", line 1, in <module>\n    import re", "null null"),
    ] {
        let (path, rule) = blamed_file(&repository, frame, &["--rev", &head]);
        assert_eq!(format!("{path} {rule}").replace('"', ""), expected, "{frame}");
    }
}

#[test]
fn file_of_another_folder_must_have_the_line_in_what_runs() {
    let repository = TestRepository::empty();
    let content = "def total(prices):\n    return sum(prices)\n";
    let head = repository.commit(ANN, "2026-06-01", "cart", &[("src/shop/cart.py", content)]);
    let frame =
        |text: &str| format!("  File \"/usr/share/x/shop/cart.py\", line 2, in total\n    {text}");
    let file = |text: &str, arguments: &[&str]| blamed_file(&repository, &frame(text), arguments).0;
    assert_eq!(file("return sum(prices)", &["--rev", &head]), "src/shop/cart.py");
    assert_eq!(file("return max(prices)", &["--rev", &head]), Value::Null);
    assert_eq!(file("return max(prices)", &[]), "src/shop/cart.py", "the tip may not be what runs");
}

/// The shop with Cleo's `shop/db.py`, whose function `query` fails in several lines.
fn with_database() -> AppBuilder {
    let repository = TestRepository::shop();
    let db = "def query(sql):\n    connect(sql)\n    execute(sql)\n    return fetch_rows(sql)\n";
    repository.commit(CLEO, "2026-06-01", "db", &[("shop/db.py", db)]);
    App::with("report_error_threshold", "1").repository(repository)
}

const WEB: (&str, i64, &str, &str) = ("/srv/app/shop/web.py", 2, "handle", "return cart.total()");

fn query(line: i64, text: &str) -> (&str, i64, &str, &str) {
    ("/srv/app/shop/db.py", line, "query", text)
}

/// The recipients of the mails, sorted by address.
async fn recipients(app: &App) -> Vec<String> {
    app.settle().await;
    app.later();
    let mut recipients: Vec<String> = app.mails().await.into_iter().map(|mail| mail.to).collect();
    recipients.sort();
    recipients
}

#[tokio::test(flavor = "multi_thread")]
async fn hot_function_is_blamed_last_but_keeps_its_issues() {
    let app = with_database().start().await;
    app.report(&request(&[WEB, query(2, "connect(sql)")])).await;
    assert_eq!(recipients(&app).await, [CLEO.1]);
    let cart = ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
    app.report(&request(&[cart, query(3, "execute(sql)")])).await;
    assert_eq!(recipients(&app).await, [CLEO.1, CLEO.1]);
    let app = app.restart().await;
    // The same line through another caller, after its function has become a hot function.
    let other = ("/opt/server.py", 9, "serve", "handle(cart)");
    app.report(&request(&[other, WEB, query(2, "connect(sql)")])).await;
    assert_eq!(recipients(&app).await, [CLEO.1, CLEO.1], "a line keeps the issue that it has");
    let money = ("/srv/app/shop/money.py", 2, "add", "return a + b");
    app.report(&request(&[money, query(4, "return fetch_rows(sql)")])).await;
    assert_eq!(recipients(&app).await, [ANN.1, CLEO.1, CLEO.1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn innermost_frame_is_blamed_when_configured_so() {
    let app = with_database().with("blame_frame", "innermost").start().await;
    for frame in [query(2, "connect(sql)"), query(3, "execute(sql)")] {
        app.report(&request(&[WEB, frame])).await;
        app.settle().await;
        app.later();
    }
    app.report(&request(&[WEB, query(4, "return fetch_rows(sql)")])).await;
    assert_eq!(recipients(&app).await, [CLEO.1, CLEO.1, CLEO.1]);
}
