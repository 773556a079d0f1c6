//! What a mail says, to whom and why, in its headers and body; and that hostile data does no harm.
use flawless_protocol::thrift::RecordErrorRequest;
use insta::assert_snapshot;

use crate::harness::{ANN, App, AppBuilder, BEN, CLEO, TestRepository, add_rule, request, steady};

const LINE: &str = "return sum(prices) / len(prices)";
const CART: [(&str, i64, &str, &str); 2] = [
    ("/srv/app/shop/web.py", 2, "handle", "return cart.total()"),
    ("/srv/app/shop/cart.py", 5, "total", LINE),
];

fn cart() -> RecordErrorRequest {
    let mut report = request(&CART);
    report.exception_type = Some("builtins.ZeroDivisionError".into());
    report.exception_message = Some("ZeroDivisionError('division by zero')".into());
    report.traceback[1].frame_locals = Some(
        [("prices".to_owned(), "[]".to_owned()), ("tax".to_owned(), "0.19".to_owned())].into(),
    );
    report.environment = Some("production".into());
    report.error_count = Some(3);
    report
}

fn notified() -> AppBuilder {
    App::with("report_error_threshold", "1")
}

#[tokio::test]
async fn mail_says_what_failed_where_how_often_and_since_when() {
    let app = notified().start().await;
    let head = app.repository.git(&["rev-parse", "HEAD"]);
    let mut report = cart();
    report.revision = Some(head.clone());
    app.report(&report).await;
    let mail = app.one_mail().await;
    steady().bind(|| assert_snapshot!("alert", mail.text));
    assert_eq!(mail.subject, "ZeroDivisionError in total (shop/cart.py)");
    for part in ["ZeroDivisionError in total", "Your commit ", "prices = []", "Reassign", "Mute"] {
        assert!(mail.html.contains(part), "{part}: {}", mail.html);
    }
}

#[tokio::test]
async fn mail_says_in_three_lines_why_it_came_and_names_suspects() {
    let app = notified().start().await;
    add_rule(&app, "watch_list", r#"{"email": "wanda@example.com", "filepath": "shop"}"#).await;
    let alias = r#"{"old_email": "ben@example.com", "new_email": "benny@example.com"}"#;
    add_rule(&app, "email_remapping", alias).await;
    app.report(&cart()).await;
    let mails = app.mails().await;
    let [benny, wanda] = &mails[..] else { panic!("{mails:#?}") };
    steady().bind(|| assert_snapshot!("alert_through_an_alias", benny.text));
    assert!(benny.text.contains("Commit ") && !benny.text.contains("Your commit"));
    assert!(wanda.says(" → you watch shop Also considered"), "{}", wanda.text);
}

#[tokio::test]
async fn default_contact_reads_why_nobody_is_blamed_with_a_hint() {
    let app = notified().start().await;
    app.report(&request(&[("/opt/elsewhere.py", 1, "f", "x()")])).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, "team@example.com");
    steady().bind(|| assert_snapshot!("alert_of_nobodys_line", mail.text));
}

#[tokio::test]
async fn mail_headers_suit_threads_filters_and_unsubscribing() {
    let app = notified().with("hostname", "https://errors.example.com").start().await;
    app.report(&cart()).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.defects(), "");
    assert_eq!(mail.header("from"), "Flawless <flawless@example.com>");
    assert_eq!(mail.header("to"), BEN.1);
    let thread = mail.header("references");
    let ours =
        thread.strip_prefix("<issue-1.default.").and_then(|id| id.strip_suffix("@example.com>"));
    let ours = ours.unwrap_or_else(|| panic!("{thread}"));
    assert_eq!(ours.len(), 8, "distinguishes two servers: {thread}");
    assert_eq!(mail.header("in-reply-to"), mail.header("references"));
    assert_eq!(mail.header("list-id"), format!("<default.{ours}.flawless.example.com>"));
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    assert_eq!(mail.header("date"), "Sun, 22 Nov 2026 12:00:00 +0000");
    assert_eq!(mail.header("list-unsubscribe-post"), "List-Unsubscribe=One-Click");
    let link = mail.header("list-unsubscribe");
    let start =
        "<https://errors.example.com/unsubscribe?address=ben%40example.com&mails=alerts&token=";
    assert!(link.starts_with(start) && link.ends_with('>'), "{link}");
    let id = mail.message_id.trim_matches(['<', '>']);
    let (name, domain) = id.split_once('@').expect("two parts");
    let start = "alert-1.1795348800000.";
    assert!(name.starts_with(start) && name.len() == start.len() + 32, "{id}");
    assert_eq!(domain, "example.com");
    // Without TLS on the way, anybody could read the one-click link.
    let app = notified().start().await;
    app.report(&cart()).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.header("list-unsubscribe-post"), "");
    assert!(mail.header("list-unsubscribe").starts_with("<http://127.0.0.1:"));
}

#[tokio::test]
async fn variables_are_shown_in_mails_as_the_option_says() {
    for (option, value, name) in
        [("values", true, true), ("names", false, true), ("none", false, false)]
    {
        let app = notified().with("mail_locals", option).start().await;
        app.report(&cart()).await;
        let mail = app.one_mail().await;
        for text in [&mail.text, &mail.html] {
            assert_eq!(text.contains("0.19"), value, "{option}: {text}");
            assert_eq!(text.contains("tax"), name, "{option}: {text}");
        }
        let (_, page) = app.get("/view_traceback?issue=1").await;
        assert!(page.contains("0.19"), "the page shows them nevertheless");
    }
}

#[tokio::test]
async fn repository_lines_are_shown_only_if_they_are_those_that_ran() {
    let repository = TestRepository::shop();
    let later = "import os\n\nfrom shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n";
    repository.commit(ANN, "2026-07-01", "import", &[("shop/cart.py", later)]);
    let app = notified().repository(repository).start().await;
    app.report(&cart()).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1);
    // Line 5 has changed at the tip; the revision in which the text was found has the right lines.
    assert!(
        mail.text.contains("     4 | def total(prices):\n>    5 |     return sum"),
        "{}",
        mail.text
    );
}

#[tokio::test]
async fn hostile_names_and_values_neither_inject_nor_mislead() {
    let repository = TestRepository::shop();
    let name = "Eve \"Q\" <b>\u{202e}<script>alert(1)</script>, x@evil.example";
    repository.commit(
        (name, "eve@example.com"),
        "2026-06-01",
        "Bcc: all@example.com \u{202e}<img src=x>",
        &[("shop/eve.py", "boom()\n")],
    );
    let app = notified().repository(repository).start().await;
    let mut report =
        request(&[("/srv/app/shop/eve.py", 1, "f\r\nBcc: eve@evil.example", "boom()")]);
    report.exception_type = Some("a.E\r\nBcc: eve@evil.example\r\n\r\n<script>\u{202e}".into());
    report.exception_message = Some("<img src=x onerror=alert(1)>\u{2066}".into());
    report.hostname = Some("web\r\nX-Evil: 1".into());
    report.environment = Some("\u{202d}production".into());
    report.revision = Some("\r\nX-Evil: 1".into());
    report.additional_info = Some("<a href='https://evil.example'>click</a>".into());
    report.traceback[0].frame_locals = Some(
        [("x\r\ny", "<script>alert(1)</script>"), ("\u{202e}name", "\u{1b}[31m")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
    );
    app.report(&report).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, "eve@example.com");
    assert_eq!(mail.defects(), "");
    let names: Vec<&str> = mail.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(!names.contains(&"bcc") && !names.contains(&"x-evil"), "{names:?}");
    for text in [&mail.subject, &mail.text, &mail.html] {
        let harmful = |c: char| {
            (c.is_control() && c != '\n')
                || ('\u{202a}'..='\u{202e}').contains(&c)
                || c == '\u{2066}'
        };
        assert_eq!(text.find(harmful).map(|at| &text[at..]), None);
    }
    for tag in ["<script", "<img", "<a href='", "<b>"] {
        assert!(!mail.html.contains(tag), "{tag}: {}", mail.html);
    }
    assert!(!mail.text.contains("\nBcc:") && !mail.text.contains("\nX-Evil"), "{}", mail.text);
}

#[tokio::test]
async fn mail_is_never_so_long_that_mail_programs_cut_it() {
    let app = notified().with("max_report_bytes", "67108864").start().await;
    // Characters that take most bytes in a mail, and a value of a megabyte in each of many frames.
    for (text, line) in [("x", 5), ("\u{1f4a5}", 4), ("<&>\"'", 1)] {
        let mut report = request(&CART[1..]);
        let frame = report.traceback[0].clone();
        report.traceback = vec![frame; 40];
        for frame in &mut report.traceback {
            let locals = (0..50).map(|n| (format!("v{n}"), text.repeat(4_000)));
            frame.frame_locals = Some(locals.collect());
            frame.filename = Some(format!("/srv/{}/shop/cart.py", text.repeat(100)));
        }
        report.traceback[7].frame_locals = Some([("big".to_owned(), text.repeat(1 << 20))].into());
        report.traceback[39].line_number = Some(line);
        report.traceback[39].filename = Some("/srv/app/shop/cart.py".into());
        report.traceback[39].text = Some(
            ["from shop.money import add", "", "", "def total(prices):", LINE][line as usize - 1]
                .into(),
        );
        report.exception_message = Some(text.repeat(100_000));
        report.additional_info = Some(text.repeat(100_000));
        app.report(&report).await;
        app.settle().await;
        app.later();
    }
    let mails = app.mails().await;
    assert_eq!(mails.len(), 3);
    for mail in mails {
        assert!(mail.raw.len() < 90_000, "{} bytes", mail.raw.len());
        assert!(mail.html.len() < 90_000 && mail.text.contains("Why you"));
        assert!(mail.text.contains("See all values in full"), "{}", mail.text);
    }
}

#[tokio::test]
async fn refused_owner_is_followed_by_the_file_owner() {
    let repository = TestRepository::shop();
    repository.commit(CLEO, "2026-06-01", "owners", &[("CODEOWNERS", "shop/ cleo@example.com\n")]);
    let smtp = crate::harness::SmtpServer::refusing(BEN.1);
    let app = notified().repository(repository).smtp(smtp).start().await;
    app.report(&cart()).await;
    crate::harness::wait_until("somebody is notified", async || !app.smtp.mails().is_empty()).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, CLEO.1);
    let step = "mails to ben@example.com cannot be delivered: ";
    assert!(mail.says(step) && mail.says("no such user here"), "{}", mail.text);
    assert_eq!(mail.subject, "ZeroDivisionError in total (shop/cart.py)");
}

#[tokio::test]
async fn alert_is_sent_once_the_refused_address_is_tried_again() {
    let smtp = crate::harness::SmtpServer::refusing(BEN.1);
    let app = notified().with("default_contact", "").smtp(smtp).start().await;
    app.report(&cart()).await;
    let store = app.server.app.store.clone();
    let is_held = async || store.alert_queue().await.expect("store").last_error.is_some();
    crate::harness::wait_until("nobody can be notified", is_held).await;
    // The mail server goes on refusing; the point is that a new mail is written.
    let mut tx = store.write().await.expect("store");
    tx.clear_refusal(BEN.1, app.clock.now()).await.expect("store");
    app.clock.advance(60_000);
    tx.release_alerts(0).await.expect("store");
    tx.commit().await.expect("store");
    crate::harness::wait_until("a new mail is written and refused again", async || {
        let refused = store.refused_addresses(app.clock.now()).await.expect("store");
        !refused.is_empty()
    })
    .await;
}

#[tokio::test]
async fn issue_notified_at_each_occurrence_is_in_a_digest_once() {
    let app = notified().start().await;
    let rule = r#"{"filename": "shop/cart.py", "alert_every_n_occurrences": 1}"#;
    add_rule(&app, "known_errors", rule).await;
    let mut report = cart();
    report.error_count = Some(1);
    for _ in 0..6 {
        app.report(&report).await;
        app.settle().await;
    }
    app.later();
    let mails = app.mails().await;
    assert_eq!(mails.len(), 2, "{mails:#?}");
    let later = mails.iter().find(|mail| mail.text.contains("Occurred 6 times"));
    assert!(later.is_some(), "the digest names one issue once: {mails:#?}");
    app.later();
    assert_eq!(app.mails().await.len(), 2, "nothing is left over");
}

#[tokio::test]
async fn known_error_header_is_in_a_digest_too() {
    let app = notified().start().await;
    let rule = r#"{"filename": "shop/web.py", "alert_every_n_occurrences": 1,
        "email_header": "See the runbook of <handle>."}"#;
    add_rule(&app, "known_errors", rule).await;
    let rule = r#"{"filename": "shop/money.py", "alert_every_n_occurrences": 1}"#;
    add_rule(&app, "known_errors", rule).await;
    let web = [("/srv/app/shop/web.py", 2, "handle", "return cart.total()")];
    let money = [("/srv/app/shop/money.py", 6, "fail", "raise ValueError(text)")];
    // The first is sent immediately, the others together.
    for frames in [&money, &web, &money] {
        let mut report = request(frames);
        report.error_count = Some(1);
        app.report(&report).await;
        app.settle().await;
    }
    app.later();
    let mails = app.mails().await;
    let summary = mails.iter().find(|mail| mail.subject.starts_with("2 issues: "));
    let summary = summary.unwrap_or_else(|| panic!("{mails:#?}"));
    steady().bind(|| assert_snapshot!("digest", summary.text));
    assert!(summary.html.contains("See the runbook of &#60;handle&#62;."), "{}", summary.html);
}
