//! The modules of a program are sent with its first report, and shown with all reports that name
//! them.
use std::collections::BTreeMap;

use flawless_protocol::thrift::{Process, RecordErrorRequest};

use crate::harness::{App, request};

const DAY_MS: i64 = 86_400_000;

fn report(line: i64, id: &str, modules: &[(&str, &str)]) -> RecordErrorRequest {
    let modules = modules.iter().map(|(name, version)| ((*name).into(), (*version).into()));
    let mut report = request(&[("/srv/app/shop/cart.py", line, "total", "return 1")]);
    report.process = Some(Process {
        runtime: Some("CPython 3.13".into()),
        modules_id: Some(id.into()),
        modules: modules.collect(),
        ..Process::default()
    });
    report
}

async fn stored(app: &App, id: &str) -> Option<BTreeMap<String, String>> {
    app.server.app.store.module_set(id).await.expect("store")
}

fn named(facts: &[(&str, &str)]) -> Option<BTreeMap<String, String>> {
    Some(facts.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

#[tokio::test]
async fn sample_that_only_names_its_modules_is_shown_with_them() {
    let app = App::start().await;
    app.report(&report(5, "ab", &[("django", "5.2"), ("redis", "6.4")])).await;
    app.settle().await;
    app.clock.advance(5_000);
    let app = app.restart().await;
    app.report(&report(5, "ab", &[])).await;
    app.settle().await;
    for slot in [0, 1] {
        let (_, page) = app.get(&format!("/issues/1?sample={slot}")).await;
        assert!(page.contains("<summary>2 modules</summary>"), "{page}");
        assert!(page.contains("<code>django</code></td><td><code>5.2</code>"), "{page}");
        let sample = app.api_get(&format!("/issues/1/samples/{slot}")).await;
        let module = &sample["report"]["process"]["modules"][1];
        assert_eq!((&module["name"], &module["value"]), (&"redis".into(), &"6.4".into()));
    }
    let mail = app.one_mail().await;
    assert!(!mail.text.contains("django"), "{}", mail.text);
}

#[tokio::test]
async fn known_set_is_not_overwritten_and_an_unnamed_one_not_kept() {
    let app = App::start().await;
    app.report(&report(5, "ab", &[("django", "5.2")])).await;
    app.report(&report(5, "ab", &[("django", "6.6.6")])).await;
    app.report(&report(5, "", &[("flask", "1")])).await;
    app.report(&report(5, "no id at all", &[("flask", "1")])).await;
    let app = app.restart().await;
    app.report(&report(5, "ab", &[("django", "6.6.6")])).await;
    assert_eq!(stored(&app, "ab").await, named(&[("django", "5.2")]));
    assert_eq!(stored(&app, "").await, None);
    app.settle().await;
    let (_, page) = app.get("/issues/1").await;
    assert!(!page.contains("flask") && !page.contains("6.6.6"), "{page}");
}

#[tokio::test]
async fn set_is_stored_when_it_comes_after_its_name() {
    let app = App::start().await;
    app.report(&report(5, "ab", &[])).await;
    assert_eq!(stored(&app, "ab").await, None);
    app.report(&report(5, "ab", &[("django", "5.2")])).await;
    assert_eq!(stored(&app, "ab").await, named(&[("django", "5.2")]));
    let url = "git+https://ann:hunter2hunter2@example.com/shop.git";
    app.report(&report(5, "cd", &[("shop", url)])).await;
    let set = stored(&app, "cd").await.expect("a set");
    assert!(!format!("{set:?}").contains("hunter2"), "{set:?}");
}

#[tokio::test]
async fn sets_are_kept_up_to_a_limit_and_the_oldest_dropped() {
    let app = App::start().await;
    for at in 0..510 {
        app.clock.advance(1);
        app.report(&report(5, &format!("id{at}"), &[("django", "5.2")])).await;
    }
    assert_eq!(stored(&app, "id9").await, None);
    assert!(stored(&app, "id10").await.is_some());
    app.clock.advance(40 * DAY_MS);
    app.report(&report(5, "id99", &[])).await;
    let now = app.clock.now();
    app.apply_retention(now - 30 * DAY_MS, now).await;
    assert_eq!(stored(&app, "id98").await, None);
    assert!(stored(&app, "id99").await.is_some(), "it was seen again since");
}

#[tokio::test]
async fn oversized_set_is_not_kept_but_the_report_counts() {
    let app = App::with("max_report_bytes", "30000000").start().await;
    let mut state = 1_u64;
    let mut random = || -> String {
        let digit = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            format!("{:08x}", state >> 32)
        };
        (0..40).map(digit).collect()
    };
    let mut huge = report(5, "ab", &[]);
    let modules = (0..1_000).map(|_| (random(), random())).collect();
    huge.process.as_mut().expect("a process").modules = modules;
    app.report(&huge).await;
    app.settle().await;
    assert_eq!(app.server.app.store.issues_between(0, i64::MAX).await.expect("store").len(), 1);
    assert_eq!(stored(&app, "ab").await, None);
}
