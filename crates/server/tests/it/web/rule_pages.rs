//! The pages of rules: viewing, changing, importing and exporting them, and counts of matches.
use flawless_store::RuleList;
use serde_json::{Value, json};

use crate::harness::{App, BEN, NOW, add_rule, request};

const WEB: (&str, i64, &str, &str) = ("/srv/app/shop/web.py", 2, "handle", "return cart.total()");
const CART: (&str, i64, &str, &str) =
    ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");

/// Reports, alerts or nothing, by rule.
async fn matches(app: &App) -> Vec<(i64, i64, i64)> {
    let seen = app.server.app.store.rule_matches(NOW).await.expect("store");
    let mut seen: Vec<_> =
        seen.values().map(|rule| (rule.rule_id, rule.reports, rule.occurrences)).collect();
    seen.sort_unstable();
    seen
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_matches_are_counted() {
    let app = App::start().await;
    add_rule(&app, "known_errors", r#"{"filename": "shop/web.py"}"#).await;
    add_rule(&app, "building_blocks", r#"{"filename": "shop/cart.py"}"#).await;
    add_rule(&app, "ignored_exceptions", r#""builtins.KeyboardInterrupt""#).await;
    add_rule(&app, "third_party_whitelist", r#"{"filename": "redis/client.py"}"#).await;
    add_rule(&app, "watch_list", r#"{"email": "wanda@example.com", "filepath": "shop"}"#).await;
    add_rule(
        &app,
        "email_remapping",
        r#"{"old_email": "ann", "new_email": "ann@work.example.com"}"#,
    )
    .await;
    add_rule(
        &app,
        "disownership_list",
        r#"{"email": "ann@work.example.com", "filepath": "shop/money.py", "designated_email": "ben@example.com"}"#,
    )
    .await;
    add_rule(&app, "known_errors", r#"{"filename": "shop/nothing.py"}"#).await;
    let mut known = request(&[WEB, CART]);
    known.error_count = Some(5);
    let mut interrupt = request(&[WEB]);
    interrupt.exception_type = Some("builtins.KeyboardInterrupt".into());
    let redis = ("/opt/py/site-packages/redis/client.py", 10, "get", "return self.x()");
    // The first reports are attributed, the others belong to known lines.
    for _ in 0..3 {
        app.report(&known).await;
        app.report(&interrupt).await;
        app.report(&request(&[WEB, redis])).await;
        app.settle().await;
    }
    app.report(&request(&[("/srv/app/shop/money.py", 6, "fail", "raise ValueError(text)")])).await;
    app.settle().await;
    let expected = [(1, 3, 15), (2, 3, 15), (3, 3, 3), (4, 3, 3), (5, 1, 1), (6, 1, 1), (7, 1, 1)];
    assert_eq!(matches(&app).await, expected);

    let (_, page) = app.get("/rules/known_errors").await;
    assert!(page.contains("3 reports") && page.contains("0 reports"), "{page}");
    assert!(!page.contains("never matched"), "the rule is too new to say so: {page}");
    app.clock.advance(31 * 86_400_000);
    let (_, page) = app.get("/rules/known_errors").await;
    assert!(page.contains("never matched") && page.contains("not matched for 30 days"), "{page}");
    let (_, page) = app.get("/rules").await;
    assert!(page.contains("2 never matched"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_is_shown_in_columns_edited_removed_and_restored() {
    let app = App::start().await;
    let entry = r#"{"filename": "shop/<b>.py", "min_alert_threshold": 5, "email_recipients": ["a@example.com"]}"#;
    add_rule(&app, "known_errors", entry).await;
    let (_, page) = app.get("/rules/known_errors").await;
    for expected in ["shop/&#60;b&#62;.py", "at 5", "a@example.com", "/rules/known_errors/1"] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let (_, form) = app.get("/rules/known_errors/1").await;
    assert!(form.contains("value=\"5\"") && form.contains("value=\"a@example.com\""), "{form}");
    let fields = [("filename", "shop/cart.py"), ("min_alert_threshold", "x")];
    let (status, page) = app.post("/rules/known_errors/1", &fields).await;
    assert_eq!(status, 422);
    for expected in [
        "value=\"shop/cart.py\"",
        "aria-invalid=\"true\" aria-describedby=\"problem-min_alert_threshold\"",
        "id=\"problem-min_alert_threshold\">&#34;x&#34; is not a whole number",
        "href=\"#field-min_alert_threshold\"",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let (_, page) = app.post("/rules/known_errors/1", &[("filename", "shop/cart.py")]).await;
    assert!(page.contains("became known error shop/cart.py."), "{page}");
    let (_, page) = app.post("/rules/known_errors/1/remove", &[]).await;
    assert!(page.contains("The list is empty") && page.contains(">Undo</button>"), "{page}");
    let undo = page.split("action=\"").find_map(|part| part.strip_prefix("/actions/"));
    let undo = format!("/actions/{}", undo.expect("a form").split('"').next().expect("its end"));
    let (_, page) = app.post(&undo, &[]).await;
    assert!(page.contains("/rules/known_errors/1\""), "its id is restored: {page}");
    for path in ["/rules/known_errors/2", "/rules/known_errors/x", "/rules/nothing"] {
        assert_eq!(app.get(path).await.0, 404, "{path}");
    }
    assert_eq!(app.post("/rules/known_errors/7/remove", &[]).await.0, 404);
    let (_, page) = app.get("/rules/known_errors?text=CART&page=9").await;
    assert!(page.contains("1 in all"), "{page}");
    let (_, page) = app.get("/rules/known_errors?text=%3Cscript%3E").await;
    assert!(page.contains("No rule has this text") && !page.contains("<script>"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn exported_rules_can_be_imported_and_wrong_ones_do_nothing() {
    let app = App::start().await;
    add_rule(&app, "email_remapping", r#"{"old_email": "b", "new_email": "ben@example.com"}"#)
        .await;
    let (_, exported) = app.get("/rules/email_remapping/export").await;
    let document: Value = serde_json::from_str(&exported).expect("JSON");
    assert_eq!(document, json!({"remap": {"b": BEN.1}, "last_update_ts": NOW}));

    let import = async |document: &str| {
        app.post("/rules/email_remapping/import", &[("document", document)]).await
    };
    let (status, page) =
        import(r#"{"b": "ben@example.com", "a": "ann", "c": "c@example.com"}"#).await;
    assert_eq!(status, 422);
    for expected in [
        "1 is new, 1 is there already, 1 is wrong, so nothing was imported.",
        "entry 1: &#34;ann&#34; is not a mail address",
        "aria-describedby=\"problem-document\"",
        "c@example.com",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    for (document, problem) in [
        ("{", "This is not JSON"),
        ("3", "not a list of email_remapping"),
        (exported.as_str(), "there is nothing to add"),
    ] {
        let (status, page) = import(document).await;
        assert!(status == 422 && page.contains(problem), "{problem}: {page}");
    }
    let (status, page) = import(r#"{"a": "ann@example.com", "c": "c@example.com"}"#).await;
    assert!(status == 200 && page.contains("2 are new, 0 are there already"), "{page}");
    let store = &app.server.app.store;
    assert_eq!(store.rule_entries(RuleList::EmailRemapping).await.expect("store").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_of_0_4_5_lead_to_todays_forms_with_their_values() {
    let app = App::start().await;
    for (path, expected) in [
        ("/admin", "<h1>Rules</h1>"),
        ("/view_config", "<h1>Rules</h1>"),
        ("/view_config?key=watch_list", "<h1>Watchers</h1>"),
        ("/add_known_error?filename=a%26b.py&function_name=f", "value=\"a&#38;b.py\""),
        ("/add_known_error?filename=a.py&type=building_blocks", "<h1>New: library code</h1>"),
        ("/add_watch?filepath=shop", "value=\"shop\""),
        ("/remap_email?old_email=x", "value=\"x\""),
        ("/disown_file?filepath=shop&email=e", "value=\"e\""),
        ("/add_ignored_exception?exc_name=a.B", "value=\"a.B\""),
    ] {
        let (status, page) = app.get(path).await;
        assert!(status == 200 && page.contains(expected), "{path}: {page}");
    }
    assert_eq!(app.get("/add_known_error?type=watch_list").await.0, 404);
}
