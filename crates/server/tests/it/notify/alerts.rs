//! Who is notified, and how often.
use std::time::Duration;

use flawless_protocol::thrift::RecordErrorRequest;

use crate::harness::{ANN, App, BEN, TestRepository, ThriftClient, add_rule, request};

const CART: [(&str, i64, &str, &str); 2] = [
    ("/srv/app/shop/web.py", 2, "handle", "return cart.total()"),
    ("/srv/app/shop/cart.py", 5, "total", "    return sum(prices) / len(prices)\n"),
];

#[tokio::test]
async fn threshold_of_the_report_overrides_the_configuration() {
    let app = App::with("report_error_threshold", "3").start().await;
    let mut report = request(&CART);
    report.error_threshold = Some(5);
    report.error_count = Some(4);
    app.report(&report).await;
    assert!(app.mails().await.is_empty());
    report.error_count = Some(1);
    app.report(&report).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    for _ in 0..20 {
        app.report(&report).await;
    }
    assert_eq!(app.mails().await.len(), 1, "once for the line");
}

#[tokio::test]
async fn issue_stays_notified_across_restarts_and_new_versions() {
    let mut app = App::start().await;
    app.report(&request(&CART)).await;
    assert_eq!(app.mails().await.len(), 1);
    app = app.restart().await;
    app.report(&request(&CART)).await;
    // Before the next version comes: the one attributed last determines the place of the issue.
    app.settle().await;
    // A new version: lines are added above, and the line moves down.
    let cart = "\"\"\"The cart.\"\"\"\nimport os\n\nfrom shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n";
    app.repository.commit(ANN, "2026-07-01", "cart: say what it is", &[("shop/cart.py", cart)]);
    let later = ("/srv/app/shop/cart.py", 8, "total", "    return sum(prices) / len(prices)\n");
    app.report(&request(&[CART[0], later])).await;
    assert_eq!(app.mails().await.len(), 1, "still the same line of Ben's");
    let (_, page) = app.get("/").await;
    assert!(
        page.contains("<span class=\"count\">3</span>"),
        "one issue with three occurrences: {page}"
    );
    // The link in the earlier mail still leads to it.
    let link = "/view_traceback?filename=shop/cart.py&function_name=total&line_number=5&text=return+sum(prices)+/+len(prices)";
    let (status, page) = app.get(link).await;
    assert!(status == 200 && page.contains("shop/cart.py:8"), "{page}");
    // Somebody edits the line: it is new code, by someone else.
    let edited = cart.replace("len(prices)", "max(len(prices), 0)");
    app.repository.commit(ANN, "2026-07-02", "cart: edit", &[("shop/cart.py", &edited)]);
    let text = "    return sum(prices) / max(len(prices), 0)\n";
    app.report(&request(&[CART[0], ("/srv/app/shop/cart.py", 8, "total", text)])).await;
    let mails = app.mails().await;
    let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, [ANN.1, BEN.1]);
}

#[tokio::test]
async fn old_code_is_listed_but_not_notified() {
    let app = App::with("report_only_after_minimum_date", "2026-06-01").start().await;
    app.report(&request(&CART)).await;
    assert!(app.mails().await.is_empty());
    let (_, page) = app.get("/").await;
    assert!(page.contains("Wow, no errors"), "{page}");
    let (_, page) = app.get("/get_weekly_error_report?include_modified_before_min_date=True").await;
    assert!(page.contains("shop/cart.py:5"), "{page}");
}

#[tokio::test]
async fn unblamable_file_is_listed_and_nobody_is_notified() {
    let app = App::with("only_blame_filepaths_matching", "^shop/web").start().await;
    let report = request(&CART[1..]);
    for _ in 0..3 {
        app.report(&report).await;
    }
    assert!(app.mails().await.is_empty());
    let (_, page) = app.get("/issues/1").await;
    assert!(page.contains("excluded by only_blame_filepaths_matching"), "{page}");
    let app = app.restart().await;
    app.report(&report).await;
    assert!(app.mails().await.is_empty());
}

#[tokio::test]
async fn watchers_and_known_error_recipients_are_notified_once_each() {
    let app = App::start().await;
    let rules = [
        (
            "watch_list",
            r#"{"email": "wanda@example.com", "filepath": "shop", "watch_all_errors": true}"#,
        ),
        ("watch_list", r#"{"email": "wanda@example.com", "filepath": "shop/cart.py"}"#),
        ("watch_list", r#"{"email": "only@example.com", "filepath": "shop/web.py"}"#),
        (
            "watch_list",
            r#"{"email": "any@example.com", "filepath": "shop/web.py", "watch_all_errors": true}"#,
        ),
        (
            "known_errors",
            r#"{"filename": "shop/cart.py", "min_alert_threshold": 1,
            "email_recipients": ["ops@example.com", "ben@example.com"], "email_header": "See the runbook."}"#,
        ),
    ];
    for (list, entry) in rules {
        add_rule(&app, list, entry).await;
    }
    app.report(&request(&CART)).await;
    let mails = app.mails().await;
    let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["any@example.com", BEN.1, "ops@example.com", "wanda@example.com"]);
    assert!(mails.iter().all(|mail| mail.text.starts_with("See the runbook.\n")));
}

#[tokio::test]
async fn default_contact_answers_for_an_unusable_address() {
    let repository = TestRepository::shop();
    repository.commit(
        ("Eve", "eve@-bad-.example"),
        "2026-06-01",
        "x",
        &[("shop/eve.py", "boom()\n")],
    );
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    add_rule(&app, "watch_list", r#"{"email": "wanda@example.com", "filepath": "shop"}"#).await;
    app.report(&request(&[("/srv/app/shop/eve.py", 1, "<module>", "boom()")])).await;
    let mails = app.mails().await;
    let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["team@example.com", "wanda@example.com"]);
    let why = "\"eve@-bad-.example\" is not a valid mail address: give it an email alias";
    assert!(mails[0].says(why) && mails[0].subject.starts_with("ValueError"), "{mails:#?}");
}

#[tokio::test]
async fn aliases_domains_and_reassignments_lead_to_the_reader() {
    let repository = TestRepository::shop();
    for (who, file) in [
        (("Old", "old@gone.example.org"), "shop/old.py"),
        (("Lone", "lone@laptop"), "shop/lone.py"),
        (("Moved", "moved@example.com"), "shop/api/moved.py"),
    ] {
        repository.commit(who, "2026-06-01", "x", &[(file, "boom()\n")]);
    }
    let app = App::with("email_domain_name", "example.net").repository(repository).start().await;
    for (list, entry) in [
        ("email_remapping", r#"{"old_email": "old", "new_email": "new@example.com"}"#),
        (
            "disownership_list",
            r#"{"email": "moved@example.com", "filepath": "shop/api", "designated_email": "heir@example.com"}"#,
        ),
        (
            "disownership_list",
            r#"{"email": "moved@example.com", "filepath": "shop", "designated_email": "far@example.com"}"#,
        ),
    ] {
        add_rule(&app, list, entry).await;
    }
    for file in ["old", "lone", "api/moved"] {
        app.report(&request(&[(&format!("/srv/app/shop/{file}.py"), 1, "<module>", "boom()")]))
            .await;
    }
    let mails = app.mails().await;
    let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["heir@example.com", "lone@example.net", "new@example.com"]);
    assert!(mails[0].says("reassigned for shop/api: moved@example.com → heir@example.com"));
}

#[tokio::test]
async fn undeliverable_alert_is_sent_once_an_alias_names_somebody() {
    let repository = TestRepository::shop();
    repository.commit(
        ("Eve", "eve@-bad-.example"),
        "2026-06-01",
        "x",
        &[("shop/eve.py", "boom()\n")],
    );
    let app = App::with("default_contact", "").repository(repository).start().await;
    app.report(&request(&[("/srv/app/shop/eve.py", 1, "<module>", "boom()")])).await;
    let store = &app.server.app.store;
    crate::harness::wait_until("the alert is deferred", async || {
        store.alert_queue().await.expect("store").last_error.is_some()
    })
    .await;
    let (_, health) = app.get("/check_health").await;
    assert!(health.contains("eve@-bad-.example&#34; is not a valid mail address"), "{health}");
    let listed = async |state: &str| {
        app.api_get(&format!("/issues?state={state}")).await["issues"].as_array().map(Vec::len)
    };
    assert_eq!((listed("notified").await, listed("not_notified").await), (Some(0), Some(1)));
    let alias = |new: &str| format!(r#"{{"old_email": "eve", "new_email": "{new}"}}"#);
    add_rule(&app, "email_remapping", &alias("eve.old@example.com")).await;
    let released = async || store.alert_queue().await.expect("store").last_error.is_none();
    crate::harness::wait_until("the alert is released", released).await;
    assert!(app.smtp.mails().is_empty(), "the alias can still be undone");
    app.clock.advance(2 * 60_000);
    crate::harness::wait_until("the alert is sent", async || !app.smtp.mails().is_empty()).await;
    assert_eq!(app.one_mail().await.to, "eve.old@example.com");
    // Another alias of the same address takes the place of the first.
    add_rule(&app, "email_remapping", &alias("eve@example.com")).await;
    let rules = app.server.app.rules.get();
    let [(_, alias)] = &rules.rules.email_aliases[..] else { panic!("{rules:?}") };
    assert_eq!(alias.new_email, "eve@example.com");
}

#[tokio::test]
async fn lowest_threshold_of_reports_that_wait_together_counts() {
    let origin = TestRepository::shop();
    // The mirror cannot be cloned yet, so reports wait.
    let url = origin.dir().join("later").display().to_string();
    let app = App::with("repo_url", &url).without_repository().start().await;
    for threshold in [2, 100] {
        let mut report = request(&CART);
        report.error_threshold = Some(threshold);
        app.report(&report).await;
    }
    app.clock.advance(11 * 60_000);
    let mail = app.one_mail().await;
    assert!(mail.says("occurred 2 times (threshold 2)"), "{}", mail.text);
    assert!(mail.says("Nobody is blamed: "), "{}", mail.text);
}

#[tokio::test]
async fn nobody_is_notified_of_an_environment_that_is_only_listed() {
    let app = App::with("report_error_threshold", "3")
        .with("notify_environments", "production*, !production-test")
        .start()
        .await;
    let mut report = request(&CART);
    let occurs = async |report: &mut RecordErrorRequest, environment: &str, count: i64| {
        report.environment = (!environment.is_empty()).then(|| environment.to_owned());
        report.error_count = Some(count);
        app.report(report).await;
    };
    // Both while the report waits for its attribution and when its line is known.
    for _ in 0..2 {
        occurs(&mut report, "dev", 9).await;
        occurs(&mut report, "production-test", 1).await;
    }
    assert!(app.mails().await.is_empty());
    let (_, page) = app.get("/").await;
    assert!(page.contains("seen only where nobody is notified (notify_environments)"), "{page}");
    occurs(&mut report, "Production-EU", 2).await;
    assert!(app.mails().await.is_empty(), "what is only listed does not count");
    let (_, page) = app.get("/").await;
    assert!(page.contains("below threshold 3 without 20 where nobody is notified"), "{page}");
    occurs(&mut report, "dev", 9).await;
    assert!(app.mails().await.is_empty());
    occurs(&mut report, "", 1).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1);
    let (_, page) = app.get("/").await;
    assert!(page.contains("<span class=\"count\">32</span>"), "all of them are listed: {page}");
}

#[tokio::test]
async fn regression_where_nobody_is_notified_waits_for_one_that_counts() {
    let app = App::with("notify_environments", "!dev").start().await;
    let mut report = request(&CART);
    app.report(&report).await;
    assert_eq!(app.mails().await.len(), 1);
    app.post("/issues/1/resolve", &[]).await;
    app.later();
    report.environment = Some("dev".to_owned());
    app.report(&report).await;
    assert_eq!(app.mails().await.len(), 1);
    report.environment = Some("live".to_owned());
    app.report(&report).await;
    assert_eq!(app.mails().await.len(), 2, "it regressed there");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_that_fails_in_two_ways_at_once_is_told_once() {
    let app = App::with("report_error_threshold", "4").with("digest_minutes", "0").start().await;
    let ways = [request(&CART), request(&CART[1..])];
    for way in &ways {
        app.report(way).await;
        app.settle().await;
    }
    assert!(app.mails().await.is_empty());
    // What comes in while the store is busy is written in one transaction.
    let busy = app.server.app.store.write().await.expect("store");
    let address = app.thrift_address();
    let mut senders = Vec::new();
    for (at, way) in [&ways[0], &ways[0], &ways[1], &ways[0], &ways[1]].into_iter().enumerate() {
        let way = way.clone();
        senders.push(tokio::spawn(async move {
            ThriftClient::connect(address).await.record_error(&way).await
        }));
        // The first one alone: the recorder waits with it.
        let pause = if at == 0 { 300 } else { 20 };
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(busy);
    for sender in senders {
        sender.await.expect("no panic").expect("accepted");
    }
    assert_eq!(app.one_mail().await.to, BEN.1);
    let store = &app.server.app.store;
    assert_eq!(store.alerts_of(1).await.expect("store").len(), 1);
    let issue = store.issue(1).await.expect("store").expect("one");
    assert_eq!(issue.occurrences, 7);
}
