//! What signed-in people may do, for how long, and who decides it.
use crate::harness::{
    Answer, App, AppBuilder, BEN, CLEO, Surfer, TestRepository, request, with_sign_in,
};

const DAY: i64 = 86_400_000;

fn with_root() -> AppBuilder {
    with_sign_in().with("administrators", "root@example.com")
}

async fn surfer(app: &App, address: &str) -> Surfer {
    let surfer = Surfer::new(app);
    surfer.sign_in(app, address).await;
    surfer
}

#[tokio::test]
async fn role_change_takes_effect_immediately() {
    let app = with_root().start().await;
    let (root, ann) =
        (surfer(&app, "root@example.com").await, surfer(&app, "ann@example.com").await);
    assert_eq!(ann.get("/rules/known_errors/add").await.status, 200, "a developer");
    let refused = ann.get("/people/roles").await;
    assert_eq!(refused.status, 403);
    let why = "This requires the role administrator, but ann@example.com has the role developer";
    assert!(refused.body.contains(why), "{}", refused.body);
    let give = async |address: &str, role: &str| {
        root.post("/people/roles/save", &[("address", address), ("role", role)]).await.status
    };
    assert_eq!(give("ann@example.com", "reader").await, 303);
    assert_eq!(ann.get("/rules/known_errors/add").await.status, 403);
    assert_eq!(ann.get("/").await.status, 200);
    let list = root.get("/people/roles").await.body;
    assert!(list.contains("given by an administrator: root@example.com"), "{list}");
    let there = surfer(&app, "ann@example.com").await;
    assert_eq!(give("ann@example.com", "blocked").await, 303);
    // A person who is refused can still sign out, by a form of this session.
    let form_token = there.get("/").await.field("form_token");
    for (form_token, status) in [("", 403), (form_token.as_str(), 303)] {
        let out = there.post_bare("/sign_out", &[("form_token", form_token)]).await;
        assert_eq!(out.status, status, "{}", out.body);
    }
    assert_eq!(there.get("/").await.status, 303, "signed out, free to sign in as another");
    let blocked = ann.get("/").await;
    assert_eq!(blocked.status, 403);
    assert!(blocked.body.contains("ann@example.com may not see these pages"), "{}", blocked.body);
    assert_eq!(give("ann@example.com", "").await, 303);
    assert_eq!(ann.get("/rules/known_errors/add").await.status, 200, "the given role is withdrawn");
    assert_eq!(give("guest@other.org", "administrator").await, 303);
    let guest = surfer(&app, "guest@other.org").await;
    let own = [("address", "guest@other.org"), ("role", "reader")];
    assert_eq!(guest.post("/people/roles/save", &own).await.status, 409, "not one's own");
    let over = [("address", "root@example.com"), ("role", "blocked")];
    assert_eq!(guest.post("/people/roles/save", &over).await.status, 409);
    assert_eq!(root.get("/people/roles").await.status, 200, "the configuration takes precedence");
    let log = root.get("/actions").await.body;
    assert!(!log.contains("root@example.com was blocked"), "refused actions are not logged: {log}");
    for (address, role) in [("nobody", "reader"), ("ann@example.com", "king")] {
        assert_eq!(give(address, role).await, 422);
    }
}

#[tokio::test]
async fn strangers_get_code_and_values_only_by_an_administrator() {
    let repository = TestRepository::shop();
    repository.commit(CLEO, "2026-07-01", "notes", &[("NOTES", "x\n")]);
    let app = with_root().with("default_role", "developer").repository(repository).start().await;
    let cart = ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
    app.report(&request(&[cart])).await;
    app.settle().await;
    let (root, ann) =
        (surfer(&app, "root@example.com").await, surfer(&app, "ann@example.com").await);
    let to = |address: &'static str| {
        [("what", "reassign"), ("path", "shop/cart.py"), ("designated_email", address)]
    };
    let alias = [("what", "alias"), ("new_email", "eve@evil.test")];
    let known = [
        ("filename", "shop/cart.py"),
        ("email_recipients", "eve@evil.test"),
        ("min_alert_threshold", "1"),
    ];
    for (form, fields) in [
        ("/issues/1/reassign", &to("eve@evil.test")[..]),
        ("/issues/1/reassign", &alias),
        ("/issues/1/known_error", &known),
    ] {
        let refused = ann.post(form, fields).await;
        assert_eq!(refused.status, 422, "{form}: {}", refused.body);
        assert!(refused.body.contains("eve@evil.test is not known here"), "{}", refused.body);
    }
    let form = ann.get("/issues/1/reassign").await.body;
    assert!(form.contains(&format!("<option value=\"{}\">", CLEO.1)), "colleagues: {form}");
    // Cleo has a commit and does not need permission to sign in.
    assert_eq!(ann.post("/issues/1/reassign", &to(CLEO.1)).await.status, 303);
    app.clock.advance(60_000);
    app.settle().await;
    assert!(app.smtp.mails().iter().all(|mail| mail.to != CLEO.1), "it can be undone");
    app.clock.advance(61_000);
    assert_eq!(app.mails().await.iter().filter(|mail| mail.to == CLEO.1).count(), 1);
    assert_eq!(root.post("/issues/1/reassign", &to("eve@evil.test")).await.status, 303);
    let done = app.server.app.store.actions(None, 1).await.expect("store")[0].id;
    let undone = root.post(&format!("/actions/{done}/undo"), &[]).await;
    assert_eq!(undone.status, 303, "{}", undone.body);
    app.clock.advance(10 * 60_000);
    let mails = app.mails().await;
    assert!(mails.iter().all(|mail| mail.to != "eve@evil.test"), "{mails:#?}");
}

#[tokio::test]
async fn servers_on_one_host_share_neither_sessions_nor_threads() {
    let (one, other) = (with_root().start().await, with_root().start().await);
    let name =
        |answer: &Answer| answer.cookies()[0].split_once('=').expect("a cookie").0.to_owned();
    let mut names = Vec::new();
    let mut lists = Vec::new();
    for app in [&one, &other] {
        let surfer = Surfer::new(app);
        let link = surfer.ask_link(app, "ann@example.com", "/").await;
        names.push(name(&surfer.use_link(&link).await));
        let cart = ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
        app.report(&request(&[cart])).await;
        let mails = app.mails().await;
        let alert = mails.iter().find(|mail| mail.to == BEN.1).expect("an alert");
        lists.push((alert.header("list-id").to_owned(), alert.header("references").to_owned()));
    }
    assert_ne!(names[0], names[1]);
    assert!(lists[0].0 != lists[1].0 && lists[0].1 != lists[1].1, "{lists:?}");
    one.clock.advance(1_000);
    let (before, one) = (names[0].clone(), one.restart().await);
    let surfer = Surfer::new(&one);
    let link = surfer.ask_link(&one, "ann@example.com", "/").await;
    assert_eq!(name(&surfer.use_link(&link).await), before, "the name does not change");
}

#[tokio::test]
async fn sessions_end_by_themselves_and_by_hand() {
    let app = with_root().start().await;
    let (here, there) =
        (surfer(&app, "ann@example.com").await, surfer(&app, "ann@example.com").await);
    let other = surfer(&app, "ben@example.com").await;
    app.clock.advance(20 * DAY);
    let used = here.get("/").await;
    assert!(used.cookies()[0].contains("Max-Age=2592000"), "it lasts longer when it is used");
    assert!(here.get("/").await.cookies().is_empty(), "the cookie is renewed once an hour");
    app.clock.advance(20 * DAY);
    assert!(here.is_in().await && !there.is_in().await, "only the one that was used");
    assert!(!other.is_in().await);

    let (there, root) =
        (surfer(&app, "ann@example.com").await, surfer(&app, "root@example.com").await);
    let id = there.get("/account").await.field("id");
    assert_eq!(root.post("/account/end_session", &[("id", &id)]).await.status, 303);
    assert!(here.is_in().await, "nobody can end another person's session");
    assert_eq!(there.post("/account/end_session", &[("id", &id)]).await.status, 303);
    assert!(!here.is_in().await && there.is_in().await);
    let signed_out = there.post("/sign_out", &[]).await;
    assert_eq!(signed_out.location(), "/sign_in");
    assert!(!there.is_in().await);

    let (here, there) =
        (surfer(&app, "ann@example.com").await, surfer(&app, "ann@example.com").await);
    assert_eq!(here.post("/sign_out_everywhere", &[]).await.status, 303);
    assert!(!here.is_in().await && !there.is_in().await);
    let here = surfer(&app, "ann@example.com").await;
    let ann = [("address", "ann@example.com")];
    assert_eq!(root.post("/people/roles/sign_out", &ann).await.status, 303);
    assert!(!here.is_in().await && root.is_in().await);
}

#[tokio::test]
async fn session_has_a_secret_and_forms_of_its_own() {
    let app = with_root().start().await;
    let ann = Surfer::new(&app);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let link = ann.ask_link(&app, "ann@example.com", "/").await;
        seen.push(ann.use_link(&link).await.cookies()[0].to_owned());
    }
    assert_ne!(seen[0], seen[1]);
    let account = ann.get("/account").await.body;
    assert!(!account.contains("end_session"), "the earlier session has ended: {account}");
    let ben = surfer(&app, "ben@example.com").await;
    let (token, of_ben) = (ann.form_token().await, ben.form_token().await);
    assert_ne!(token, of_ben);
    let save = async |token: &str| {
        let fields = [("exc_name", "a.B"), ("form_token", token)];
        ann.post_bare("/save_ignored_exceptions", &fields).await.status
    };
    for forged in ["", &of_ben, &app.form_token()] {
        assert_eq!(save(forged).await, 403, "{forged:?}");
    }
    assert!(app.server.app.rules.get().rules.ignored_exceptions.is_empty());
    assert_ne!(save(&token).await, 403);
}

#[tokio::test]
async fn trusted_proxy_alone_says_who_signed_in() {
    let header = "x-forwarded-email";
    let app = with_root().with("proxy_user_header", header);
    let app = app.with("trusted_proxies", "10.0.0.0/8, 127.0.0.1").start().await;
    let ann = Surfer::new(&app).header(header, "Ann@example.com");
    let page = ann.get("/account").await.body;
    assert!(page.contains("ann@example.com") && page.contains("developer"), "{page}");
    assert!(!page.contains("Sign out"), "the proxy would sign in again: {page}");
    let fields = [("exc_name", "a.B")];
    assert_eq!(ann.post_bare("/save_ignored_exceptions", &fields).await.status, 403);
    assert_eq!(ann.post("/save_ignored_exceptions", &fields).await.status, 303);
    let eve = Surfer::new(&app).header(header, "eve@evil.example").get("/").await;
    assert_eq!(eve.status, 403);
    let twice =
        Surfer::new(&app).header(header, "root@example.com").header(header, "a@example.com");
    assert!(!twice.is_in().await, "one of them is forged");
    assert!(!Surfer::new(&app).is_in().await);

    let app = with_root().with("proxy_user_header", header);
    let app = app.with("trusted_proxies", "10.0.0.0/8").start().await;
    let forged = Surfer::new(&app).header(header, "root@example.com");
    assert!(!forged.is_in().await, "this peer is not a proxy");
}
