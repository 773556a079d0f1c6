//! Signing in by links: who gets one, what it does, and what is stored of it.
use std::path::Path;

use flawless_server::sign_in::first_link;

use insta::assert_snapshot;

use crate::harness::{
    App, SmtpServer, Surfer, flawless, mails_to, stderr, stdout, steady, wait_until, with_sign_in,
};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

async fn first(app: &App) -> Option<String> {
    first_link(&app.server.app).await.expect("store")
}

/// Whether any file of the server's data contains these words.
fn is_stored(app: &App, words: &str) -> bool {
    let holds = |path: &Path| {
        let bytes = std::fs::read(path).expect("a file");
        bytes.windows(words.len()).any(|window| window == words.as_bytes())
    };
    let files = std::fs::read_dir(app.folder.path().join("data")).expect("a folder");
    let files = files.map(|entry| entry.expect("an entry").path());
    files.filter(|path| path.is_file()).any(|path| holds(&path))
}

#[tokio::test(flavor = "multi_thread")]
async fn link_of_the_first_start_makes_one_administrator() {
    let app = with_sign_in().start().await;
    let older = first(&app).await.expect("a link");
    let link = first(&app).await.expect("a new one each start");
    let surfer = Surfer::new(&app);
    assert_eq!(surfer.get(&older).await.status, 410, "the earlier link is no longer valid");
    let form = surfer.get(&link).await;
    assert!(form.body.contains("makes you the administrator"), "{}", form.body);
    let browser = form.field("browser");
    let token = link.split_once("token=").expect("a token").1;
    for (typed, problem) in [("", "Enter your mail address"), ("nobody", "not a mail address")] {
        let fields = [("token", token), ("browser", &browser), ("address", typed)];
        let page = surfer.post_bare("/sign_in/link", &fields).await;
        assert_eq!(page.status, 422);
        assert!(page.body.contains(problem) && page.body.contains("aria-invalid"), "{}", page.body);
    }
    let fields = [("token", token), ("browser", &browser), ("address", "Boss@Elsewhere.org")];
    let page = surfer.post_bare("/sign_in/link", &fields).await;
    assert_eq!((page.status, page.location()), (303, "/"), "{}", page.body);
    let cookie = page.cookies()[0];
    for flag in ["flawless_session_", "; HttpOnly", "; SameSite=Lax", "; Path=/", "Max-Age=2592000"]
    {
        assert!(cookie.contains(flag), "{flag} is missing in {cookie}");
    }
    assert!(!cookie.contains("Secure"), "a secure cookie would never be sent over http");
    let account = surfer.get("/account").await.body;
    assert!(account.contains("boss@elsewhere.org") && account.contains("administrator"));
    assert_eq!(surfer.post_bare("/sign_in/link", &fields).await.status, 410);
    assert_eq!(first(&app).await, None, "there has been an administrator");
}

#[tokio::test(flavor = "multi_thread")]
async fn configured_administrator_signs_in_and_ends_the_printed_link() {
    let app = with_sign_in().with("administrators", "root@example.com").start().await;
    let link = first(&app).await.expect("a link");
    let surfer = Surfer::new(&app);
    assert!(surfer.get(&link).await.body.contains("<strong>root@example.com</strong>"));
    app.clock.advance(DAY);
    assert_eq!(surfer.get(&link).await.status, 410);
    let link = first(&app).await.expect("a link");
    surfer.sign_in(&app, "root@example.com").await;
    assert_eq!(surfer.get(&link).await.status, 410, "nobody needs it any longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_link_leads_once_to_the_requested_page() {
    let app = with_sign_in().in_file().start().await;
    let surfer = Surfer::new(&app);
    let page = "/get_weekly_error_report?timestamp=1795000000&first_day=Monday";
    let asked = surfer.get(page).await;
    assert_eq!(asked.status, 303);
    let form = surfer.get(asked.location()).await;
    assert_eq!(form.field("next"), page);
    let link = surfer.ask_link(&app, "ann@example.com", &format!("{page}#ann@example.com")).await;
    let mail = mails_to(&app, "ann@example.com").remove(0);
    assert!(mail.html.contains(&link), "{mail:?}");
    steady().bind(|| assert_snapshot!("sign_in_mail", mail.text));
    // A mail scanner opens it.
    for _ in 0..2 {
        assert!(Surfer::new(&app).get(&link).await.body.contains("ann@example.com"));
    }
    assert!(!surfer.is_in().await);
    let shown = app.server.app.store.mails_to("ann@example.com", 10).await.expect("store");
    assert!(shown.is_empty(), "requests for links are shown to nobody: {shown:?}");
    let used = surfer.use_link(&link).await;
    assert_eq!(used.location(), format!("{page}#ann@example.com"));
    assert!(surfer.is_in().await);
    assert_eq!(Surfer::new(&app).use_link(&link).await.status, 410);
    // Neither the link nor the cookie is in the store.
    let secret = used.cookies()[0].split(['=', ';']).nth(1).expect("a value").to_owned();
    let token = link.split_once("token=").expect("a token").1;
    app.settle().await;
    wait_until("the journal is empty", async || {
        app.server.app.store.empty_journal().await.expect("store")
    })
    .await;
    assert!(is_stored(&app, "ann@example.com"));
    assert!(!is_stored(&app, token) && !is_stored(&app, &secret));
    assert!(!is_stored(&app, &token[..40]), "nor is the mail");
}

#[tokio::test(flavor = "multi_thread")]
async fn link_expires_after_fifteen_minutes_even_if_not_sent_yet() {
    let app = with_sign_in().start().await;
    let surfer = Surfer::new(&app);
    let link = surfer.ask_link(&app, "ann@example.com", "/").await;
    app.clock.advance(15 * MINUTE);
    assert_eq!(surfer.get(&link).await.status, 410);
    assert_eq!(surfer.use_link(&link).await.status, 410);
    let app = with_sign_in().with("smtp_host", "127.0.0.1:1").start().await;
    let store = &app.server.app.store;
    Surfer::new(&app).post_bare("/sign_in", &[("address", "ann@example.com")]).await;
    let waiting = async || store.outbox_queue().await.expect("store").waiting;
    wait_until("the link waits", async || waiting().await == 1).await;
    app.clock.advance(15 * MINUTE);
    // An attempt that was under way is postponed from the current time.
    wait_until("the link is given up", async || {
        app.clock.advance(MINUTE);
        waiting().await == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_do_not_reveal_known_addresses_and_links_are_limited() {
    let app = with_sign_in().start().await;
    let ask = async |address: &str| {
        Surfer::new(&app).post_bare("/sign_in", &[("address", address)]).await
    };
    for round in 1..=6 {
        let (known, unknown) = (ask("ann@example.com").await, ask("eve@evil.example").await);
        assert_eq!(known.status, if round < 6 { 303 } else { 429 });
        assert_eq!(known.status, unknown.status);
        let body = unknown.body.replace("eve@evil.example", "ann@example.com");
        assert_eq!((known.location(), known.body.as_str()), (unknown.location(), body.as_str()));
    }
    wait_until("the links arrive", async || mails_to(&app, "ann@example.com").len() == 5).await;
    app.settle().await;
    assert_eq!(app.smtp.mails().len(), 5, "and none to a stranger");
    app.clock.advance(60 * MINUTE);
    assert_eq!(ask("ann@example.com").await.status, 303);
    assert_eq!(ask("ann@example.com\r\nBcc: x@example.com").await.status, 422);
    let huge = "a".repeat(20_000);
    assert_eq!(ask(&huge).await.status, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_for_strangers_keep_nobody_from_a_link() {
    let app = with_sign_in().start().await;
    let surfer = Surfer::new(&app);
    for number in 0..210 {
        let address = format!("{number}@evil.example");
        let asked = surfer.post_bare("/sign_in", &[("address", &address)]).await;
        assert_eq!(asked.status, 303, "{address}");
    }
    surfer.sign_in(&app, "ann@example.com").await;
    assert!(surfer.is_in().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_sites_cannot_sign_a_browser_in_with_their_link() {
    let app = with_sign_in().start().await;
    let (eve, victim) = (Surfer::new(&app), Surfer::new(&app));
    let link = eve.ask_link(&app, "eve@example.com", "/").await;
    let browser = eve.get(&link).await.field("browser");
    let token = link.split_once("token=").expect("a token").1;
    for browser in [browser.as_str(), ""] {
        let fields = [("token", token), ("browser", browser)];
        // As it is, and with the cookie of another link that was opened.
        assert_eq!(victim.post_bare("/sign_in/link", &fields).await.status, 403);
        assert_eq!(victim.get(&link).await.status, 200);
        let forged = victim.post_bare("/sign_in/link", &fields).await;
        assert_eq!(forged.status, 403);
        assert!(forged.body.contains("belongs to another browser"), "{}", forged.body);
    }
    assert!(!victim.is_in().await);
    assert_eq!(eve.use_link(&link).await.status, 303, "it was not used up");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_link_mail_does_not_count_against_the_address() {
    let smtp = SmtpServer::refusing("typo@example.com");
    let app = with_sign_in().smtp(smtp).start().await;
    let surfer = Surfer::new(&app);
    surfer.post_bare("/sign_in", &[("address", "typo@example.com")]).await;
    surfer.ask_link(&app, "ann@example.com", "/").await;
    app.settle().await;
    assert_eq!(app.smtp.mails().len(), 1, "no note to the default contact");
    let refused = app.server.app.store.refused_addresses(app.clock.now()).await;
    assert!(refused.expect("store").is_empty(), "alerts are still sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_in_never_leads_to_another_site() {
    let app = with_sign_in().start().await;
    let surfer = Surfer::new(&app);
    for next in ["//evil.example", "http://evil.example", "/\\evil.example", "/.//evil.example"] {
        let link = surfer.ask_link(&app, "ann@example.com", next).await;
        assert_eq!(surfer.use_link(&link).await.location(), "/", "{next}");
        let already = surfer.get(&format!("/sign_in?next={next}")).await;
        assert_eq!((already.status, already.location()), (303, "/"), "{next}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_not_checked_each_time_a_stranger_asks() {
    let app = with_sign_in().start().await;
    let surfer = Surfer::new(&app);
    assert_eq!(surfer.get("/check_health").await.body, "ok\n");
    app.server.app.store.close().await;
    assert_eq!(surfer.get("/check_health.json").await.body, "{\"ok\":true}\n");
    app.clock.advance(10_000);
    let late = surfer.get("/check_health").await;
    assert_eq!((late.status, late.body.as_str()), (503, "not ok\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_unsubscribing_and_style_alone_need_no_sign_in() {
    let app = with_sign_in().start().await;
    let surfer = Surfer::new(&app);
    let health = surfer.get("/check_health").await;
    assert_eq!((health.status, health.body.as_str()), (200, "ok\n"));
    assert_eq!(surfer.get("/style.css").await.status, 200);
    assert_eq!(surfer.get("/unsubscribe").await.status, 403, "only by a signed link");
    for path in ["/", "/admin", "/view_traceback?issue=1", "/account", "/people/roles"] {
        let page = surfer.get(path).await;
        assert_eq!(page.status, 303, "{path}");
        assert!(page.location().starts_with("/sign_in?next=%2F"), "{path}: {}", page.location());
    }
    let form = surfer.post_bare("/issues/1/mute", &[("time", "day")]).await;
    assert_eq!(form.status, 401);
    assert!(form.body.contains("Nothing was changed"), "{}", form.body);
    let api = surfer.get("/api/v1/me").await;
    assert_eq!((api.status, &api.headers["www-authenticate"]), (401, &"Bearer".parse().unwrap()));
    assert!(api.body.contains("\"status\":401"), "{}", api.body);
    surfer.sign_in(&app, "ann@example.com").await;
    assert!(surfer.get("/check_health").await.body.contains("Configuration"));
}

#[tokio::test(flavor = "multi_thread")]
async fn cookie_belongs_to_this_host_alone_under_https() {
    let app = with_sign_in().with("hostname", "https://flawless.example.com").start().await;
    let surfer = Surfer::new(&app);
    let link = surfer.ask_link(&app, "ann@example.com", "/").await;
    assert!(link.starts_with("https://flawless.example.com/sign_in/link?token="), "{link}");
    let used = surfer.use_link(&link).await;
    let cookie = used.cookies()[0];
    assert!(cookie.starts_with("__Host-flawless_session_"), "{cookie}");
    assert!(cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
}

#[test]
fn command_prints_a_link_for_somebody_locked_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = "[flawless]\ndata_dir_path = data\nallowed_emails = ann@example.com\n";
    std::fs::write(folder.path().join("f.cfg"), config).expect("written");
    let run = |more: &[&str]| {
        let arguments = [&["sign-in-link", "-conf", "f.cfg"], more].concat();
        flawless(folder.path(), &arguments)
    };
    for more in [&[][..], &["Ann@example.com"]] {
        let text = stdout(&run(more));
        assert!(text.starts_with("http://127.0.0.1:8080/sign_in/link?token="), "{text}");
    }
    let stranger = run(&["eve@evil.example"]);
    assert_eq!(stranger.status.code(), Some(1));
    assert!(stderr(&stranger).contains("allowed_emails"), "{}", stderr(&stranger));
    let off = run(&["--set", "auth=off"]);
    assert!(stderr(&off).contains("--set auth: off, so nobody has to sign in"), "{}", stderr(&off));
    let check = flawless(folder.path(), &["check", "--set", "data_dir_path=data"]);
    let text = String::from_utf8_lossy(&check.stdout).into_owned();
    assert!(text.contains("sign-in: by a link in a mail; nobody is allowed yet"), "{text}");
    assert!(text.contains("missing  nobody may sign in"), "{text}");
}
