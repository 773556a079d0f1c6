//! The weekly report: who gets it, what it says, and that it is sent once.
use std::process::Command;

use flawless_protocol::thrift::RecordErrorRequest;
use flawless_server::server::Server;
use flawless_store::UnwantedKind;
use insta::assert_snapshot;

use crate::harness::{
    ANN, App, BEN, CLEO, Mail, NOW, SmtpServer, add_rule, request, steady, wait_until,
};

const DAY_MS: i64 = 86_400_000;
const LINE: &str = "    return sum(prices) / len(prices)\n";
const CART: &str =
    "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n";
const FIXED: &str = "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / max(len(prices), 1)\n";

fn report_in(revision: &str, frame: (&str, i64, &str, &str)) -> RecordErrorRequest {
    let mut report = request(&[frame]);
    report.revision = Some(revision.to_owned());
    report
}

/// Ben's line.
fn cart(revision: &str) -> RecordErrorRequest {
    report_in(revision, ("/srv/app/shop/cart.py", 5, "total", LINE))
}

/// Ann's line.
fn money(revision: &str) -> RecordErrorRequest {
    report_in(revision, ("/srv/app/shop/money.py", 6, "fail", "    raise ValueError(text)\n"))
}

/// Another line of Ann's.
fn web(revision: &str) -> RecordErrorRequest {
    report_in(revision, ("/srv/app/shop/web.py", 2, "handle", "    return cart.total()\n"))
}

async fn report(app: &App, report: &RecordErrorRequest) {
    app.report(report).await;
    app.settle().await;
}

/// Moves the clock to noon of a day of weekly reports, `days` after [`NOW`], and waits for the
/// report.
async fn reported_on(app: &App, days: i64, day: &str) {
    app.clock.advance(NOW + days * DAY_MS - app.clock.now());
    wait_until("the weekly report is sent", async || {
        let sent = app.server.app.store.weekly_sent().await.expect("store");
        sent.is_some_and(|sent| sent.to_string() == day)
    })
    .await;
}

async fn weekly_mails(app: &App) -> Vec<Mail> {
    app.mails().await.into_iter().filter(|mail| mail.subject.starts_with("Your week")).collect()
}

fn subjects(mails: &[Mail]) -> Vec<(&str, &str)> {
    mails.iter().map(|mail| (mail.to.as_str(), mail.subject.as_str())).collect()
}

async fn wait_until_fixed(app: &App, issue: i64) {
    let store = &app.server.app.store;
    wait_until("it is resolved", async || store.resolution(issue).await.expect("store").is_some())
        .await;
    app.server.app.rules.refresh(store).await.expect("store");
}

/// Two weeks of the shop. In the first, Ben's line and one of Ann's fail; in the second, Ann fixes
/// Ben's line, her own fails more often, and another one of hers fails too.
async fn two_weeks(leaderboard: &str) -> (App, Vec<Mail>, String) {
    let builder = App::with("weekly_report", "Monday").with("leaderboard", leaderboard);
    let app = builder.start().await;
    let first = app.repository.git(&["rev-parse", "HEAD"]);
    for _ in 0..3 {
        report(&app, &cart(&first)).await;
    }
    report(&app, &money(&first)).await;
    reported_on(&app, 1, "2026-11-23").await;
    let mails = weekly_mails(&app).await;
    assert_eq!(subjects(&mails), [(ANN.1, "Your week: 1 new"), (BEN.1, "Your week: 1 new")]);
    assert!(mails[1].text.contains("3 times since 2026-11-22"), "{}", mails[1].text);
    let files = [("shop/cart.py", FIXED)];
    let hint = app.repository.commit(ANN, "2026-11-23", "cart: no empty carts", &files);
    report(&app, &web(&hint)).await;
    wait_until_fixed(&app, 1).await;
    for _ in 0..2 {
        report(&app, &money(&hint)).await;
    }
    reported_on(&app, 8, "2026-11-30").await;
    let mails: Vec<Mail> = weekly_mails(&app).await;
    let second = mails.into_iter().filter(|mail| mail.text.contains("2026-11-29")).collect();
    (app, second, hint)
}

#[tokio::test(flavor = "multi_thread")]
async fn owner_reads_what_is_new_what_still_fails_and_what_is_fixed() {
    let (app, mails, _) = two_weeks("totals").await;
    let [ann, ben] = &mails[..] else { panic!("{mails:#?}") };
    assert_eq!((&*ann.to, &*ann.subject), (ANN.1, "Your week: 1 new, 1 still failing"));
    assert_eq!((&*ben.to, &*ben.subject), (BEN.1, "Your week: 1 resolved"));
    steady().bind(|| {
        assert_snapshot!("week_of_a_fixer", ann.text);
        // The team appears in numbers, and nobody else by name.
        assert_snapshot!("week_of_somebody_whose_line_was_fixed", ben.text);
    });
    let base = &app.server.app.base_url;
    assert!(ben.html.contains(&format!("{base}/issues/1")), "{}", ben.html);
    let link = ben.text.split("Full report: ").nth(1).and_then(|rest| rest.lines().next());
    let path = link.and_then(|link| link.strip_prefix(&**base)).expect("a link");
    let (status, page) = app.get(path).await;
    assert!(status == 200 && page.contains("from 2026-11-23 to 2026-11-29"), "{page}");
    let header = |name| ben.headers.iter().find(|(known, _)| known == name).expect(name).1.clone();
    assert!(header("list-unsubscribe").contains("mails=weekly"), "{:?}", ben.headers);
    assert_eq!(header("auto-submitted"), "auto-generated");
    for text in [&ben.text, &ben.html] {
        assert!(!text.contains("Archer") && !text.contains(ANN.1), "{text}");
    }
    // In the third week Cleo puts the line back.
    let files = [("shop/cart.py", CART)];
    let back = app.repository.commit(CLEO, "2026-11-30", "cart: as it was", &files);
    report(&app, &cart(&back)).await;
    reported_on(&app, 15, "2026-12-07").await;
    let mails = weekly_mails(&app).await;
    let cleo: Vec<&Mail> = mails.iter().filter(|mail| mail.to == CLEO.1).collect();
    let [cleo] = cleo[..] else { panic!("{mails:#?}") };
    assert_eq!(cleo.subject, "Your week: 1 regressed");
    assert!(cleo.text.contains("(found on 2026-11-23), then regressed: once"), "{}", cleo.text);
    assert_eq!(mails.len(), 5, "two, two and one: {mails:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fixers_are_named_where_the_option_says_so() {
    let (app, mails, hint) = two_weeks("names").await;
    let [ann, ben] = &mails[..] else { panic!("{mails:#?}") };
    for mail in [ann, ben] {
        assert!(mail.text.contains("Fixed by Ann Archer (1). Thank you!"), "{}", mail.text);
        assert!(mail.html.contains("<strong>Ann Archer</strong> (1)"), "{}", mail.html);
    }
    let resolved = format!("Fixed by {} “cart: no empty carts” by Ann Archer", &hint[..12]);
    assert!(ben.text.contains(&resolved), "{}", ben.text);
    // The command line prints the same.
    let (conf, base) = (app.conf(), &app.server.app.base_url);
    let shown = |week: &str, address: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_flawless"))
            .args(["report", "--for", address, "--week", week, "--set", "leaderboard=names"])
            .args(["-conf", &conf, "--set", "timezone=UTC"])
            .args([
                "--set",
                &format!("hostname={base}"),
                "--set",
                "default_contact=team@example.com",
            ])
            .output()
            .expect("it runs");
        let text = [output.stdout, output.stderr].concat();
        // By the real clock the week may not be over.
        let text = String::from_utf8_lossy(&text).replacen("Your week so far", "Your week", 1);
        (output.status.code(), text)
    };
    assert_eq!(
        shown("2026-11-25", "BEN@example.com"),
        (Some(0), format!("{}\n", ben.text.trim_end()))
    );
    let (code, text) = shown("2026-11-25", CLEO.1);
    assert!(code == Some(0) && text.starts_with("No issue of cleo@example.com"), "{text}");
    let (code, text) = shown("last", BEN.1);
    assert!(code == Some(1) && text.contains("--week: \"last\" is not a date"), "{text}");
    // Who caused an issue is nobody else's business.
    assert!(!ann.text.contains("Baker") && !ann.html.contains(BEN.1), "{}", ann.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_not_mentioned_where_the_option_says_so() {
    let (_app, mails, _) = two_weeks("off").await;
    let [ann, ben] = &mails[..] else { panic!("{mails:#?}") };
    for text in [&ben.text, &ben.html] {
        assert!(!text.contains("Archer") && !text.contains(ANN.1), "{text}");
        assert!(!text.contains("The team") && !text.contains("Median"), "{text}");
    }
    assert!(!ann.text.contains("The team") && !ann.text.contains("Baker"), "{}", ann.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn week_is_reported_once_however_often_the_server_starts() {
    let mut app = App::with("weekly_report", "Monday").start().await;
    let first = app.repository.git(&["rev-parse", "HEAD"]);
    report(&app, &cart(&first)).await;
    reported_on(&app, 1, "2026-11-23").await;
    for _ in 0..3 {
        app = app.restart().await;
        app.clock.advance(DAY_MS);
    }
    // The next week has been checked: nothing more is sent for this one.
    reported_on(&app, 8, "2026-11-30").await;
    assert_eq!(subjects(&weekly_mails(&app).await), [(BEN.1, "Your week: 1 new")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_that_was_down_in_the_morning_reports_in_the_evening() {
    let app = App::with("weekly_report", "Monday").start().await;
    let first = app.repository.git(&["rev-parse", "HEAD"]);
    report(&app, &cart(&first)).await;
    let config = (*app.server.app.config).clone();
    app.server.stop().await;
    app.clock.advance(DAY_MS + 8 * 3_600_000);
    let server = Server::start(config, app.clock.clone()).await.expect("starts again");
    let app = App { server, ..app };
    wait_until("the mail has arrived", async || !weekly_mails(&app).await.is_empty()).await;
    assert_eq!(subjects(&weekly_mails(&app).await), [(BEN.1, "Your week: 1 new")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn known_errors_old_code_and_earlier_issues_are_not_reported() {
    for (option, value) in
        [("report_only_after_minimum_date", "2026-06-01"), ("baseline_hours", "1")]
    {
        let app = App::with("weekly_report", "Monday").with(option, value).start().await;
        let first = app.repository.git(&["rev-parse", "HEAD"]);
        report(&app, &cart(&first)).await;
        reported_on(&app, 1, "2026-11-23").await;
        assert!(weekly_mails(&app).await.is_empty(), "{option}");
    }
    let app = App::with("weekly_report", "Monday").start().await;
    let first = app.repository.git(&["rev-parse", "HEAD"]);
    let known = r#"{"filename": "shop/cart.py", "function_name": "total"}"#;
    add_rule(&app, "known_errors", known).await;
    report(&app, &cart(&first)).await;
    reported_on(&app, 1, "2026-11-23").await;
    assert!(weekly_mails(&app).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_texts_neither_inject_nor_make_the_mail_too_long() {
    // Nobody is notified of single issues, only of the week.
    let builder = App::with("weekly_report", "Monday").with("report_error_threshold", "1000");
    let app = builder.start().await;
    let function = "<img src=x>\r\nBcc: evil@example.com\u{202e}";
    let text = format!("raise \u{202e}</pre><script>{}", "🦀 é \u{1b}[31m".repeat(500));
    let reports: Vec<RecordErrorRequest> = (0..40)
        .map(|number| {
            let path = format!("/opt/{}/x{number}.py", "<b>ä".repeat(60));
            request(&[(&path, 1, function, &text)])
        })
        .collect();
    for report in &reports {
        app.report(report).await;
    }
    app.settle().await;
    reported_on(&app, 1, "2026-11-23").await;
    let mails = weekly_mails(&app).await;
    let [mail] = &mails[..] else { panic!("{:?}", subjects(&mails)) };
    assert_eq!((&*mail.to, &*mail.subject), ("team@example.com", "Your week: 40 new"));
    assert!(mail.html.len() + mail.text.len() < 90_000, "{}", mail.html.len());
    assert!(mail.text.contains("… and ") && mail.text.contains(" more: http"), "{}", mail.text);
    for harmful in ["<img", "<script>", "</pre><s", "<b>ä"] {
        assert!(!mail.html.contains(harmful), "{harmful}: {}", mail.html);
    }
    for harmful in ['\u{202e}', '\u{1b}'] {
        assert!(!mail.html.contains(harmful) && !mail.text.contains(harmful), "{}", mail.text);
    }
    assert!(!mail.text.lines().any(|line| line.trim_start().starts_with("Bcc:")), "{}", mail.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn default_contact_gets_what_cannot_be_mailed_to_its_owner() {
    let smtp = SmtpServer::refusing(BEN.1);
    let app = App::with("weekly_report", "Monday").smtp(smtp).start().await;
    let eve = ("Eve", "eve@-bad-.example");
    let tip = app.repository.commit(eve, "2026-06-01", "x", &[("shop/eve.py", "boom()\n")]);
    report(&app, &cart(&tip)).await;
    report(&app, &report_in(&tip, ("/srv/app/shop/eve.py", 1, "<module>", "boom()"))).await;
    reported_on(&app, 1, "2026-11-23").await;
    let mails = weekly_mails(&app).await;
    assert_eq!(subjects(&mails), [("team@example.com", "Your week: 2 new")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn weekly_report_goes_to_subscribers_even_without_alerts() {
    let app = App::with("weekly_report", "Monday").start().await;
    let first = app.repository.git(&["rev-parse", "HEAD"]);
    report(&app, &cart(&first)).await;
    report(&app, &money(&first)).await;
    let mut tx = app.server.app.store.write().await.expect("store");
    tx.add_unwanted(ANN.1, UnwantedKind::Alerts, NOW).await.expect("store");
    tx.add_unwanted("Ben@Example.com", UnwantedKind::Weekly, NOW).await.expect("store");
    tx.commit().await.expect("store");
    reported_on(&app, 1, "2026-11-23").await;
    assert_eq!(subjects(&weekly_mails(&app).await), [(ANN.1, "Your week: 1 new")]);
}
