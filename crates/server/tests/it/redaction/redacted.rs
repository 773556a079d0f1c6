//! Clients redact secrets in source lines: the right line is still found, and nobody is blamed for
//! a text that says nothing.
use crate::harness::{ANN, App, BEN, CLEO, TestRepository, request};

const LOGIN: &str = "\
def connect(host):
    return open_session(host, password='hunter2')


def other(host):
    return 'token'
";

fn repository() -> TestRepository {
    let repository = TestRepository::shop();
    repository.commit(CLEO, "2026-06-01", "login", &[("shop/login.py", LOGIN)]);
    repository
}

fn at(
    line: i64,
    function: &'static str,
    text: &'static str,
) -> [(&'static str, i64, &'static str, &'static str); 1] {
    [("/srv/app/shop/login.py", line, function, text)]
}

const REDACTED: &str = "    return open_session(host, password='**scrubbed**')\n";

#[tokio::test]
async fn line_with_a_redacted_secret_is_blamed_at_the_tip() {
    let app = App::with("report_error_threshold", "1").repository(repository()).start().await;
    app.report(&request(&at(2, "connect", REDACTED))).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, CLEO.1);
    assert!(mail.says("the text agrees at"), "{}", mail.text);
    assert!(mail.says("password='**scrubbed**'"), "{}", mail.text);
    assert!(!mail.text.contains("hunter2"), "the mail does not show what the client redacted");
    assert!(!mail.html.contains("hunter2"));
    // The same line without redaction is the same issue, which was notified already.
    app.report(&request(&at(2, "connect", "return open_session(host, password='hunter2')"))).await;
    assert_eq!(app.mails().await.len(), 1);
}

#[tokio::test]
async fn redacted_line_is_found_in_an_earlier_version_and_by_text() {
    let repository = repository();
    let moved = format!("import os\nimport sys\n\n\n{LOGIN}");
    repository.commit(ANN, "2026-06-02", "imports", &[("shop/login.py", &moved)]);
    let running = repository.git(&["rev-parse", "HEAD"]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&request(&at(2, "connect", REDACTED))).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, CLEO.1);
    assert!(mail.says("an earlier version of the file"), "{}", mail.text);
    let mut report = request(&at(5, "connect", REDACTED));
    report.revision = Some(running);
    app.report(&report).await;
    assert_eq!(app.mails().await.len(), 1, "it is the same line of code");
}

#[tokio::test]
async fn text_that_is_redacted_entirely_blames_nobody() {
    for text in ["**scrubbed**", "  '**scrubbed**',\n", "return **scrubbed**"] {
        let app = App::with("report_error_threshold", "1").repository(repository()).start().await;
        app.report(&request(&[("/srv/app/shop/login.py", 2, "connect", text)])).await;
        let mail = app.one_mail().await;
        assert_eq!(mail.to, "team@example.com", "{text}");
        let why = "carries no source text of shop/login.py:2 to compare";
        assert!(mail.says(why), "{text}: {}", mail.text);
    }
}

#[tokio::test]
async fn redacted_text_that_is_not_there_blames_nobody() {
    let app = App::with("report_error_threshold", "1").repository(repository()).start().await;
    app.report(&request(&at(6, "other", REDACTED))).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, "team@example.com");
    assert!(mail.says("shop/login.py:6 does not read"), "{}", mail.text);
}

#[tokio::test]
async fn file_of_a_frame_is_found_by_redacted_lines() {
    let repository = repository();
    let till = "def pay(till):\n    return charge(till, key='abc')\n";
    repository.commit(BEN, "2026-06-03", "till", &[("a/pay.py", till)]);
    repository.commit(
        ANN,
        "2026-06-03",
        "no till",
        &[("b/pay.py", "def pay(till):\n    return 1\n")],
    );
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let text = "return charge(till, key='**scrubbed**')";
    app.report(&request(&[("/srv/x/pay.py", 2, "pay", text)])).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
}
