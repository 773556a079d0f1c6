//! Exceptions that only carry others: each carried fault is an issue of its own line.
use flawless_protocol::thrift::{ChainedException, RecordErrorRequest, StackLine};

use crate::harness::{ANN, App, BEN, Frame, flawless, request};

const CALLER: Frame<'_> = ("/srv/app/shop/web.py", 2, "handle", "return cart.total()");
const CART: Frame<'_> = ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
const MONEY: Frame<'_> = ("/srv/app/shop/money.py", 2, "add", "return a + b");
const POOL: Frame<'_> =
    ("/usr/lib/python3.11/multiprocessing/pool.py", 774, "get", "raise self._value");
const RETRY: Frame<'_> = (
    "/opt/venv/lib/python3.11/site-packages/tenacity/__init__.py",
    382,
    "__call__",
    "result = fn(*args, **kwargs)",
);

fn lines(frames: &[Frame<'_>]) -> Vec<StackLine> {
    request(frames).traceback
}

fn chained(relation: &str, exception: &str, frames: &[Frame<'_>]) -> ChainedException {
    ChainedException {
        exception_type: Some(exception.to_owned()),
        exception_message: Some(format!("{exception}('x')")),
        relation: Some(relation.to_owned()),
        traceback: lines(frames),
        ..ChainedException::default()
    }
}

fn carrier(
    exception: &str,
    frames: &[Frame<'_>],
    chain: Vec<ChainedException>,
) -> RecordErrorRequest {
    RecordErrorRequest { exception_type: Some(exception.to_owned()), chain, ..request(frames) }
}

/// The issues' lines with their owners and counts.
async fn issues(app: &App) -> Vec<(String, String, i64)> {
    let issues = app.server.app.store.issues_between(0, i64::MAX / 2).await.expect("store");
    let mut issues: Vec<_> = issues
        .into_iter()
        .map(|found| {
            let facts = found.issue.facts;
            let place = format!("{}:{}", facts.path, facts.line);
            (place, facts.exception_type, found.issue.occurrences)
        })
        .collect();
    issues.sort();
    issues
}

#[tokio::test(flavor = "multi_thread")]
async fn group_members_are_notified_each_to_its_author() {
    let app = App::start().await;
    let group = carrier(
        "builtins.ExceptionGroup",
        &[CALLER, ("/usr/lib/python3.11/asyncio/taskgroups.py", 145, "__aexit__", "raise me")],
        vec![
            chained("member", "builtins.ZeroDivisionError", &[CART]),
            chained("member", "builtins.TypeError", &[MONEY]),
        ],
    );
    app.report(&group).await;
    let mails = app.mails().await;
    let notified: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(notified, [ANN.1, BEN.1], "{mails:#?}");
    assert!(mails[1].subject.contains("ZeroDivisionError"), "{}", mails[1].subject);
    assert!(mails[1].says("Carried here by:"), "{}", mails[1].text);
    assert!(mails[1].says("ExceptionGroup: ValueError('no')"), "{}", mails[1].text);
    // The next report, whose verdict is cached, is counted for each of them as well.
    app.report(&group).await;
    app.settle().await;
    let expected = [
        ("shop/cart.py:5".to_owned(), "builtins.ZeroDivisionError".to_owned(), 2),
        ("shop/money.py:2".to_owned(), "builtins.TypeError".to_owned(), 2),
    ];
    assert_eq!(issues(&app).await, expected);
    let app = app.restart().await;
    app.report(&group).await;
    app.settle().await;
    assert!(issues(&app).await.iter().all(|(_, _, count)| *count == 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn bugs_hidden_by_one_wrapper_are_issues_of_their_own() {
    let app = App::start().await;
    for (exception, frame) in [("builtins.ZeroDivisionError", CART), ("builtins.TypeError", MONEY)]
    {
        let retries = carrier(
            "tenacity.RetryError",
            &[CALLER, RETRY],
            vec![chained("cause", exception, &[RETRY, frame])],
        );
        app.report(&retries).await;
    }
    let mails = app.mails().await;
    assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [ANN.1, BEN.1]);
    let places: Vec<String> = issues(&app).await.into_iter().map(|(place, _, _)| place).collect();
    assert_eq!(places, ["shop/cart.py:5", "shop/money.py:2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn exception_the_project_raises_from_a_cause_stays_its_fault() {
    let app = App::start().await;
    let own =
        carrier("shop.CartError", &[CALLER, CART], vec![chained("cause", "KeyError", &[MONEY])]);
    app.report(&own).await;
    assert_eq!(app.one_mail().await.to, BEN.1);
}

#[tokio::test(flavor = "multi_thread")]
async fn stack_of_another_process_is_read_from_its_text() {
    let app = App::start().await;
    let text = "\n\"\"\"\nTraceback (most recent call last):\n  \
         File \"/usr/lib/python3.11/multiprocessing/pool.py\", line 125, in worker\n    \
         result = (True, func(*args, **kwds))\n  \
         File \"/srv/app/shop/cart.py\", line 5, in total\n    \
         return sum(prices) / len(prices)\nZeroDivisionError: division by zero\n\"\"\"";
    let remote = ChainedException {
        exception_type: Some("multiprocessing.pool.RemoteTraceback".into()),
        exception_message: Some(text.into()),
        relation: Some("cause".into()),
        ..ChainedException::default()
    };
    app.report(&carrier("builtins.ZeroDivisionError", &[CALLER, POOL], vec![remote])).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1, "{}", mail.text);
    assert!(mail.subject.contains("ZeroDivisionError"), "{}", mail.subject);
    let expected = [("shop/cart.py:5".to_owned(), "builtins.ZeroDivisionError".to_owned(), 1)];
    assert_eq!(issues(&app).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn traceback_put_into_a_message_blames_nobody_else() {
    let app = App::start().await;
    let mut own = request(&[CALLER, CART]);
    own.exception_message = Some(
        "LookupError('bad comment: Traceback (most recent call last):\\n  File \\\"/srv/app/shop/money.py\\\", \
         line 2, in add\\n    return a + b\\nTypeError: no')"
            .to_owned(),
    );
    app.report(&own).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1, "{}", mail.text);
    // A traceback in the message of foreign code is still the fault.
    app.later();
    let mut brought = request(&[CALLER, POOL]);
    brought.exception_message = own.exception_message;
    app.report(&brought).await;
    let mails = app.mails().await;
    assert!(
        mails.iter().any(|mail| mail.to == ANN.1 && mail.says("shop/money.py:2")),
        "{mails:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn group_report_is_recounted_once_after_an_issue_was_erased() {
    let app = App::start().await;
    let group = carrier(
        "builtins.ExceptionGroup",
        &[CALLER, POOL],
        vec![
            chained("member", "builtins.ZeroDivisionError", &[CART]),
            chained("member", "builtins.TypeError", &[MONEY]),
        ],
    );
    app.report(&group).await;
    app.settle().await;
    let conf = app.conf();
    let arguments = ["erase", "-conf", &conf, "--issue", "2", "--yes"];
    let erased = flawless(app.folder.path(), &arguments);
    assert!(erased.status.success(), "{erased:?}");
    app.report(&group).await;
    app.settle().await;
    app.report(&group).await;
    app.settle().await;
    let counts: Vec<i64> = issues(&app).await.into_iter().map(|(_, _, count)| count).collect();
    assert_eq!(counts, [3, 2]);
}
