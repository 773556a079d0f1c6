//! Actions of people on issues: each is logged and can be undone.
use flawless_core::Role;
use flawless_server::actions::{Action, ActionError, Actor, act, undo};
use flawless_store::{IssueRow, RuleList};
use serde_json::json;

use crate::harness::{ANN, App, BEN, CLEO, NOW, flawless, request, stderr};

const WEB: (&str, i64, &str, &str) = ("/srv/app/shop/web.py", 2, "handle", "return cart.total()");
const CART: (&str, i64, &str, &str) =
    ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
const DAY_MS: i64 = 86_400_000;
const WHO: Actor<'_> = administrator("ann");

const fn administrator(name: &str) -> Actor<'_> {
    Actor { name, role: Role::Administrator, role_in_all: Some(Role::Administrator) }
}

/// A server with issue 1, of which Ben was notified.
async fn notified() -> App {
    let app = App::start().await;
    app.report(&request(&[WEB, CART])).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
    app
}

async fn issue(app: &App) -> IssueRow {
    app.server.app.store.issue(1).await.expect("store").expect("issue 1")
}

/// The number of the newest action, as the newest notice shows it.
async fn newest(app: &App) -> i64 {
    app.server.app.store.actions(None, 1).await.expect("store")[0].id
}

async fn take_back(app: &App, id: i64) -> (u16, String) {
    app.post(&format!("/actions/{id}/undo"), &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn action_is_shown_with_who_and_when_and_can_be_undone() {
    let app = notified().await;
    let (_, page) = app.get("/view_traceback?issue=1").await;
    for button in ["Resolve", "Mute", "Reassign", "Known error", "Library code", "More"] {
        assert!(page.contains(&format!(">{button}</")), "{button}: {page}");
    }
    app.post("/issues/1/mute", &[("time", "week")]).await;
    let (_, page) = app.post("/issues/1/mute", &[("time", "ever")]).await;
    assert!(page.contains("Done: issue 1 (shop/cart.py:5) is muted forever."), "{page}");
    assert!(page.contains("someone at this machine: issue 1"), "{page}");
    let (status, page) = take_back(&app, newest(&app).await).await;
    assert!(status == 200 && page.contains("Done: undone: issue 1"), "{page}");
    assert_eq!(issue(&app).await.muted_until, Some(NOW + 7 * DAY_MS));

    app.post("/issues/1/resolve", &[]).await;
    let resolved = newest(&app).await;
    app.post("/issues/1/reopen", &[]).await;
    let (status, page) = take_back(&app, resolved).await;
    assert!(status == 422 && page.contains("resolved or reopened since"), "{page}");
    assert_eq!(take_back(&app, newest(&app).await).await.0, 200);
    assert_eq!(issue(&app).await.resolved_at, Some(NOW), "resolved again");
    assert_eq!(take_back(&app, resolved).await.0, 200);
    assert_eq!(issue(&app).await.resolved_at, None);
    let (status, page) = take_back(&app, resolved).await;
    assert!(status == 422 && page.contains("has already undone this"), "{page}");
    assert_eq!(take_back(&app, 4_711).await.0, 404);
    let (_, page) = app.get("/view_traceback?issue=1&done=4711").await;
    assert!(!page.contains("Done: "), "only stored actions are shown");
    let (_, page) = app.get("/actions").await;
    assert!(page.contains("undone by someone at this machine"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mute_lasts_until_the_day_that_was_entered() {
    let app = notified().await;
    let until = |text| [("time", "date"), ("until", text)];
    for (text, problem) in [("soon", "not a date"), ("2020-01-01", "passed"), ("", "not a date")] {
        let (status, page) = app.post("/issues/1/mute", &until(text)).await;
        assert!(status == 422 && page.contains(problem), "{text}: {page}");
        assert!(page.contains("aria-describedby=\"problem-until\""), "{page}");
        assert!(page.contains(&format!("value=\"{text}\"")), "{page}");
    }
    let (_, page) = app.post("/issues/1/mute", &until("2027-01-31")).await;
    assert!(page.contains("until 2027-01-31 00:00:00"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn known_error_is_previewed_and_then_silences_the_issue() {
    let app = App::with("report_error_threshold", "2").start().await;
    app.report(&request(&[WEB, CART])).await;
    app.settle().await;
    let (status, page) = app.get("/issues/1/known_error").await;
    assert_eq!(status, 200);
    for expected in [
        "value=\"shop/cart.py\"",
        "value=\"total\"",
        "It matches 1 open issue, which occurred once in the last 7 days.",
        "shop/cart.py:5</a>",
    ] {
        assert!(page.contains(expected), "{expected}: {page}");
    }
    let other = [("filename", "shop/web.py"), ("then", "preview")];
    let (_, page) = app.post("/issues/1/known_error", &other).await;
    assert!(page.contains("It matches no open issue") && page.contains("value=\"shop/web.py\""));
    assert!(app.server.app.rules.get().rules.known_errors.is_empty(), "it was only a preview");

    let fields = [("filename", "shop/cart.py"), ("function_name", "total")];
    let (_, page) = app.post("/issues/1/known_error", &fields).await;
    assert!(page.contains("Done: known error shop/cart.py in total was added for issue 1"));
    let marked = newest(&app).await;
    assert_eq!(issue(&app).await.facts.known_error_id, Some(1), "at once");
    app.report(&request(&[WEB, CART])).await;
    assert!(app.mails().await.is_empty());
    let (status, page) = app.post("/issues/1/known_error", &fields).await;
    assert!(status == 422 && page.contains("already has this rule"), "{page}");

    assert_eq!(take_back(&app, marked).await.0, 200);
    assert_eq!(issue(&app).await.facts.known_error_id, None);
    app.report(&request(&[WEB, CART])).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn library_code_preview_shows_who_will_be_blamed() {
    let app = notified().await;
    let (_, page) = app.get("/issues/1/library_code").await;
    let blamed = "For issue 1, shop/web.py:2 in handle will be blamed: Ann Archer \
                  &#60;ann@example.com&#62;.";
    assert!(page.contains(blamed), "{page}");
    assert!(page.contains("1 open issue went through such a line"), "{page}");
    let fields = [("filename", "shop/cart.py")];
    let nobody = [("filename", "shop/other.py"), ("then", "preview")];
    let (_, page) = app.post("/issues/1/library_code", &nobody).await;
    assert!(page.contains("the same line stays blamed"), "{page}");
    app.post("/issues/1/library_code", &[("filename", "shop/web.py")]).await;
    let both = [("filename", "shop/cart.py"), ("then", "preview")];
    let (_, page) = app.post("/issues/1/library_code", &both).await;
    assert!(page.contains("nobody will be blamed: every frame"), "{page}");
    take_back(&app, newest(&app).await).await;
    app.post("/issues/1/library_code", &fields).await;
    app.later();
    app.report(&request(&[WEB, CART])).await;
    let to: Vec<String> = app.mails().await.into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, [ANN.1, BEN.1]);
    // An existing rule is previewed as if it did not exist.
    let rules = app.server.app.store.rule_entries(RuleList::BuildingBlocks).await;
    let page = format!("/rules/building_blocks/{}", rules.expect("rules")[0].id);
    let (_, page) = app.get(&page).await;
    assert!(page.contains("2 open issues went through such a line"), "{page}");
    assert!(!page.contains("the rule does not match it"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ignored_exception_preview_shows_what_would_be_dropped() {
    let app = notified().await;
    let (_, page) = app.get("/issues/1/third_party").await;
    assert!(
        page.contains("have dropped the reports of 1 open issue, which occurred once"),
        "{page}"
    );
    let (_, page) = app.get("/issues/1/ignore_exception").await;
    assert!(page.contains("value=\"builtins.ValueError\""), "{page}");
    assert!(page.contains("have dropped the reports of 1 open issue"), "{page}");
    let fields = [("exc_name", "builtins.ValueError")];
    assert_eq!(app.post("/issues/1/ignore_exception", &fields).await.0, 200);
    app.report(&request(&[WEB, CART])).await;
    app.settle().await;
    assert_eq!(issue(&app).await.occurrences, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn notify_now_ignores_the_threshold_and_repeats_on_request() {
    let app = App::with("report_error_threshold", "100").start().await;
    app.report(&request(&[WEB, CART])).await;
    app.settle().await;
    app.post("/issues/1/notify", &[]).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1);
    assert!(mail.says("requested by someone at this machine"), "{}", mail.text);
    app.later();
    let (status, page) = app.post("/issues/1/notify", &[]).await;
    assert!(status == 409 && page.contains("Notify again?"), "{page}");
    assert_eq!(app.mails().await.len(), 1);
    assert_eq!(app.post("/issues/1/notify", &[("again", "yes")]).await.0, 200);
    assert_eq!(app.mails().await.len(), 2);
    let (status, page) = take_back(&app, newest(&app).await).await;
    assert!(status == 422 && page.contains("cannot be undone"), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_removes_only_its_rule_and_says_when_it_no_longer_fits() {
    let app = notified().await;
    let shared = &app.server.app;
    let alias = |new: &str| Action::AddRule {
        list: RuleList::EmailRemapping,
        entry: json!({"old_email": "ben@example.com", "new_email": new}),
        issue: None,
    };
    let aliases = async || {
        let rules = shared.store.rule_entries(RuleList::EmailRemapping).await.expect("store");
        rules.into_iter().map(|rule| (rule.id, rule.entry["new_email"].clone())).collect::<Vec<_>>()
    };
    let first = act(shared, WHO, alias("one@example.com")).await.expect("added");
    let second = act(shared, WHO, alias("two@example.com")).await.expect("added");
    let why = undo(shared, administrator("ben"), first.id).await.expect_err("gone").to_string();
    assert!(why.contains("was removed since"), "{why}");
    undo(shared, administrator("ben"), second.id).await.expect("undone");
    assert_eq!(aliases().await, [(1, json!("one@example.com"))], "the older one is restored");

    let entry = json!({"old_email": "ben@example.com", "new_email": "three@example.com"});
    let edit = Action::EditRule { list: RuleList::EmailRemapping, id: 1, entry };
    let edited = act(shared, WHO, edit).await.expect("changed");
    let why = undo(shared, administrator("ben"), first.id).await.expect_err("changed").to_string();
    assert!(why.contains("/rules/email_remapping/1"), "{why}");
    undo(shared, administrator("ben"), edited.id).await.expect("undone");
    undo(shared, administrator("ben"), first.id).await.expect("undone");
    assert!(aliases().await.is_empty());
    let third = act(shared, WHO, alias("one@example.com")).await.expect("added");
    assert_eq!(aliases().await[0].0, 3, "no id is used twice");
    let remove = Action::RemoveRule { list: RuleList::EmailRemapping, id: 3 };
    let removed = act(shared, WHO, remove).await.expect("removed");
    assert!(third.can_undo && removed.can_undo);
    undo(shared, administrator("ben"), removed.id).await.expect("undone");
    assert_eq!(aliases().await, [(3, json!("one@example.com"))]);
    let wrong = act(shared, WHO, alias("nobody")).await.expect_err("no address");
    assert!(matches!(wrong, ActionError::Field { name: "new_email", .. }), "{wrong:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reassignment_and_blaming_another_can_be_undone() {
    let app = notified().await;
    let shared = &app.server.app;
    let fields = [("what", "reassign"), ("path", "shop"), ("designated_email", CLEO.1)];
    app.post("/issues/1/reassign", &fields).await;
    assert_eq!(shared.rules.get().rules.reassignments.len(), 1);
    assert_eq!(take_back(&app, newest(&app).await).await.0, 200);
    assert!(shared.rules.get().rules.reassignments.is_empty());
    app.post("/blame_instead", &[("issue", "1"), ("suspect", "0")]).await;
    assert_eq!(shared.rules.get().rules.library_code.len(), 1);
    assert_eq!(take_back(&app, newest(&app).await).await.0, 200);
    assert!(shared.rules.get().rules.library_code.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn action_log_loses_erased_names_and_is_deleted_after_a_year() {
    let app = notified().await;
    let shared = &app.server.app;
    let alias = Action::AddRule {
        list: RuleList::EmailRemapping,
        entry: json!({"old_email": "ben", "new_email": BEN.1}),
        issue: None,
    };
    let done = act(shared, administrator(BEN.1), alias).await.expect("added");
    act(shared, administrator(ANN.1), Action::Mute { issue: 1, until: Some(NOW + DAY_MS) })
        .await
        .expect("done");
    let conf = app.conf();
    let arguments = ["erase", "-conf", &conf, "--person", BEN.1, "--yes"];
    let output = flawless(app.folder.path(), &arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    let row = shared.store.action(done.id).await.expect("store").expect("the row stays");
    assert!(row.who == "erased" && !row.what.contains(BEN.1) && !row.has_undo, "{row:?}");
    let output = flawless(app.folder.path(), &["erase", "-conf", &conf, "--issue", "1", "--yes"]);
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(shared.store.actions_of(1, 10).await.expect("store").is_empty());
    app.apply_retention(0, NOW + 366 * DAY_MS).await;
    assert!(shared.store.actions(None, 10).await.expect("store").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn action_on_a_merged_issue_is_undone_on_the_surviving_one() {
    let app = notified().await;
    app.report(&request(&[("/srv/app/shop/money.py", 2, "add", "    return a + b\n")])).await;
    app.settle().await;
    let shared = &app.server.app;
    let muted = Action::Mute { issue: 1, until: Some(NOW + 7 * DAY_MS) };
    let done = act(shared, administrator(ANN.1), muted).await.expect("muted");
    let mut tx = shared.store.write().await.expect("store");
    tx.merge_issue(1, 2).await.expect("merged");
    tx.commit().await.expect("store");
    assert_eq!(issue(&app).await.muted_until, Some(NOW + 7 * DAY_MS), "the surviving issue");
    undo(shared, administrator(ANN.1), done.id).await.expect("undone");
    assert_eq!(issue(&app).await.muted_until, None);
}
