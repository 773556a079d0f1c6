//! The pages, as a browser gets them.
use flawless_store::RuleList;

use crate::harness::{App, BEN, request};

const CART: [(&str, i64, &str, &str); 2] = [
    ("/opt/py/site-packages/flask/app.py", 10, "dispatch", "return view()"),
    ("/srv/app/shop/cart.py", 5, "total", "    return sum(prices) / len(prices)\n"),
];

#[tokio::test]
async fn links_of_a_mail_lead_to_their_pages() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    let mail = app.one_mail().await;
    let base = format!("http://{}", app.server.http_address);
    let links = mail.text.lines().filter_map(|line| line.trim().strip_prefix(&base));
    let links: Vec<&str> = links.collect();
    let [view, mine, known, ..] = links[..] else { panic!("at least three links: {links:?}") };
    let (status, page) = app.get(view).await;
    assert_eq!(status, 200);
    for expected in
        ["Ben Baker", "not a file of the repository", "where", "← blamed", "sent 2026-11-22"]
    {
        assert!(page.contains(expected), "{expected:?} is missing: {page}");
    }
    assert_eq!(mine, format!("/#{}", BEN.1));
    assert!(app.get("/").await.1.contains(&format!("id=\"{}\"", BEN.1)));
    let (status, form) = app.get(known).await;
    assert!(
        status == 200
            && form.contains("value=\"shop/cart.py\"")
            && form.contains("value=\"total\"")
    );
}

#[tokio::test]
async fn forms_of_0_4_5_make_rules_that_can_be_seen_and_removed() {
    let app = App::start().await;
    type Form<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str);
    let forms: [Form<'_>; 6] = [
        (
            "/save_known_error",
            &[
                ("filename", "a.py"),
                ("code_fragment", "x"),
                ("type", "known_errors"),
                ("min_alert_threshold", "5"),
                ("email_recipients", "a@example.com, b@example.com"),
            ],
            "known_errors",
        ),
        (
            "/save_known_error",
            &[("filename", "b.py"), ("type", "building_blocks")],
            "building_blocks",
        ),
        (
            "/save_watch",
            &[("filepath", "shop"), ("email", "w@example.com"), ("watch_all_errors", "true")],
            "watch_list",
        ),
        (
            "/save_remap_email",
            &[("old_email", "o"), ("new_email", "n@example.com")],
            "email_remapping",
        ),
        (
            "/save_disown_file",
            &[
                ("filepath", "shop"),
                ("email", "a@example.com"),
                ("designated_email", "b@example.com"),
            ],
            "disownership_list",
        ),
        ("/save_ignored_exceptions", &[("exc_name", "a.B")], "ignored_exceptions"),
    ];
    for (path, fields, list) in forms {
        let (status, page) = app.post(path, fields).await;
        assert_eq!(status, 200, "{path}: {page}");
        assert!(page.contains(">Remove</button>") && page.contains("Done: "), "{page}");
        let list = RuleList::parse(list).expect("a list");
        let entries = app.server.app.store.rule_entries(list).await.expect("store");
        let [rule] = &entries[..] else { panic!("one entry: {entries:?}") };
        let id = rule.id.to_string();
        let remove = format!("/rules/{}/{id}/remove", list.as_str());
        let (_, page) = app.post(&remove, &[]).await;
        assert!(page.contains("The list is empty"), "{page}");
    }
}

#[tokio::test]
async fn form_filled_in_wrongly_shows_the_problem_and_the_input() {
    let app = App::start().await;
    let (status, page) =
        app.post("/save_watch", &[("filepath", "shop/<x>"), ("email", "nobody")]).await;
    assert_eq!(status, 422);
    assert!(page.contains("&#34;nobody&#34; is not a mail address"), "{page}");
    assert!(page.contains("value=\"shop/&#60;x&#62;\""), "{page}");
    let fields = [("filename", "a.py"), ("min_alert_threshold", "many")];
    let (status, page) = app.post("/save_known_error", &fields).await;
    assert!(status == 422 && page.contains("&#34;many&#34; is not a whole number"), "{page}");
    assert_eq!(app.post("/save_known_error", &[("filename", "")]).await.0, 422);
}

#[tokio::test]
async fn pages_all_answer_and_unknown_ones_are_not_found() {
    let app = App::with("smtp_password", "hunter2").with("smtp_user", "u").start().await;
    for path in [
        "/",
        "/get_weekly_error_report?timestamp=1795000000.5",
        "/get_weekly_error_report?timestamp=x",
        "/add_known_error",
        "/add_watch",
        "/remap_email",
        "/disown_file",
        "/add_ignored_exception",
        "/admin",
        "/account",
        "/people/roles",
        "/sign_in",
        "/rules",
        "/rules/watch_list",
        "/rules/watch_list/add",
        "/actions",
        "/view_config?key=known_errors",
        "/people",
        "/people?q=x&page=9",
        "/setup",
        "/check_health",
        "/check_health.json",
        "/style.css",
    ] {
        let (status, page) = app.get(path).await;
        assert_eq!(status, 200, "{path}: {page}");
        assert!(!page.contains("hunter2"), "{path} shows a secret");
    }
    for path in ["/nothing", "/view_config?key=x", "/view_traceback?filename=no.py&line_number=x"] {
        assert_eq!(app.get(path).await.0, 404, "{path}");
    }
}

#[tokio::test]
async fn other_sites_can_neither_read_nor_change_anything() {
    let app = App::start().await;
    let url = |path: &str| format!("http://{}{path}", app.server.http_address);
    let client = reqwest::Client::new();
    let rebound = client.get(url("/")).header("host", "evil.example").send().await.expect("answer");
    assert_eq!(rebound.status(), 403);
    let token = app.form_token();
    let form = [("exc_name", "a.B"), ("form_token", &*token)];
    let crossed = client.post(url("/save_ignored_exceptions")).form(&form);
    let crossed = crossed.header("origin", "http://evil.example").send().await.expect("answer");
    assert_eq!(crossed.status(), 403);
    let policy = crossed.headers()["content-security-policy"].to_str().expect("text").to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let forged = client.post(url("/save_ignored_exceptions")).form(&[("exc_name", "a.B")]);
    assert_eq!(forged.send().await.expect("answer").status(), 403, "without a form token");
    assert!(app.server.app.rules.get().rules.ignored_exceptions.is_empty());
    let own = client.post(url("/save_ignored_exceptions")).form(&form);
    let own = own.header("origin", format!("http://{}", app.server.http_address));
    assert_eq!(own.send().await.expect("answer").status(), 200);
}

#[tokio::test]
async fn parameters_a_page_does_not_have_are_named_on_it() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    app.settle().await;
    let alias = [("old_email", "o"), ("new_email", "n@example.com")];
    app.post("/save_remap_email", &alias).await;
    for page in [
        "/?page=1",
        "/issues/1?sample=0",
        "/issues/1/mute?",
        "/issues/1/resolve?",
        "/issues/1/reassign?",
        "/issues/1/notify?",
        "/issues/1/known_error?",
        "/rules?",
        "/rules/email_remapping?page=1&text=o",
        "/rules/email_remapping/1?",
        "/rules/known_errors/add?filename=a.py&function_name=f&code_fragment=x",
        "/rules/ignored_exceptions/add?exc_name=a.B",
        "/add_known_error?filename=a.py&type=building_blocks",
        "/actions?before=9",
        "/people?q=x&page=1",
        "/people/ben%40example.com?page=1",
        "/people/roles?address=a%40b.c",
        "/setup?",
        "/check_health?format=",
    ] {
        let (status, body) = app.get(&format!("{page}&done=1")).await;
        assert!(status == 200 && !body.contains("not a parameter"), "{page}: {status} {body}");
        let (status, body) = app.get(&format!("{page}&%3Cb%3Ecolour=red")).await;
        assert_eq!(status, 200, "{page}");
        let said = body.matches("&#60;b&#62;colour").count();
        assert_eq!(said, 1, "{page}: {body}");
        assert_eq!(body.matches("not a parameter of this page. It is ignored.").count(), 1);
    }
    for (switch, is_said) in [("maybe", true), ("True", false), ("false", false), ("0", false)] {
        for name in ["include_known_errors", "include_modified_before_min_date"] {
            let (_, body) = app.get(&format!("/?{name}={switch}")).await;
            let problem = format!("{name}: “{switch}” is not True or False. It is ignored.");
            assert_eq!(body.contains(&problem), is_said, "{name}={switch}: {body}");
        }
    }
    let (status, body) = app.get("/nothing?colour=red").await;
    assert!(status == 404 && !body.contains("colour"), "{body}");
}
