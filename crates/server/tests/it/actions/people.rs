//! What people do with the mails they get: unsubscribe, reassign, mute, resolve.
use flawless_server::notify::UNDO_MS;
use flawless_server::show::links;
use flawless_store::Recipient;
use serde_json::Value;

use crate::harness::{
    ANN, App, BEN, CLEO, NOW, SmtpServer, TestRepository, add_rule, flawless, request, stdout,
    wait_until,
};

const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];
const WEB: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/web.py", 2, "handle", "return cart.total()")];
const TEAM: &str = "team@example.com";

/// The link in a mail to `address`, without the server's name.
fn link(app: &App, address: &str, mails: &str) -> String {
    let shared = &app.server.app;
    let link = links::unsubscribe(shared, address, mails);
    link.strip_prefix(&*shared.base_url).expect("a link of ours").to_owned()
}

/// Waits for `COUNT` mails and returns their recipients.
async fn recipients<const COUNT: usize>(app: &App) -> [String; COUNT] {
    wait_until("the mails have arrived", async || app.smtp.mails().len() >= COUNT).await;
    let mails: Vec<String> = app.mails().await.into_iter().map(|mail| mail.to).collect();
    mails.try_into().unwrap_or_else(|mails| panic!("{COUNT} mails: {mails:?}"))
}

/// Sends a body as it is, as the machine of a mail provider would.
async fn post_body(app: &App, path: &str, kind: &str, body: Vec<u8>) -> (u16, String) {
    let url = format!("http://{}{path}", app.server.http_address);
    let request = reqwest::Client::new().post(url).header("content-type", kind).body(body);
    let request = request.header("host", "mails.example.com").header("origin", "https://x.example");
    let answer = request.send().await.expect("an answer");
    let policy = answer.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    (answer.status().as_u16(), answer.text().await.expect("text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_unsubscribes_and_the_next_owner_answers() {
    let repository = TestRepository::shop();
    repository.commit(ANN, "2026-06-01", "owners", &[("CODEOWNERS", "*.py cleo@example.com\n")]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let ben = link(&app, "Ben@Example.com", "alerts");
    let (status, page) = app.get(&ben).await;
    assert!(status == 200 && page.contains("Unsubscribe from alerts"), "{page}");
    let store = &app.server.app.store;
    assert!(store.unwanted_mails().await.expect("store").is_empty(), "a GET changes nothing");
    let form = "application/x-www-form-urlencoded";
    let one_click = b"List-Unsubscribe=One-Click".to_vec();
    for _ in 0..2 {
        let (status, page) = post_body(&app, &ben, form, one_click.clone()).await;
        assert!(status == 200 && page.contains("Unsubscribed"), "{page}");
        assert!(page.contains("CODEOWNERS") && page.contains(">Undo</button>"), "{page}");
    }
    app.report(&request(&CART)).await;
    assert_eq!(recipients(&app).await, [CLEO.1]);
    let mail = app.one_mail().await;
    let why = "ben@example.com does not want alerts of this project";
    assert!(mail.text.contains(why), "{}", mail.text);
    let (_, page) = app.get("/view_traceback?filename=shop/cart.py").await;
    assert!(page.contains(why), "{page}");

    let (_, page) = app.post(&ben, &[("back", "1")]).await;
    assert!(page.contains("Subscribed again"), "{page}");
    assert!(store.unwanted_mails().await.expect("store").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_click_may_be_multipart_and_watchers_can_leave_too() {
    let app = App::start().await;
    add_rule(&app, "watch_list", r#"{"email": "Wanda@example.com", "filepath": "shop"}"#).await;
    let body = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    let wanda = link(&app, "wanda@example.com", "alerts");
    let kind = "multipart/form-data; boundary=b";
    assert_eq!(post_body(&app, &wanda, kind, body.into()).await.0, 200);
    app.report(&request(&CART)).await;
    assert_eq!(recipients(&app).await, [BEN.1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn digest_of_somebody_who_unsubscribes_goes_to_the_next_owner() {
    let app = App::with("mails_per_person_per_hour", "1").start().await;
    app.report(&request(&CART)).await;
    assert_eq!(recipients(&app).await, [BEN.1]);
    let cart = "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n\n\ndef first(prices):\n    return prices[0]\n";
    app.repository.commit(BEN, "2026-06-01", "cart: first", &[("shop/cart.py", cart)]);
    app.report(&request(&[("/srv/app/shop/cart.py", 9, "first", "return prices[0]")])).await;
    let store = &app.server.app.store;
    wait_until("the alert waits for the digest", async || {
        !store.pending_digests().await.expect("store").is_empty()
    })
    .await;
    let ben = link(&app, BEN.1, "alerts");
    assert_eq!(app.post(&ben, &[]).await.0, 200);
    assert_eq!(recipients(&app).await, [BEN.1, TEAM]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unsubscribe_link_is_valid_for_one_person_and_kind_only() {
    let app = App::start().await;
    let ben = link(&app, BEN.1, "alerts");
    let token = ben.rsplit_once('=').expect("a token").1;
    let other = "0".repeat(32);
    let wrong = [
        format!("/unsubscribe?address=ann%40example.com&mails=alerts&token={token}"),
        format!("/unsubscribe?address=ben%40example.com&mails=weekly&token={token}"),
        format!("/unsubscribe?address=ben%40example.com&mails=%3Cb%3E&token={token}"),
        format!("/unsubscribe?address=ben%40example.com%0D%0ABcc:x&mails=alerts&token={token}"),
        format!("/unsubscribe?address=%3Cscript%3E&mails=alerts&token={other}"),
        format!("/unsubscribe?address={}&mails=alerts&token={token}", "a".repeat(5_000)),
        "/unsubscribe".to_owned(),
        format!("{}0", ben),
    ];
    for path in &wrong {
        for (status, page) in [app.get(path).await, app.post(path, &[]).await] {
            assert_eq!(status, 403, "{path}");
            assert!(page.contains("not made by this") && !page.contains("<script>"), "{page}");
        }
    }
    let signer = &app.server.app.signer;
    let elsewhere = signer.sign("unsubscribe", &["other", BEN.1, "alerts"]);
    let path = format!("/unsubscribe?address=ben%40example.com&mails=alerts&token={elsewhere}");
    assert_eq!(app.post(&path, &[]).await.0, 403, "a token for another project");
    assert!(app.server.app.store.unwanted_mails().await.expect("store").is_empty());
    let form = "application/x-www-form-urlencoded";
    assert_eq!(post_body(&app, &ben, form, vec![b'x'; 100_000]).await.0, 413);
}

#[tokio::test(flavor = "multi_thread")]
async fn default_contact_can_leave_the_weekly_report_but_not_alerts() {
    let app = App::start().await;
    let alerts = link(&app, TEAM, "alerts");
    for (status, page) in [app.get(&alerts).await, app.post(&alerts, &[]).await] {
        assert!(status == 409 && page.contains("somebody has to"), "{status} {page}");
    }
    let weekly = link(&app, TEAM, "weekly");
    assert_eq!(app.post(&weekly, &[]).await.0, 200);
    let store = &app.server.app.store;
    let unwanted = store.unwanted_mails().await.expect("store");
    let unwanted: Vec<_> = unwanted.iter().map(|one| (&*one.address, &*one.kind)).collect();
    assert_eq!(unwanted, [(TEAM, "weekly")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn unreachable_addresses_are_shown_and_can_be_tried_again() {
    let smtp = SmtpServer::refusing(BEN.1);
    let app = App::with("report_error_threshold", "1").smtp(smtp).start().await;
    let (_, page) = app.get("/people").await;
    assert!(page.contains("nobody has unsubscribed"), "{page}");
    app.report(&request(&CART)).await;
    app.post(&link(&app, CLEO.1, "weekly"), &[]).await;
    assert_eq!(recipients(&app).await, [TEAM]);
    let (_, page) = app.get("/people").await;
    for expected in [BEN.1, "no such user here", "Try again", CLEO.1, "weekly", "Subscribe again"] {
        assert!(page.contains(expected), "{expected:?} is missing: {page}");
    }
    let (status, health) = app.get("/check_health").await;
    let said = "1 cannot be reached, 1 unsubscribed from mails";
    assert!(status == 200 && health.contains(said), "{health}");

    let (_, page) = app.post("/retry_address", &[("address", BEN.1), ("what", "refused")]).await;
    assert!(!page.contains("no such user here"), "{page}");
    let (_, page) = app.post("/retry_address", &[("address", CLEO.1), ("what", "weekly")]).await;
    assert!(page.contains("nobody has unsubscribed"), "{page}");
    let stranger = [("address", "<b>\r\nx"), ("what", "refused")];
    assert_eq!(app.post("/retry_address", &stranger).await.0, 404);
    let (_, page) = app.get("/view_traceback?filename=shop/cart.py").await;
    assert!(!page.contains("cannot be delivered: "), "Ben answers for it again: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reassignment_is_saved_and_the_new_owner_notified() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    assert_eq!(recipients(&app).await, [BEN.1]);
    let (status, page) = app.get("/not_mine?issue=1").await;
    for expected in ["Ben Baker", "<option value=\"shop/cart.py\"", "<option value=\"shop\""] {
        assert!(status == 200 && page.contains(expected), "{expected:?} is missing: {page}");
    }
    let mut fields = [("what", "reassign"), ("path", "shop"), ("designated_email", CLEO.1)];
    let (status, page) = app.post("/issues/1/reassign", &fields).await;
    assert!(status == 200 && page.contains("cleo@example.com answers for issue 1"), "{page}");
    app.clock.advance(UNDO_MS);
    assert_eq!(recipients(&app).await, [BEN.1, CLEO.1]);
    let mails = app.mails().await;
    assert!(mails[1].text.contains("reassigned for shop"), "{}", mails[1].text);

    // Cleo reassigns it too: the line is still Ben's, and the newer rule applies.
    fields[2] = ("proposed", ANN.1);
    assert_eq!(app.post("/issues/1/reassign", &fields).await.0, 200);
    app.clock.advance(UNDO_MS);
    assert_eq!(recipients(&app).await, [ANN.1, BEN.1, CLEO.1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reassigned_issue_in_a_digest_goes_to_the_new_owner_alone() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    assert_eq!(recipients(&app).await, [BEN.1]);
    let cart = "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n\n\ndef first(prices):\n    return prices[0]\n";
    app.repository.commit(BEN, "2026-06-01", "cart: first", &[("shop/cart.py", cart)]);
    app.report(&request(&[("/srv/app/shop/cart.py", 9, "first", "return prices[0]")])).await;
    let recipients_of = async || app.server.app.store.digest_recipients_of(2).await.expect("store");
    let ben = Recipient::Address(BEN.1.to_owned());
    wait_until("the alert waits for the digest", async || recipients_of().await == [ben.clone()])
        .await;
    let fields = [("what", "reassign"), ("path", "shop"), ("designated_email", CLEO.1)];
    assert_eq!(app.post("/issues/2/reassign", &fields).await.0, 200);
    app.clock.advance(UNDO_MS);
    assert_eq!(recipients(&app).await, [BEN.1, CLEO.1]);
    app.later();
    assert_eq!(recipients(&app).await, [BEN.1, CLEO.1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn older_address_becomes_an_alias_and_the_alert_goes_there() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    assert_eq!(recipients(&app).await, [BEN.1]);
    let fields = [("what", "alias"), ("new_email", "baker@example.com")];
    let (status, page) = app.post("/issues/1/reassign", &fields).await;
    assert!(status == 200 && page.contains("Done: baker@example.com answers for"), "{page}");
    app.clock.advance(UNDO_MS);
    assert_eq!(recipients(&app).await, ["baker@example.com", BEN.1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn file_owner_and_suspects_authors_are_proposed() {
    let repository = TestRepository::shop();
    repository.commit(ANN, "2026-06-01", "o", &[("CODEOWNERS", "*.py olga@example.com\n")]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&request(&[WEB[0], CART[0]])).await;
    assert_eq!(recipients(&app).await, [BEN.1]);
    let (_, page) = app.get("/not_mine?issue=1").await;
    assert!(page.contains("Reassign to olga@example.com"), "{page}");
    assert!(page.contains("Reassign to ann@example.com") && page.contains("wrote shop/web.py:2"));
    assert!(!page.contains("Reassign to ben@example.com"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn useless_or_unreachable_reassignment_is_refused() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    assert_eq!(recipients(&app).await, [BEN.1]);
    app.post(&link(&app, CLEO.1, "alerts"), &[]).await;
    let long = "x".repeat(10_000);
    let cases: [(&str, &str, &str, &str); 8] = [
        ("reassign", "shop", BEN.1, "It would still go to ben@example.com"),
        ("reassign", "shop", CLEO.1, "cleo@example.com does not want alerts"),
        ("reassign", "etc/passwd", ANN.1, "Choose the file, or a folder above it"),
        ("reassign", "shop", "", "Write the address"),
        ("reassign", "shop", "ann@example.com\r\nBcc: eve@example.com", "is not a mail address"),
        ("reassign", "shop", "<script>alert(1)</script>", "is not a mail address"),
        ("alias", "shop", "nobody", "is not a mail address"),
        ("alias", "shop", &long, "is too long"),
    ];
    for (what, path, address, problem) in cases {
        let fields =
            [("what", what), ("path", path), ("designated_email", address), ("new_email", address)];
        let (status, page) = app.post("/issues/1/reassign", &fields).await;
        assert!(status == 422 && page.contains(problem), "{what} {problem}: {status} {page}");
        assert!(!page.contains("<script>"), "{page}");
    }
    let rules = app.server.app.rules.get();
    assert!(rules.rules.reassignments.is_empty() && rules.rules.email_aliases.is_empty());
    for number in ["2", "-1", "x", "", "99999999999999999999", "1 OR 1=1"] {
        for path in ["/not_mine", "/mute"] {
            let encoded = number.replace(' ', "+");
            assert_eq!(app.get(&format!("{path}?issue={encoded}")).await.0, 404, "{number}");
        }
        for action in ["reassign", "mute", "resolve", "reopen", "notify", "known_error"] {
            let path = format!("/issues/{number}/{action}");
            assert_eq!(app.post(&path, &[]).await.0, 404, "{path} {number}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unblamed_line_can_be_taken_from_nobody() {
    let app = App::with("report_error_threshold", "1").without_repository().start().await;
    app.report(&request(&CART)).await;
    assert_eq!(recipients(&app).await, [TEAM]);
    let (_, page) = app.get("/not_mine?issue=1").await;
    assert!(page.contains("there is nobody to reassign it from"), "{page}");
    let fields = [("what", "reassign"), ("path", ""), ("proposed", ANN.1)];
    assert_eq!(app.post("/issues/1/reassign", &fields).await.0, 422);
}

#[tokio::test(flavor = "multi_thread")]
async fn muted_issue_is_counted_and_notified_only_after_its_time() {
    let app = App::with("report_error_threshold", "3").start().await;
    app.report(&request(&CART)).await;
    app.settle().await;
    let (_, page) = app.get("/mute?issue=1").await;
    assert!(
        page.contains("For a week") && page.contains("has been notified of it so far"),
        "{page}"
    );
    let (status, page) = app.post("/issues/1/mute", &[("time", "week")]).await;
    assert!(status == 200 && page.contains("until 2026-11-29 12:00:00"), "{page}");
    for _ in 0..5 {
        app.report(&request(&CART)).await;
    }
    assert!(app.mails().await.is_empty());
    let (_, page) = app.get("/").await;
    assert!(
        page.contains(">muted</span>") && page.contains("<span class=\"count\">6</span>"),
        "{page}"
    );
    app.clock.advance(7 * 86_400_000);
    app.report(&request(&CART)).await;
    assert_eq!(recipients(&app).await, [BEN.1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn mute_without_end_lasts_and_can_be_undone() {
    let app = App::with("report_error_threshold", "2").start().await;
    app.report(&request(&CART)).await;
    app.settle().await;
    let (_, page) = app.post("/issues/1/mute", &[("time", "ever")]).await;
    assert!(page.contains("forever"), "{page}");
    app.clock.advance(365 * 86_400_000);
    app.report(&request(&CART)).await;
    assert!(app.mails().await.is_empty());
    let (_, page) = app.post("/issues/1/mute", &[("time", "off")]).await;
    assert!(!page.contains("<th>Muted</th>"), "{page}");
    app.report(&request(&CART)).await;
    assert_eq!(recipients(&app).await, [BEN.1]);
    let odd = app.post("/issues/1/mute", &[("time", "<b>\u{202e}")]).await;
    assert!(odd.0 == 422 && odd.1.contains("&#60;b&#62;"), "{odd:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn issue_is_resolved_by_hand_with_a_commit_or_without() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    app.settle().await;
    let revision = app.server.app.rules.get().revision;
    let (status, page) = app.post("/issues/1/resolve", &[("commit", "")]).await;
    assert!(status == 200 && page.contains("on 2026-11-22 12:00:00: marked as resolved by hand"));
    assert!(page.contains(">Reopen</button>"), "{page}");
    assert!(app.server.app.rules.get().revision > revision, "cached verdicts are discarded");
    assert!(app.get("/").await.1.contains(">resolved</span>"));
    let (_, page) = app.post("/issues/1/reopen", &[]).await;
    assert!(page.contains(">Resolve</button>"), "{page}");

    let head = app.repository.git(&["rev-parse", "HEAD"]);
    let short = format!(" {} ", head[..8].to_uppercase());
    let (_, page) = app.post("/issues/1/resolve", &[("commit", &short)]).await;
    assert!(page.contains(&format!("by {}, on 2026-11-22", &head[..12])), "{page}");
    let issue = app.server.app.store.issue(1).await.expect("store").expect("there");
    assert_eq!((issue.resolved_at, issue.resolved_by.as_deref()), (Some(NOW), Some(&*head)));
    for (commit, problem) in [
        ("0123456789", "no commit 0123456789"),
        ("main", "is not a commit"),
        ("--upload-pack=x", "is not a commit"),
        ("<script>", "is not a commit"),
        (&"a".repeat(10_000), "is not a commit"),
    ] {
        let (status, page) = app.post("/issues/1/resolve", &[("commit", commit)]).await;
        assert!(status == 422 && page.contains(problem), "{commit}: {page}");
        assert!(!page.contains("<script>"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn command_line_says_what_is_muted_and_resolved() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    app.settle().await;
    app.post("/issues/1/mute", &[("time", "ever")]).await;
    app.post("/issues/1/resolve", &[]).await;
    let conf = app.conf();
    let issues = |more: &[&str]| {
        let arguments = ["issues", "-conf", &conf, "--week", "2026-11-22"];
        let arguments: Vec<&str> = arguments.iter().chain(more).copied().collect();
        stdout(&flawless(app.folder.path(), &arguments))
    };
    let text = issues(&[]);
    assert!(text.contains("notified, muted, resolved"), "{text}");
    let line: Value = serde_json::from_str(&issues(&["--json"])).expect("one line of JSON");
    assert!(line["muted_until"].as_str().expect("a date").starts_with("9000-01-0"), "{line}");
    assert!(line["resolved_at"].is_string() && line["resolved_by"].is_null(), "{line}");
}
