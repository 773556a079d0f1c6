//! Bounced mails, as mail servers pipe them to the program.
use std::process::Output;

use crate::harness::{
    App, BEN, TestRepository, add_rule, flawless_with_input, request, stderr, wait_until,
};

const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];
const TEAM: &str = "team@example.com";

const POSTFIX: &str = include_str!("bounces/postfix.eml");
const EXIM: &str = include_str!("bounces/exim.eml");
const EXCHANGE: &str = include_str!("bounces/exchange.eml");
const GMAIL: &str = include_str!("bounces/gmail.eml");
const DELAYED: &str = include_str!("bounces/postfix_delayed.eml");

/// Pipes a bounce to the program, which works on the data of the running server.
async fn bounce(app: &App, mail: &str) -> Output {
    let conf = app.conf();
    let (folder, mail) = (app.folder.path().to_owned(), mail.to_owned());
    let run = move || {
        let arguments = ["bounce", "-conf", &conf, "--set", &format!("default_contact={TEAM}")];
        flawless_with_input(&folder, &arguments, &mail)
    };
    tokio::task::spawn_blocking(run).await.expect("it ends")
}

/// A server that has sent one mail to Ben, and the name of that mail.
async fn notified_ben() -> (App, String) {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    wait_until("the mail has arrived", async || !app.smtp.mails().is_empty()).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1);
    (app, mail.message_id)
}

fn filled_in(template: &str, recipient: &str, message_id: &str) -> String {
    template.replace("RECIPIENT", recipient).replace("MESSAGE-ID", message_id)
}

#[tokio::test(flavor = "multi_thread")]
async fn bounced_alert_goes_to_the_next_owner_whoever_reports_it() {
    for (template, words) in [
        (POSTFIX, "User unknown in local recipient table"),
        (EXIM, "that you tried to reach does not exist"),
        (EXCHANGE, "RESOLVER.ADR.RecipientNotFound"),
        (GMAIL, "double-checking the recipient&#39;s email address"),
    ] {
        let (app, message_id) = notified_ben().await;
        // Mail servers use either kind of line end.
        let report = filled_in(template, "Ben@Example.com", &message_id).replace('\n', "\r\n");
        let output = bounce(&app, &report).await;
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stderr(&output).contains("the mail to ben@example.com bounced"));
        wait_until("the default contact has the alert", async || app.smtp.mails().len() == 2).await;
        let mails = app.mails().await;
        assert_eq!(mails[1].to, TEAM);
        let why = "mails to ben@example.com cannot be delivered: ";
        assert!(mails[1].text.contains(why), "{}", mails[1].text);
        let (_, page) = app.get("/people").await;
        assert!(page.contains(BEN.1) && page.contains(words), "{words}: {page}");
        let (_, page) = app.get("/view_traceback?filename=shop/cart.py").await;
        assert!(page.contains("bounced 20"), "{page}");

        let again = bounce(&app, &report).await;
        assert!(stderr(&again).contains("is not one of our mails, or it bounced before"));
        assert_eq!(app.mails().await.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn late_forged_and_false_bounces_change_nothing() {
    let (app, message_id) = notified_ben().await;
    let forged = "<alert-1.1.00000000000000000000000000000000@localhost>";
    let secret = filled_in(POSTFIX, BEN.1, &message_id);
    let cases = [
        (filled_in(DELAYED, BEN.1, &message_id), "is only delayed"),
        (secret.replace("Status: 5.1.1", "Status: 4.2.2"), "is only delayed"),
        (filled_in(POSTFIX, BEN.1, forged), "is not one of our mails"),
        (filled_in(POSTFIX, "eve@example.com", &message_id), "does not mention ben@example.com"),
        (format!("Subject: hello\n\nMessage-ID: {message_id}\n"), "not a delivery report"),
        (String::new(), "nothing to do"),
        ("\u{0}\u{1}\u{fffd}".repeat(100_000), "nothing to do"),
        (secret.replace("message/delivery-status", "text/plain"), "no message/delivery-status"),
    ];
    for (mail, expected) in cases {
        let output = bounce(&app, &mail).await;
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stderr(&output).contains(expected), "{expected}: {}", stderr(&output));
    }
    assert!(app.server.app.store.refused_addresses(i64::MAX / 2).await.expect("store").is_empty());
    assert_eq!(app.mails().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bounce_may_be_long_and_its_words_cannot_break_out() {
    let (app, message_id) = notified_ben().await;
    let words = "<script>\u{202e}";
    let report = filled_in(POSTFIX, BEN.1, &message_id)
        .replace("User unknown in local recipient table", words)
        // Three more megabytes of the bounced mail.
        .replace("An error.", &"An error, and another one.\n".repeat(120_000));
    let output = bounce(&app, &report).await;
    assert!(output.status.success(), "{}", stderr(&output));
    wait_until("the default contact has the alert", async || app.smtp.mails().len() == 2).await;
    for page in [app.get("/people").await.1, app.get("/view_traceback?issue=1").await.1] {
        assert!(page.contains("&#60;script&#62;"), "{page}");
        assert!(!page.contains("<script>") && !page.contains('\u{202e}'), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bounced_watcher_mail_is_reported_to_the_default_contact() {
    let app = App::with("report_error_threshold", "1").repository(TestRepository::shop());
    let app = app.start().await;
    add_rule(&app, "watch_list", r#"{"email": "wanda@example.com", "filepath": "shop"}"#).await;
    app.report(&request(&CART)).await;
    wait_until("both mails have arrived", async || app.smtp.mails().len() == 2).await;
    let mails = app.mails().await;
    let wanda = mails.iter().find(|mail| mail.to == "wanda@example.com").expect("a mail");
    let report = filled_in(EXIM, "wanda@example.com", &wanda.message_id);
    let output = bounce(&app, &report).await;
    assert!(stderr(&output).contains("bounced"), "{}", stderr(&output));
    // The command uses the real time.
    app.clock.advance(50 * 365 * 86_400_000);
    wait_until("the default contact is notified", async || app.smtp.mails().len() == 3).await;
    let mails = app.mails().await;
    let note = mails.iter().find(|mail| mail.to == TEAM).expect("a note");
    assert!(note.text.contains("wanda@example.com could not be delivered"), "{}", note.text);
}

#[test]
fn mail_server_is_asked_to_retry_without_the_store() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in
        [["bounce", "--set", "data_dir_path=nowhere"], ["bounce", "-conf", "nowhere.cfg"]]
    {
        let output = flawless_with_input(folder.path(), &arguments, EXIM);
        assert_eq!(output.status.code(), Some(75), "{}", stderr(&output));
    }
}
