//! Rules decide, and a running server picks up changes of them.

use crate::harness::{ANN, App, BEN, NOW, add_rule, request};

const WEB: (&str, i64, &str, &str) = ("/srv/app/shop/web.py", 2, "handle", "return cart.total()");
const CART: (&str, i64, &str, &str) =
    ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
const RAISE: (&str, i64, &str, &str) =
    ("/srv/app/shop/money.py", 6, "fail", "    raise ValueError(text)\n");

#[tokio::test]
async fn raise_statement_passes_blame_to_its_caller_but_not_to_nobody() {
    let app = App::start().await;
    app.report(&request(&[WEB, CART, RAISE])).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    app.report(&request(&[RAISE])).await;
    let mails = app.mails().await;
    assert_eq!(mails[0].to, ANN.1, "a raise that is the only own frame is blamed");
}

#[tokio::test]
async fn library_code_passes_blame_to_its_caller_immediately() {
    let app = App::start().await;
    app.report(&request(&[WEB, CART])).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    add_rule(&app, "building_blocks", r#"{"filename": "shop/cart.py", "function_name": "total"}"#)
        .await;
    app.report(&request(&[WEB, CART])).await;
    let mails = app.mails().await;
    assert_eq!((mails.len(), mails[0].to.as_str()), (2, ANN.1));
}

#[tokio::test]
async fn known_errors_are_silent_or_notified_by_their_thresholds() {
    let app = App::start().await;
    add_rule(&app, "known_errors", r#"{"filename": "shop/cart.py"}"#).await;
    let every =
        r#"{"filename": "shop/web.py", "alert_every_n_occurrences": 5, "max_alert_threshold": 10}"#;
    add_rule(&app, "known_errors", every).await;
    let mut silent = request(&[WEB, CART]);
    silent.error_count = Some(1_000);
    app.report(&silent).await;
    assert!(app.mails().await.is_empty());
    let mut web = request(&[WEB]);
    for (count, mails) in [(4, 0), (1, 1), (3, 1), (2, 2), (20, 2)] {
        app.later();
        web.error_count = Some(count);
        app.report(&web).await;
        assert_eq!(app.mails().await.len(), mails, "after {count} more");
    }
    let (_, page) = app.get("/").await;
    assert!(page.contains("Wow, no errors"), "known errors are not listed: {page}");
    let (_, page) = app.get("/?include_known_errors=1").await;
    assert!(page.contains("shop/cart.py:5") && page.contains(">known error</span>"), "{page}");
}

#[tokio::test]
async fn dropped_reports_are_counted_with_the_rule_that_dropped_them() {
    let app = App::start().await;
    add_rule(&app, "ignored_exceptions", r#""builtins.KeyboardInterrupt""#).await;
    add_rule(&app, "third_party_whitelist", r#"{"filename": "redis/client.py"}"#).await;
    let mut interrupt = request(&[WEB]);
    interrupt.exception_type = Some("builtins.KeyboardInterrupt".into());
    let foreign = ("/opt/py/site-packages/redis/client.py", 10, "get", "return self.x()");
    for _ in 0..2 {
        app.report(&interrupt).await;
        app.report(&request(&[WEB, foreign])).await;
        app.settle().await;
    }
    assert!(app.mails().await.is_empty());
    let outcomes = app.server.app.store.outcomes_since(NOW).await.expect("store");
    let mut seen: Vec<_> =
        outcomes.iter().map(|o| (o.kind.as_str(), o.reason.as_str(), o.reports)).collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            ("ignored_exception", "ignored_exceptions rule 1", 2),
            ("third_party", "third_party_whitelist rule 2", 2)
        ]
    );
}
