//! Resolved issues are quiet and regressions are notified, in a real repository with real deploys.
use std::process::Command;

use flawless_protocol::thrift::RecordErrorRequest;

use flawless_store::{FixingChange, Resolution};

use crate::harness::{ANN, App, BEN, CLEO, TestRepository, request, wait_until};

const LINE: &str = "    return sum(prices) / len(prices)\n";
const CART: &str =
    "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / len(prices)\n";
const FIXED: &str = "from shop.money import add\n\n\ndef total(prices):\n    return sum(prices) / max(len(prices), 1)\n";

/// The cart fails in a revision.
fn cart(revision: &str) -> RecordErrorRequest {
    let mut report = request(&[("/srv/app/shop/cart.py", 5, "total", LINE)]);
    report.revision = Some(revision.to_owned());
    report
}

/// Something else fails in a revision, which shows that it runs.
fn other(revision: &str) -> RecordErrorRequest {
    let mut report = request(&[("/srv/app/shop/web.py", 2, "handle", "return cart.total()")]);
    report.revision = Some(revision.to_owned());
    report
}

async fn resolved_by(app: &App, issue: i64) -> Option<String> {
    let issue = app.server.app.store.issue(issue).await.expect("store").expect("an issue");
    issue.resolved_by
}

async fn wait_until_fixed(app: &App, issue: i64, by: &str) {
    wait_until("it is resolved", async || resolved_by(app, issue).await.as_deref() == Some(by))
        .await;
    // Verdicts cached before are not used from here on.
    app.server.app.rules.refresh(&app.server.app.store).await.expect("store");
}

/// The mails to someone, in the order in which they arrived.
async fn mails_to(app: &App, address: &str) -> Vec<crate::harness::Mail> {
    app.settle().await;
    app.later();
    app.mails().await.into_iter().filter(|mail| mail.to == address).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn fixed_line_is_quiet_in_older_revisions_and_can_regress() {
    let repository = TestRepository::shop();
    let first = repository.git(&["rev-parse", "HEAD"]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&cart(&first)).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    // Ben fixes it, and the next revision is deployed to one of two hosts.
    let fix = app.repository.commit(
        BEN,
        "2026-06-02",
        "cart: no empty carts",
        &[("shop/cart.py", FIXED)],
    );
    let second = app.repository.commit(ANN, "2026-06-03", "notes", &[("NOTES", "x\n")]);
    assert_eq!(resolved_by(&app, 1).await, None);
    app.report(&other(&second)).await;
    wait_until_fixed(&app, 1, &fix).await;
    let issue = app.server.app.store.issue(1).await.expect("store").expect("an issue");
    let change =
        FixingChange { summary: "cart: no empty carts".to_owned(), author: "Ben Baker".to_owned() };
    assert_eq!(issue.resolution, Some(Resolution::Fixed(Some(change))));
    // The other host still runs the first revision.
    for _ in 0..3 {
        app.report(&cart(&first)).await;
        app.settle().await;
    }
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1, "an older revision still runs");
    assert!(resolved_by(&app, 1).await.is_some());
    // Cleo reverts the fix.
    let back =
        app.repository.commit(CLEO, "2026-06-04", "cart: as it was", &[("shop/cart.py", CART)]);
    app.report(&cart(&back)).await;
    let mails = mails_to(&app, CLEO.1).await;
    let [mail] = &mails[..] else { panic!("{mails:#?}") };
    assert_eq!(mail.subject, "Regression: ValueError in total (shop/cart.py)");
    let (fix, back_short) = (&fix[..12], &back[..12]);
    let regression = format!("Fixed by {fix} (“cart: no empty carts” by Ben Baker), found on ");
    assert!(mail.text.starts_with(&format!("REGRESSION. {regression}")), "{}", mail.text);
    assert!(mail.text.contains(&format!("It failed again in {back_short}, which")));
    assert!(mail.html.contains("Regression."), "{}", mail.html);
    for _ in 0..3 {
        app.report(&cart(&back)).await;
        app.report(&cart(&first)).await;
        app.settle().await;
    }
    assert_eq!(mails_to(&app, CLEO.1).await.len(), 1, "the regression is notified once");
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    // It is one issue, and the link in the first mail leads to it.
    let old = app.server.app.store.issue(1).await.expect("store").expect("an issue");
    assert_eq!((old.occurrences, old.resolved_at), (11, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn ineffective_fix_is_notified_with_the_earlier_line() {
    let repository = TestRepository::shop();
    let first = repository.git(&["rev-parse", "HEAD"]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&cart(&first)).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    let fix = app.repository.commit(ANN, "2026-06-02", "max", &[("shop/cart.py", FIXED)]);
    // The first thing that the new revision reports is the same error in the changed line.
    let text = "    return sum(prices) / max(len(prices), 1)\n";
    let mut report = request(&[("/srv/app/shop/cart.py", 5, "total", text)]);
    report.revision = Some(fix.clone());
    app.report(&report).await;
    let mails = mails_to(&app, ANN.1).await;
    let [mail] = &mails[..] else { panic!("{mails:#?}") };
    assert!(mail.subject.starts_with("Regression: "), "{}", mail.subject);
    let read = "Before that commit the line read: return sum(prices) / len(prices)";
    assert!(mail.text.contains(read), "{}", mail.text);
    // Another exception in the changed line is another issue.
    let mut report = report.clone();
    report.exception_type = Some("builtins.TypeError".into());
    app.report(&report).await;
    assert_eq!(mails_to(&app, ANN.1).await.len(), 1, "the line has its issue");
}

#[tokio::test(flavor = "multi_thread")]
async fn regression_by_a_merge_is_found_by_ancestry_not_dates() {
    let repository = TestRepository::shop();
    let first = repository.git(&["rev-parse", "HEAD"]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&cart(&first)).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    // Dates say nothing: the fix commit has a date long after everything else.
    let fix = app.repository.commit(BEN, "2026-11-01", "fix", &[("shop/cart.py", FIXED)]);
    app.report(&other(&fix)).await;
    wait_until_fixed(&app, 1, &fix).await;
    let git = |arguments: &[&str]| app.repository.git(arguments);
    git(&["checkout", "--quiet", "-b", "feature", &first]);
    let feature = app.repository.commit(ANN, "2026-11-05", "feature", &[("NEW", "x\n")]);
    app.report(&cart(&feature)).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1, "a newer revision without the fix");
    git(&[
        "-c",
        "user.name=x",
        "-c",
        "user.email=x@example.com",
        "merge",
        "-q",
        "-s",
        "ours",
        "-m",
        "merge",
        &fix,
    ]);
    let merged = git(&["rev-parse", "HEAD"]);
    app.report(&cart(&merged)).await;
    let mails = mails_to(&app, BEN.1).await;
    let [first_mail, regression] = &mails[..] else { panic!("{mails:#?}") };
    assert!(regression.subject.starts_with("Regression: "), "{}", regression.subject);
    assert_eq!(regression.header("references"), first_mail.header("references"), "one thread");
    assert_ne!(regression.message_id, first_mail.message_id);
}

#[tokio::test(flavor = "multi_thread")]
async fn issue_resolved_by_hand_regresses_at_next_occurrence() {
    let app = App::start().await;
    let first = app.repository.git(&["rev-parse", "HEAD"]);
    app.report(&cart(&first)).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    let mut tx = app.server.app.store.write().await.expect("store");
    let now = app.clock.now();
    tx.set_resolved(1, now, None, &Resolution::ByHand).await.expect("store");
    tx.commit().await.expect("store");
    for _ in 0..3 {
        app.report(&cart(&first)).await;
        app.settle().await;
    }
    let mails = mails_to(&app, BEN.1).await;
    assert_eq!(mails.len(), 2, "{mails:#?}");
    assert!(mails[1].text.contains("(marked as resolved by hand). It failed again"), "{mails:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tip_is_what_runs_without_named_revisions() {
    let app = App::start().await;
    app.report(&request(&[("/srv/app/shop/cart.py", 5, "total", LINE)])).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    let fix = app.repository.commit(ANN, "2026-06-02", "max", &[("shop/cart.py", FIXED)]);
    wait_until_fixed(&app, 1, &fix).await;
    app.report(&request(&[("/srv/app/shop/cart.py", 5, "total", LINE)])).await;
    assert_eq!(app.mails().await.len(), 1, "the text is in an earlier version only");
}

#[tokio::test(flavor = "multi_thread")]
async fn deploy_names_the_running_revision_before_anything_fails() {
    let app = App::start().await;
    let first = app.repository.git(&["rev-parse", "HEAD"]);
    app.report(&cart(&first)).await;
    app.settle().await;
    let fix = app.repository.commit(ANN, "2026-06-02", "max", &[("shop/cart.py", FIXED)]);
    let deployed = |revision: &str| {
        let repository = app.repository.dir().display().to_string();
        let output = Command::new(env!("CARGO_BIN_EXE_flawless"))
            .args(["deployed", revision, "-conf", &app.conf()])
            .args(["--set", &format!("repo_dir={repository}")])
            .output()
            .expect("it runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    let (code, text) = deployed("v1-that-is-nowhere");
    assert!(code == Some(1) && text.contains("is not a revision of the repository"), "{text}");
    let (code, text) = deployed(&fix);
    assert!(code == Some(0) && text.contains(&format!("{} runs now", &fix[..10])), "{text}");
    wait_until_fixed(&app, 1, &fix).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fix_unknown_to_git_is_found_once_git_has_it() {
    let repository = TestRepository::shop();
    let first = repository.git(&["rev-parse", "HEAD"]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&other(&first)).await;
    app.settle().await;
    // Seen last, so that it is checked first.
    app.clock.advance(60_000);
    app.report(&cart(&first)).await;
    app.settle().await;
    let git = |arguments: &[&str]| app.repository.git(arguments);
    let web = [("shop/web.py", "def handle(cart):\n    return None\n")];
    let known = app.repository.commit(ANN, "2026-06-02", "web", &web);
    // A revision that runs before the mirror has it.
    let branch = git(&["branch", "--show-current"]);
    let ahead = app.repository.commit(BEN, "2026-06-03", "max", &[("shop/cart.py", FIXED)]);
    let bundle = app.folder.path().join("ahead.bundle").display().to_string();
    git(&["bundle", "create", "-q", &bundle, &branch]);
    git(&["reset", "--quiet", "--hard", &known]);
    git(&["reflog", "expire", "--expire=now", "--all"]);
    git(&["prune", "--expire=now"]);
    let mut tx = app.server.app.store.write().await.expect("store");
    for revision in [&known, &ahead] {
        tx.seen_running(revision, true, app.clock.now()).await.expect("store");
    }
    tx.commit().await.expect("store");
    app.server.app.wakeups.revisions.notify_one();
    wait_until_fixed(&app, 1, &known).await;
    assert_eq!(resolved_by(&app, 2).await, None);
    git(&["fetch", "--quiet", &bundle, &format!("{branch}:ahead")]);
    app.clock.advance(60_000);
    wait_until_fixed(&app, 2, &ahead).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn issue_stays_resolved_when_merged_into_a_new_one() {
    let app = App::start().await;
    let first = app.repository.git(&["rev-parse", "HEAD"]);
    app.report(&cart(&first)).await;
    app.settle().await;
    let mut unreported = other(&first);
    unreported.error_threshold = Some(100);
    app.report(&unreported).await;
    app.settle().await;
    let mut tx = app.server.app.store.write().await.expect("store");
    tx.set_resolved(1, app.clock.now(), Some(&first), &Resolution::ByHand).await.expect("store");
    tx.merge_issue(1, 2).await.expect("store");
    tx.commit().await.expect("store");
    assert_eq!(resolved_by(&app, 1).await, Some(first));
}

const TWELVE: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn fixed_issue_is_continued_by_only_one_of_its_new_lines() {
    let repository = TestRepository::shop();
    let first = repository.git(&["rev-parse", "HEAD"]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&cart(&first)).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    let line = |n| format!("    p{n} = sum(prices) / len(prices) + {n}\n");
    let lines: String = (0..TWELVE).map(line).collect();
    let twelve = CART.replace(LINE, &lines);
    let fix = app.repository.commit(ANN, "2026-06-02", "twelve", &[("shop/cart.py", &twelve)]);
    let reports = (0..TWELVE).map(|n| {
        let at = 5 + i64::try_from(n).expect("short");
        let mut report = request(&[("/srv/app/shop/cart.py", at, "total", &line(n))]);
        report.revision = Some(fix.clone());
        report
    });
    for report in reports {
        app.report(&report).await;
    }
    app.settle().await;
    let count = async |issue| {
        let issue = app.server.app.store.issue(issue).await.expect("store");
        issue.map(|issue| issue.occurrences)
    };
    assert_eq!(count(1).await, Some(2), "the older issue regressed once");
    for issue in 2..=TWELVE as i64 {
        assert_eq!(count(issue).await, Some(1), "issue {issue}");
    }
    let mails = mails_to(&app, ANN.1).await;
    let regression =
        mails.iter().map(|mail| mail.text.matches("REGRESSION").count()).sum::<usize>();
    assert_eq!(regression, 1, "{mails:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn line_that_a_fix_adds_is_a_new_issue() {
    let repository = TestRepository::shop();
    let first = repository.git(&["rev-parse", "HEAD"]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&cart(&first)).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    let added = FIXED.replace("    return", "    rate = load_rate('eur')\n    return");
    let fix = app.repository.commit(ANN, "2026-06-02", "fix", &[("shop/cart.py", &added)]);
    let frame = ("/srv/app/shop/cart.py", 5, "total", "    rate = load_rate('eur')");
    let mut report = request(&[frame]);
    report.revision = Some(fix);
    app.report(&report).await;
    let mails = mails_to(&app, ANN.1).await;
    let [mail] = &mails[..] else { panic!("{mails:#?}") };
    assert_eq!(mail.subject, "ValueError in total (shop/cart.py)", "not a regression");
}

#[tokio::test(flavor = "multi_thread")]
async fn regression_during_a_mute_is_notified_afterwards() {
    let repository = TestRepository::shop();
    let first = repository.git(&["rev-parse", "HEAD"]);
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    app.report(&cart(&first)).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    let (status, _) = app.post("/issues/1/mute", &[("time", "day")]).await;
    assert_eq!(status, 200);
    let fix = app.repository.commit(ANN, "2026-06-02", "max", &[("shop/cart.py", FIXED)]);
    let text = "    return sum(prices) / max(len(prices), 1)\n";
    let mut report = request(&[("/srv/app/shop/cart.py", 5, "total", text)]);
    report.revision = Some(fix);
    app.report(&report).await;
    assert!(mails_to(&app, ANN.1).await.is_empty(), "muted");
    app.clock.advance(2 * 86_400_000);
    app.server.app.rules.refresh(&app.server.app.store).await.expect("store");
    app.report(&report).await;
    let mails = mails_to(&app, ANN.1).await;
    assert!(matches!(&mails[..], [mail] if mail.subject.starts_with("Regression: ")), "{mails:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unblamed_issue_regresses_only_where_the_fix_commit_runs() {
    let app = App::start().await;
    let first = app.repository.git(&["rev-parse", "HEAD"]);
    let fails_in = |revision: &str| {
        let mut report =
            request(&[("/srv/app/shop/cart.py", 5, "total", "return gone(prices, 1)")]);
        report.revision = Some(revision.to_owned());
        report
    };
    app.report(&fails_in(&first)).await;
    assert_eq!(mails_to(&app, "team@example.com").await.len(), 1);
    let fix = app.repository.commit(ANN, "2026-06-02", "a fix elsewhere", &[("NOTES", "x\n")]);
    let mut tx = app.server.app.store.write().await.expect("store");
    tx.set_resolved(1, app.clock.now(), Some(&fix), &Resolution::ByHand).await.expect("store");
    tx.commit().await.expect("store");
    app.server.app.rules.refresh(&app.server.app.store).await.expect("store");
    app.later();
    app.report(&fails_in(&first)).await;
    assert_eq!(mails_to(&app, "team@example.com").await.len(), 1, "an older revision still runs");
    app.report(&fails_in(&fix)).await;
    assert_eq!(mails_to(&app, "team@example.com").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_wrongly_taken_for_fixed_is_not_notified_again() {
    let app = App::start().await;
    app.report(&request(&[("/srv/app/shop/cart.py", 5, "total", LINE)])).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    // A formatter runs first, and its commit is listed only later.
    let formatted = CART.replace("sum(prices) / len(prices)", "(sum(prices) / len(prices))");
    let black = app.repository.commit(CLEO, "2026-06-02", "black", &[("shop/cart.py", &formatted)]);
    wait_until_fixed(&app, 1, &black).await;
    let list = [(".git-blame-ignore-revs", format!("{black}\n"))];
    let list = list.iter().map(|(path, text)| (*path, text.as_str())).collect::<Vec<_>>();
    let tip = app.repository.commit(CLEO, "2026-06-03", "list", &list);
    wait_until("the list is read", async || {
        app.server.app.repo.get().tip_commit().as_deref() == Some(tip.as_str())
    })
    .await;
    let text = "return (sum(prices) / len(prices))";
    app.report(&request(&[("/srv/app/shop/cart.py", 5, "total", text)])).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1, "it was never resolved");
    assert_eq!(app.mails().await.len(), 1);
    assert_eq!(resolved_by(&app, 1).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn line_moved_to_another_file_is_neither_fixed_nor_notified() {
    let app = App::start().await;
    app.report(&request(&[("/srv/app/shop/cart.py", 5, "total", LINE)])).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    let moved = format!("import math\n\n\n{}", CART.split_once("\n\n\n").expect("two parts").1);
    let tip = app.repository.commit(
        CLEO,
        "2026-06-02",
        "move",
        &[("shop/cart.py", "from shop.money import add\n"), ("shop/totals.py", &moved)],
    );
    let store = &app.server.app.store;
    wait_until("its line was searched for there", async || {
        let runs = store.running_revisions(1).await.expect("store");
        runs.first().is_some_and(|runs| runs.commit_id == tip)
            && store.open_issues(runs[0].id, 10).await.expect("store").is_empty()
    })
    .await;
    assert_eq!(resolved_by(&app, 1).await, None);
    app.report(&request(&[("/srv/app/shop/totals.py", 5, "total", LINE)])).await;
    assert_eq!(mails_to(&app, BEN.1).await.len(), 1);
    assert_eq!(app.mails().await.len(), 1);
}
