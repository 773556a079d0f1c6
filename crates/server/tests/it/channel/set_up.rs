//! Delivery of posts: signed, retried, only to permitted addresses, and without delaying others.
use std::collections::HashMap;
use std::process::Command;

use flawless_base::secret::Secret;
use flawless_store::NewChannel;
use standardwebhooks::Webhook as Verifier;

use crate::harness::{
    ANN, App, AppBuilder, BEN, NOW, Posted, Webhook, flawless, flawless_with_input, python,
    request, stderr, stdout, wait_until,
};

pub const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];
const WEB: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/web.py", 2, "handle", "return cart.total()")];
const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A server that may post to this machine.
pub fn app() -> AppBuilder {
    App::with("webhook_private_addresses", "true")
}

/// Adds a channel as the command line does; returns its number.
pub async fn add(app: &App, kind: &'static str, url: &str, owner: Option<&str>) -> i64 {
    let secret = (kind == "json").then(|| Secret::new(KEY));
    let owner = owner.map(str::to_owned);
    let channel = NewChannel { kind, url: Secret::new(url), secret, owner };
    let mut tx = app.server.app.store.write().await.expect("store");
    let number = tx.add_channel(&channel, NOW).await.expect("store");
    tx.commit().await.expect("store");
    number
}

/// The text about channels on the page Health, and the page's status.
async fn health(app: &App) -> (u16, String) {
    let (status, page) = app.get("/check_health").await;
    let line = page.lines().find(|line| line.contains(">channels</th>")).expect("a part");
    (status, line.to_owned())
}

/// Waits until no post is waiting; returns how many posts were given up.
async fn given_up(app: &App) -> i64 {
    let states = async || app.server.app.store.post_states(0).await.expect("store");
    wait_until("no post is waiting", async || {
        let states = states().await;
        !states.is_empty() && states.iter().all(|state| state.waiting == 0)
    })
    .await;
    states().await.iter().map(|state| state.given_up).sum()
}

async fn all_taken(app: &App) {
    wait_until("all posts are accepted", async || {
        app.server.app.store.post_states(0).await.expect("store").is_empty()
    })
    .await;
}

async fn failed_once(app: &App) {
    wait_until("an attempt has failed", async || {
        let states = app.server.app.store.post_states(0).await.expect("store");
        states.iter().any(|state| state.last_error.is_some())
    })
    .await;
}

/// Checks a signature with the reference library of Standard Webhooks.
fn is_signed(post: &Posted) {
    let (id, timestamp) = (post.header("webhook-id"), post.header("webhook-timestamp"));
    let timestamp = timestamp.parse().expect("seconds");
    let expected = Verifier::new(KEY).expect("a key").sign(id, timestamp, &post.body);
    assert_eq!(post.header("webhook-signature"), expected.expect("a signature"));
}

#[tokio::test(flavor = "multi_thread")]
async fn signed_post_is_the_same_at_each_attempt_but_for_its_time() {
    let (app, hook) = (app().start().await, Webhook::start().await);
    hook.reply(500, &[], "out of order");
    add(&app, "json", &hook.url("/hook?token=abc"), None).await;
    app.report(&request(&CART)).await;
    failed_once(&app).await;
    let (_, page) = app.get("/view_traceback?filename=shop/cart.py").await;
    assert!(page.contains(">json channel 1<") && page.contains("out of order"), "{page}");
    app.clock.advance(60_000);
    let posts = hook.wait_for(2).await;
    all_taken(&app).await;
    let [first, second] = &posts[..] else { panic!("{posts:?}") };
    assert_eq!(first.path, "/hook?token=abc");
    assert_eq!(
        (&first.body, first.header("webhook-id")),
        (&second.body, second.header("webhook-id"))
    );
    assert_eq!(first.header("webhook-timestamp"), (NOW / 1000).to_string());
    assert_eq!(second.header("webhook-timestamp"), (NOW / 1000 + 60).to_string());
    assert_eq!(first.header("content-type"), "application/json");
    posts.iter().for_each(is_signed);
    let (body, alert) = (first.json(), &first.json()["alerts"][0]);
    assert_eq!(body["id"], first.header("webhook-id"));
    assert_eq!((&body["version"], &body["event"]), (&1.into(), &"alert".into()));
    assert_eq!(alert["title"], "ValueError in total");
    assert_eq!((&alert["owner"], &alert["hostname"]), (&BEN.1.into(), &"web-01".into()));
    assert_eq!(app.one_mail().await.to, BEN.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn service_that_asks_to_wait_is_left_alone_that_long() {
    let (app, hook) = (app().start().await, Webhook::start().await);
    hook.reply(429, &[("retry-after", "120".to_owned())], "slow down");
    add(&app, "slack", &hook.url("/"), None).await;
    app.report(&request(&CART)).await;
    failed_once(&app).await;
    let other = Webhook::start().await;
    add(&app, "slack", &other.url("/"), None).await;
    app.clock.advance(119_000);
    app.report(&request(&WEB)).await;
    other.wait_for(1).await;
    assert_eq!(hook.posts().len(), 1, "not before two minutes are over");
    app.clock.advance(2_000);
    hook.wait_for(2).await;
    all_taken(&app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_are_refused_and_not_followed() {
    let (app, hook, victim) = (app().start().await, Webhook::start().await, Webhook::start().await);
    hook.reply(307, &[("location", victim.url("/secret"))], "");
    add(&app, "slack", &hook.url("/"), None).await;
    app.report(&request(&CART)).await;
    assert_eq!(given_up(&app).await, 1);
    assert!(victim.posts().is_empty());
    let (status, words) = health(&app).await;
    assert!(status == 200 && words.contains("redirect to 127.0.0.1"), "{status} {words}");
    assert!(!words.contains("/secret"), "{words}");
}

#[tokio::test(flavor = "multi_thread")]
async fn private_addresses_are_not_connected_to_by_name_or_number() {
    let (app, hook) = (App::start().await, Webhook::start().await);
    let port = hook.address.port();
    // As if they had been added while they were allowed, or while their names resolved elsewhere.
    for host in ["localhost", "127.0.0.1", "0x7f000001", "[::ffff:127.0.0.1]"] {
        add(&app, "slack", &format!("https://{host}:{port}/"), None).await;
    }
    add(&app, "slack", &hook.url("/"), None).await;
    app.report(&request(&CART)).await;
    let count = async || {
        let states = app.server.app.store.post_states(0).await.expect("store");
        let tried = states.iter().filter(|state| state.last_error.is_some()).count();
        (tried, states.iter().map(|state| state.given_up).sum::<i64>())
    };
    // A name may resolve to another address later; a number cannot.
    wait_until("all posts are tried", async || count().await == (5, 4)).await;
    assert!(hook.posts().is_empty());
    let (_, words) = health(&app).await;
    assert!(
        words.contains("localhost leads to ") && words.contains("which is not public"),
        "{words}"
    );
    assert!(words.contains("is not a public address. Set webhook_private_addresses"), "{words}");
    assert_eq!(app.one_mail().await.to, BEN.1, "the mail is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn gone_webhook_is_shown_and_skipped_until_a_test_succeeds() {
    let (app, hook) = (app().start().await, Webhook::start().await);
    (0..2).for_each(|_| hook.reply(404, &[], "no_service"));
    let number = add(&app, "slack", &hook.url("/services/T0/B0/xyz"), None).await;
    app.report(&request(&CART)).await;
    failed_once(&app).await;
    app.clock.advance(3_600_000);
    assert_eq!(given_up(&app).await, 1);
    let (status, words) = health(&app).await;
    assert!(words.contains("no_service") && words.contains(">not ok<"), "{words}");
    assert_eq!(status, 200, "the alerts are in the mails");
    assert!(words.contains("flawless channels remove 1"), "{words}");
    app.clock.advance(3_600_000);
    app.report(&request(&WEB)).await;
    wait_until("the mail has come", async || app.smtp.mails().len() == 2).await;
    assert_eq!(hook.posts().len(), 2);
    let folder = app.folder.path();
    let conf = format!("-conf={}", app.conf());
    let allow = "--set=webhook_private_addresses=true";
    let number = number.to_string();
    let listed = stdout(&flawless(folder, &["channels", "list", &conf]));
    assert!(listed.contains("broken since ") && !listed.contains("xyz"), "{listed}");
    let tested = stdout(&flawless(folder, &["channels", "test", &number, &conf, allow]));
    assert!(tested.contains("accepted the test: 200 OK: ok"), "{tested}");
    assert!(health(&app).await.1.contains(">ok<"));
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_away_for_minutes_gets_the_post_afterwards() {
    let (app, hook) = (app().start().await, Webhook::start().await);
    hook.reply(410, &[], "it is being moved");
    add(&app, "slack", &hook.url("/"), None).await;
    app.report(&request(&CART)).await;
    failed_once(&app).await;
    let broken = async || app.server.app.store.channels().await.expect("store")[0].broken_at;
    assert_eq!(broken().await, None, "one failure does not break a channel");
    app.clock.advance(15_000);
    hook.wait_for(2).await;
    all_taken(&app).await;
    assert_eq!(broken().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn hanging_webhook_holds_up_no_mail_and_no_other_channel() {
    let (app, hook, other) = (app().start().await, Webhook::start().await, Webhook::start().await);
    hook.hang();
    add(&app, "slack", &hook.url("/"), None).await;
    add(&app, "slack", &other.url("/"), None).await;
    app.report(&request(&CART)).await;
    hook.wait_for(1).await;
    app.clock.advance(3_600_000);
    app.report(&request(&WEB)).await;
    other.wait_for(2).await;
    wait_until("both mails have come", async || app.smtp.mails().len() == 2).await;
    assert_eq!(hook.posts().len(), 1, "one at a time to a channel");
    let waiting = app.server.app.store.post_states(0).await.expect("store");
    assert_eq!(waiting.iter().map(|state| state.waiting).sum::<i64>(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_refusal_is_kept_short_and_without_the_address() {
    let (app, hook) = (app().start().await, Webhook::start().await);
    let book = format!("no /services/sec-ret\u{1b}[31m {}", "x".repeat(5_000_000));
    hook.reply(400, &[], &book);
    add(&app, "slack", &hook.url("/services/sec-ret"), None).await;
    app.report(&request(&CART)).await;
    assert_eq!(given_up(&app).await, 1);
    let states = app.server.app.store.post_states(0).await.expect("store");
    let words = states[0].last_error.clone().expect("words");
    assert!(words.starts_with("400 Bad Request: no …\u{fffd}[31m xxx"), "{words}");
    assert!(words.len() < 400, "{}", words.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn post_is_retried_while_a_service_is_down_and_given_up_later() {
    let (app, hook) = (app().start().await, Webhook::start().await);
    let url = hook.url("/");
    drop(hook);
    add(&app, "mattermost", &url, None).await;
    app.report(&request(&CART)).await;
    let attempts = async || {
        let due = app.server.app.store.due_posts(i64::MAX).await.expect("store");
        due.first().map(|post| post.attempts)
    };
    for number in 1..=4 {
        wait_until("another attempt was made", async || attempts().await >= Some(number)).await;
        app.clock.advance(3_600_000);
    }
    app.clock.advance(5 * 86_400_000);
    assert_eq!(given_up(&app).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_channel_gets_only_what_its_owner_answers_for() {
    let (app, ben, all) = (app().start().await, Webhook::start().await, Webhook::start().await);
    add(&app, "json", &ben.url("/"), Some("Ben@Example.com")).await;
    add(&app, "json", &all.url("/"), None).await;
    app.report(&request(&WEB)).await;
    all.wait_for(1).await;
    app.clock.advance(3_600_000);
    app.report(&request(&CART)).await;
    let posts = all.wait_for(2).await;
    let owners: Vec<_> =
        posts.iter().map(|post| post.json()["alerts"][0]["owner"].clone()).collect();
    assert_eq!(owners, [ANN.1, BEN.1]);
    let bens = ben.wait_for(1).await;
    assert_eq!(bens.len(), 1);
    assert_eq!(bens[0].json()["alerts"][0]["owner"], BEN.1);
}

/// The verdict of the snippet of docs/channels.md about a post.
fn documented_check(key: &str, post: &Posted, body: &[u8]) -> bool {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/channels.md");
    let page = std::fs::read_to_string(page).expect("a page");
    let snippet = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next());
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: HashMap<&str, &str> = names.map(|name| (name, post.header(name))).into();
    let code = format!(
        "{}\nimport json, sys\nprint(verify(sys.argv[1], json.loads(sys.argv[2]), sys.argv[3].encode()))",
        snippet.expect("a snippet")
    );
    let output = Command::new(crate::harness::python())
        .args(["-c", &code, key, &serde_json::json!(headers).to_string()])
        .arg(std::str::from_utf8(body).expect("text"))
        .output()
        .expect("python");
    stdout(&output) == "True\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_are_added_listed_tested_and_removed() {
    let (hook, folder) = (Webhook::start().await, tempfile::tempdir().expect("a folder"));
    let data = format!("--set=data_dir_path={}", folder.path().display());
    let run = |arguments: &[&str]| {
        let arguments = [&["channels"], arguments, &[&data]].concat();
        flawless(folder.path(), &arguments)
    };
    let allow = "--set=webhook_private_addresses=true";
    let url = hook.url("/hooks/very-secret");
    for (arguments, words) in [
        (vec!["add", "json", url.as_str()], "http is not encrypted"),
        (vec!["add", "json", "https://localhost/x"], "localhost leads to "),
        (vec!["add", "json", "https://[::1]/x"], "::1 is not a public address"),
        (vec!["add", "json", "https://name.invalid/x"], "name.invalid cannot be looked up"),
        (vec!["add", "json", "javascript:alert(1)"], "javascript: is not a webhook"),
        (vec!["add", "json", &url, allow, "--for", "ben"], "\"ben\" is not a mail address"),
        (vec!["add", "irc", &url], "invalid value 'irc'"),
        (vec!["remove", "1"], "channel 1 does not exist"),
        (vec!["test", "1"], "channel 1 does not exist"),
    ] {
        let output = run(&arguments);
        assert!(!output.status.success() && stderr(&output).contains(words), "{output:?}");
    }
    let added = stdout(&run(&["add", "json", &url, allow, "--for", "ben@example.com"]));
    let again =
        format!("Try it: flawless channels test 1 --set {} --set {}", &allow[6..], &data[6..]);
    assert!(added.contains(&again), "{added}");
    let key = added.split_whitespace().find(|word| word.starts_with("whsec_")).expect("a key");
    let listed = stdout(&run(&["list"]));
    assert!(
        listed.contains("   1  json ") && listed.contains("alerts of ben@example.com"),
        "{listed}"
    );
    assert!(!listed.contains("secret") && !listed.contains(key), "{listed}");
    assert!(stderr(&run(&["test", "1"])).contains("http is not encrypted"));
    assert!(stdout(&run(&["test", "1", allow])).contains("accepted the test: 200 OK: ok"));
    let post = hook.wait_for(1).await.remove(0);
    // This post is recent, which the library checks as well.
    Verifier::new(key).expect("a key").verify(&post.body, &post.headers).expect("it is signed");
    assert_eq!(post.json()["event"], "test");
    assert!(documented_check(key, &post, &post.body));
    assert!(!documented_check(key, &post, b"{}"), "another body");
    assert!(!documented_check(KEY, &post, &post.body), "another key");
    assert_eq!(stdout(&run(&["remove", "1"])), "channel 1 is removed\n");
    assert!(stdout(&run(&["list"])).contains("There are no channels"));
    let arguments = ["channels", "add", "slack", "-", allow, &data];
    let added = stdout(&flawless_with_input(folder.path(), &arguments, &format!("{url}\n")));
    assert!(added.contains("was added as number 2"), "a number is never used twice: {added}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_certificate_is_refused_and_a_known_one_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, authority) = crate::mail::delivery::certificates(folder.path());
    let script = "import ssl, sys, http.server
class Take(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.send_response(204); self.end_headers()
listener = http.server.HTTPServer(('127.0.0.1', 0), Take)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1])
listener.socket = context.wrap_socket(listener.socket, server_side=True)
print(listener.server_port, flush=True)
listener.serve_forever()";
    let mut child = Command::new(crate::harness::python())
        .args(["-c", script, &server])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("python");
    let mut port = String::new();
    let mut output = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
    std::io::BufRead::read_line(&mut output, &mut port).expect("a port");
    let data = format!("--set=data_dir_path={}", folder.path().display());
    let allow = "--set=webhook_private_addresses=true";
    let url = format!("https://localhost:{}/", port.trim());
    stdout(&flawless(folder.path(), &["channels", "add", "discord", &url, &data, allow]));
    let test = |authority: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
        command.args(["channels", "test", "1", &data, allow]).env_remove("SSL_CERT_DIR");
        if let Some(authority) = authority {
            command.env("SSL_CERT_FILE", authority);
        }
        command.output().expect("it runs")
    };
    let refused = stderr(&test(None)).to_lowercase();
    assert!(refused.contains("did not accept") && refused.contains("certificate"), "{refused}");
    assert!(stdout(&test(Some(&authority))).contains("accepted the test: 204 No Content"));
    child.kill().expect("killed");
    child.wait().expect("ended");
}

/// Makes every update of the outbox fail, as on a full disk, or ends that.
fn outbox_fails(app: &App, fails: bool) {
    let script = "import sqlite3, sys
with sqlite3.connect(sys.argv[1]) as database:
    database.execute(sys.argv[2])";
    let statement = match fails {
        true => "CREATE TRIGGER fails BEFORE UPDATE ON outbox BEGIN SELECT RAISE(FAIL, 'no'); END",
        false => "DROP TRIGGER fails",
    };
    let mut command = Command::new(python());
    command.args(["-c", script]).arg(app.folder.path().join("data/flawless.db")).arg(statement);
    assert!(command.status().expect("python runs").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_post_is_not_repeated_when_it_cannot_be_noted() {
    let (app, hook) = (app().in_file().start().await, Webhook::start().await);
    add(&app, "json", &hook.url("/hook"), None).await;
    outbox_fails(&app, true);
    app.report(&request(&CART)).await;
    hook.wait_for(1).await;
    // An attempt holds this until it has noted its result, or failed to.
    drop(app.server.app.posting.write().await);
    outbox_fails(&app, false);
    app.clock.advance(120_000);
    all_taken(&app).await;
    assert_eq!(hook.posts().len(), 1);
}
