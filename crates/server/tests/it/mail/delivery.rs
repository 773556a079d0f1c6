//! Mails against a real mail server that is down, slow, encrypted, or refuses.
use std::process::Command;

use crate::harness::{App, BEN, SmtpServer, add_rule, free_port, python, request, wait_until};

const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];

#[tokio::test]
async fn mail_waits_while_the_mail_server_is_down() {
    let port = free_port();
    let mut app = App::with("smtp_host", &format!("127.0.0.1:{port}")).start().await;
    app.report(&request(&CART)).await;
    let queue = async |app: &App| app.server.app.store.outbox_queue().await.expect("store");
    wait_until("an attempt has failed", async || queue(&app).await.last_error.is_some()).await;
    assert_eq!(queue(&app).await.waiting, 1);
    // Two days and a restart later.
    app = app.restart().await;
    app.clock.advance(2 * 86_400_000);
    let (status, health) = app.get("/check_health").await;
    assert!(status == 503 && health.contains("1 mail waits to be sent"), "{status} {health}");
    app.smtp = SmtpServer::real(&["--port", &port.to_string()]);
    app.clock.advance(86_400_000);
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1);
    assert_eq!(app.get("/check_health").await.0, 200);
}

#[tokio::test]
async fn refused_recipient_does_not_stop_the_others() {
    let smtp = SmtpServer::real(&["--refuse", BEN.1]);
    let app = App::with("report_error_threshold", "1").smtp(smtp).start().await;
    add_rule(&app, "watch_list", r#"{"email": "wanda@example.com", "filepath": "shop"}"#).await;
    app.report(&request(&CART)).await;
    let mails = app.mails().await;
    let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["team@example.com", "wanda@example.com"]);
    assert!(mails[0].says("no such user here"), "{}", mails[0].text);
    let (_, page) = app.get("/view_traceback?filename=shop/cart.py").await;
    assert!(page.contains("ben@example.com") && page.contains("given up"), "{page}");
}

#[tokio::test]
async fn refusal_that_is_not_about_the_address_silences_nobody() {
    for words in ["554 5.7.1 Relay access denied", "550 relay not permitted", "530 Login first"] {
        let smtp =
            SmtpServer::real(&["--refuse", BEN.1, "--refuse-with", words, "--refuse-times", "1"]);
        let app = App::with("report_error_threshold", "1").smtp(smtp).start().await;
        app.report(&request(&CART)).await;
        let store = &app.server.app.store;
        wait_until("the first attempt has failed", async || {
            store.outbox_queue().await.expect("store").last_error.is_some()
        })
        .await;
        assert!(store.refused_addresses(app.clock.now()).await.expect("store").is_empty());
        app.clock.advance(60_000);
        assert_eq!(app.one_mail().await.to, BEN.1, "{words}");
    }
}

#[tokio::test]
async fn deferred_alert_is_tried_again_once_a_refusal_has_expired() {
    let smtp = SmtpServer::real(&["--refuse", BEN.1, "--refuse-times", "1"]);
    let app = App::with("default_contact", "").smtp(smtp).start().await;
    app.report(&request(&CART)).await;
    let store = &app.server.app.store;
    wait_until("nobody can be notified", async || {
        store.has_deferred_alerts().await.expect("store")
    })
    .await;
    app.clock.advance(15 * 86_400_000);
    wait_until("the alert is sent", async || !app.smtp.mails().is_empty()).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
}

#[tokio::test]
async fn mail_put_off_by_a_clock_that_was_ahead_is_due_now() {
    let smtp = SmtpServer::real(&["--fail-first", "1"]);
    let app = App::with("report_error_threshold", "1").smtp(smtp).start().await;
    app.clock.advance(365 * 86_400_000);
    app.report(&request(&CART)).await;
    let store = &app.server.app.store;
    wait_until("the first attempt has failed", async || {
        store.outbox_queue().await.expect("store").last_error.is_some()
    })
    .await;
    app.clock.advance(-365 * 86_400_000);
    assert_eq!(app.one_mail().await.to, BEN.1);
}

#[tokio::test]
async fn server_that_says_later_gets_the_same_mail_again() {
    let smtp = SmtpServer::real(&["--fail-first", "1"]);
    let app = App::with("report_error_threshold", "1").smtp(smtp).start().await;
    app.report(&request(&CART)).await;
    let store = &app.server.app.store;
    wait_until("the first attempt has failed", async || {
        store.outbox_queue().await.expect("store").last_error.is_some()
    })
    .await;
    assert!(app.smtp.mails().is_empty());
    app.clock.advance(60_000);
    let mail = app.one_mail().await;
    assert!(mail.message_id.starts_with("<alert-1."), "{}", mail.message_id);
}

#[tokio::test]
async fn slow_mail_server_times_out_and_holds_up_nothing_else() {
    let smtp = SmtpServer::real(&["--delay", "60"]);
    let app = App::with("smtp_timeout", "1").smtp(smtp).start().await;
    app.report(&request(&CART)).await;
    let store = &app.server.app.store;
    wait_until("the attempt has timed out", async || {
        store.outbox_queue().await.expect("store").last_error.is_some()
    })
    .await;
    app.report(&request(&CART)).await;
    assert_eq!(app.get("/").await.0, 200);
}

/// A certificate for 127.0.0.1 with its key in one file, and the authority that signed it.
pub fn certificates(folder: &std::path::Path) -> (String, String) {
    let script = "import sys, trustme
authority = trustme.CA()
authority.cert_pem.write_to_path(sys.argv[1] + '/ca.pem')
authority.issue_cert('127.0.0.1', 'localhost').private_key_and_cert_chain_pem.write_to_path(sys.argv[1] + '/server.pem')";
    let status = Command::new(python()).args(["-c", script]).arg(folder).status().expect("python");
    assert!(status.success());
    let path = |name: &str| folder.join(name).display().to_string();
    (path("server.pem"), path("ca.pem"))
}

#[tokio::test]
async fn starttls_and_tls_with_a_login_check_the_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, authority) = certificates(folder.path());
    for security in ["starttls", "tls"] {
        let options = ["--tls", security, "--certificate", &server, "--login", "flawless:s3cret"];
        let app = App::with("smtp_security", security)
            .with("smtp_user", "flawless")
            .with("smtp_password", "s3cret")
            .with("smtp_ca_file", &authority)
            .smtp(SmtpServer::real(&options))
            .start()
            .await;
        app.report(&request(&CART)).await;
        assert_eq!(app.one_mail().await.to, BEN.1, "{security}");

        let stranger =
            App::with("smtp_security", security).smtp(SmtpServer::real(&options)).start().await;
        stranger.report(&request(&CART)).await;
        let store = &stranger.server.app.store;
        wait_until("the certificate is refused", async || {
            let queue = store.outbox_queue().await.expect("store");
            queue.last_error.is_some_and(|error| error.to_lowercase().contains("certificate"))
        })
        .await;
        assert!(stranger.smtp.mails().is_empty());
    }
}

#[tokio::test]
async fn mails_are_kept_until_a_wrong_login_is_corrected() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, authority) = certificates(folder.path());
    let smtp = SmtpServer::real(&[
        "--tls",
        "starttls",
        "--certificate",
        &server,
        "--login",
        "flawless:right",
    ]);
    let app = App::with("smtp_security", "starttls")
        .with("smtp_user", "flawless")
        .with("smtp_password", "wrong")
        .with("smtp_ca_file", &authority)
        .smtp(smtp)
        .start()
        .await;
    app.report(&request(&CART)).await;
    let store = &app.server.app.store;
    wait_until("the login has failed", async || {
        let queue = store.outbox_queue().await.expect("store");
        queue.waiting == 1 && queue.last_error.is_some_and(|error| error.contains("535"))
    })
    .await;
}

#[tokio::test]
async fn server_that_hangs_at_quit_gets_the_mail_once() {
    let smtp = SmtpServer::real(&["--hang-at-quit"]);
    let app = App::with("smtp_timeout", "1").smtp(smtp).start().await;
    app.report(&request(&CART)).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    app.clock.advance(86_400_000);
    assert_eq!(app.mails().await.len(), 1);
}

#[tokio::test]
async fn mails_are_kept_when_the_sender_is_refused() {
    let smtp = SmtpServer::real(&["--refuse-sender"]);
    let app = App::with("report_error_threshold", "1").smtp(smtp).start().await;
    app.report(&request(&CART)).await;
    let store = &app.server.app.store;
    let queue = async || store.outbox_queue().await.expect("store");
    wait_until("the sender is refused", async || {
        queue().await.last_error.is_some_and(|error| error.contains("sender domain rejected"))
    })
    .await;
    app.clock.advance(30 * 86_400_000);
    wait_until("the mail is tried again", async || {
        store.due_mails(app.clock.now(), 1).await.expect("store").is_empty()
    })
    .await;
    assert_eq!(queue().await.waiting, 1, "it waits indefinitely");
}
