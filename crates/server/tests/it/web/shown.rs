//! The person who is notified sees everything in a report: the exceptions that led to it, notes,
//! the lines around each frame, and the web request.
use std::collections::BTreeMap;

use flawless_protocol::thrift::{
    Breadcrumb, ChainedException, Context, Process, RecordErrorRequest, StackLine, WebRequest,
};

use crate::harness::{App, BEN, request};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn exception(name: &str, relation: &str, parent: Option<i64>) -> ChainedException {
    // A member that went through code of the project would be a fault of its own.
    let file =
        if relation == "member" { "/usr/lib/python3/money.py" } else { "/srv/app/shop/money.py" };
    let frame = (file, 6, "fail", "raise ValueError(text)");
    ChainedException {
        exception_type: Some(format!("shop.errors.{name}")),
        exception_message: Some(format!("{name}('deep down')")),
        relation: Some(relation.to_owned()),
        parent,
        traceback: request(&[frame]).traceback,
        notes: vec![format!("a note on {name}")],
    }
}

fn full_report() -> RecordErrorRequest {
    let mut report = request(&[
        ("/srv/app/shop/web.py", 2, "handle", "return cart.total()"),
        ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)"),
    ]);
    report.traceback[1] = StackLine {
        before: texts(&["", "def total(prices):\n"]),
        after: texts(&["\n", "TAXES = 3\n"]),
        ..report.traceback[1].clone()
    };
    report.environment = Some("production".into());
    report.notes = texts(&["the cart was empty"]);
    report.chain = vec![
        exception("Missing", "cause", None),
        exception("Closed", "context", Some(0)),
        exception("Part", "member", None),
    ];
    report.request = Some(WebRequest {
        method: Some("POST".into()),
        path: Some("/cart/total?day=1".into()),
        protocol: Some("HTTP/1.1".into()),
        headers: [("Host", "shop.example.com"), ("Accept", "*/*")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        body: Some("a=1&b=2".into()),
        client_address: Some("192.0.2.7".into()),
    });
    report
}

fn facts(facts: &[(&str, &str)]) -> BTreeMap<String, String> {
    facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The same from a client that reports what its program was doing.
fn report_of_work() -> RecordErrorRequest {
    let some = |text: &str| Some(text.to_owned());
    let breadcrumb = |at: i64, category: &str, level: &str, message: &str| Breadcrumb {
        at: Some(1_795_348_000_000 + at),
        category: some(category),
        level: some(level),
        message: some(message),
        data: BTreeMap::new(),
    };
    let mut breadcrumbs: Vec<Breadcrumb> = (0..20)
        .map(|at| breadcrumb(at * 1_000, "query", "info", &format!("SELECT {at}")))
        .collect();
    breadcrumbs.push(breadcrumb(20_500, "http", "error", "GET /rates"));
    breadcrumbs.push(Breadcrumb {
        data: facts(&[("rows", "3")]),
        ..breadcrumb(22_900, "query", "info", "SELECT price")
    });
    RecordErrorRequest {
        handled: Some(false),
        mechanism: some("wsgi"),
        transaction: some("shop.views.pay"),
        user: facts(&[("email", "ann@customer.example"), ("id", "42")]),
        tags: facts(&[("region", "eu-1")]),
        contexts: vec![Context { name: some("order"), values: facts(&[("number", "4711")]) }],
        breadcrumbs,
        process: Some(Process {
            runtime: some("CPython 3.13.0 on Linux x86_64"),
            arguments: texts(&["gunicorn", "shop.wsgi", "--bind", "a b"]),
            ..Process::default()
        }),
        thread: some("MainThread"),
        task: some("Task-7"),
        trace_id: some("0af7651916cd43dd8448eb211c80319c"),
        ..full_report()
    }
}

/// Checks that a text contains these parts in this order.
fn in_order(text: &str, expected: &[&str]) {
    let mut from = 0;
    for part in expected {
        let at = text[from..].find(part);
        from += at.unwrap_or_else(|| panic!("{part:?} is missing after {from} in\n{text}"));
        from += part.len();
    }
}

#[tokio::test]
async fn mail_shows_traceback_then_its_causes_then_the_request() {
    let app = App::start().await;
    app.report(&full_report()).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, BEN.1, "the chain takes no part in the choice");
    let parts = [
        "in production",
        "def total(prices):",
        "Why you",
        "Traceback (most recent call last)",
        "shop/cart.py",
        "ValueError(",
        "the cart was empty",
        "Caused by:",
        "shop/money.py",
        "Missing(",
        "a note on Missing",
        "While handling:",
        "One of the group (of builtins.ValueError):",
        "Variables",
        "Web request",
        "POST /cart/total?day=1 HTTP/1.1",
        "Accept: */*",
        "Host: shop.example.com",
    ];
    in_order(&mail.text, &parts);
    in_order(&mail.html, &parts.map(|part| part.trim_end_matches(':')));
    assert!(mail.text.contains("a=1&b=2") && mail.html.contains("a=1&#38;b=2"));
    let expected = "\
    return sum(prices) / len(prices)
ValueError('no')
the cart was empty

Caused by:
  File \"/srv/app/shop/money.py\", line 6, in fail
    raise ValueError(text)
shop.errors.Missing('deep down')
a note on Missing

While handling:
  File \"/srv/app/shop/money.py\"";
    assert!(mail.text.contains(expected), "{}", mail.text);
    let expected = "
Web request
POST /cart/total?day=1 HTTP/1.1
  from 192.0.2.7
  Accept: */*
  Host: shop.example.com

a=1&b=2

";
    assert!(mail.text.contains(expected), "{}", mail.text);
}

#[tokio::test]
async fn page_shows_the_lines_around_each_frame_too() {
    let app = App::start().await;
    app.report(&full_report()).await;
    app.settle().await;
    let (_, page) = app.get("/view_traceback?filename=shop/cart.py").await;
    let parts = [
        "on web-01, in production",
        "shop/cart.py",
        "<tr class=\"context\"><td>4</td><td><code>def total(prices):</code></td></tr>",
        "<tr class=\"own\"><td>5</td><td><code>    return sum(prices) / len(prices)</code></td></tr>",
        "<td>7</td><td><code>TAXES = 3</code>",
        "the cart was empty",
        "<h3>Caused by: shop.errors.Missing</h3>",
        "a note on Missing",
        "<h3>While handling: shop.errors.Closed</h3>",
        "<h3>One of the group (of builtins.ValueError): shop.errors.Part</h3>",
        "Web request",
        "POST /cart/total?day=1 HTTP/1.1",
        "shop.example.com",
        "a=1&#38;b=2",
    ];
    in_order(&page, &parts);
}

#[tokio::test]
async fn mail_names_user_and_work_at_the_top_and_the_rest_below() {
    let app = App::start().await;
    app.report(&report_of_work()).await;
    let mail = app.one_mail().await;
    let parts = [
        "Running shop.views.pay for ann@customer.example (id 42)",
        "Not handled, seen by wsgi",
        "Why you",
        "Traceback (most recent call last)",
        "Variables",
        "What happened before",
        "0 s",
        "SELECT price",
        "rows = 3",
        "−2.4 s",
        "GET /rates",
        "SELECT 19",
        "SELECT 12",
        "12 more before these",
        "Web request",
        "from 192.0.2.7",
        "Tags",
        "region: eu-1",
        "order",
        "number: 4711",
        "Process",
        "Thread",
        "MainThread",
        "Task-7",
        "0af7651916cd43dd8448eb211c80319c",
    ];
    in_order(&mail.text, &parts);
    in_order(&mail.html, &parts);
    assert!(!mail.text.contains("SELECT 11"), "{}", mail.text);
    let expected = "
What happened before
          0 s  query  SELECT price
                   rows = 3
       −2.4 s  http error  GET /rates
       −3.9 s  query  SELECT 19
";
    assert!(mail.text.contains(expected), "{}", mail.text);
    let expected = "
Tags
  region: eu-1

Context: order
  number: 4711

Process
  Thread: MainThread
  Task: Task-7
  Trace: 0af7651916cd43dd8448eb211c80319c
  Command: gunicorn shop.wsgi --bind 'a b'
  Runtime: CPython 3.13.0 on Linux x86_64

";
    assert!(mail.text.contains(expected), "{}", mail.text);
}

#[tokio::test]
async fn page_and_api_show_all_work_facts() {
    let app = App::start().await;
    app.report(&report_of_work()).await;
    app.settle().await;
    let (_, page) = app.get("/issues/1").await;
    let parts = [
        "<dt>Running</dt><dd><code>shop.views.pay</code>",
        "<dt>For</dt><dd>ann@customer.example (id 42)",
        "<dt>Handled</dt><dd>no, seen by wsgi</dd>",
        "What happened before",
        "SELECT price",
        "rows = 3",
        "−2.4 s",
        "GET /rates",
        "SELECT 19",
        "<summary>7 earlier</summary>",
        "SELECT 0<",
        "Web request",
        "From <code>192.0.2.7",
        "<h2>User",
        "<h2>Tags",
        "eu-1",
        "<h2>Context: order",
        "4711",
        "<h2>Process",
        "MainThread",
        "gunicorn shop.wsgi --bind &#39;a b&#39;",
        "CPython 3.13.0",
    ];
    in_order(&page, &parts);
    let sample = app.api_get("/issues/1/samples/0").await;
    let report = &sample["report"];
    assert_eq!(
        (&report["transaction"], &report["handled"]),
        (&"shop.views.pay".into(), &false.into())
    );
    assert_eq!(report["breadcrumbs"].as_array().map(Vec::len), Some(22));
    assert_eq!(report["breadcrumbs"][1]["before_last"], "−2.4 s");
    assert_eq!(report["breadcrumbs"][1]["at"], "2026-11-22T11:47:00Z");
    assert_eq!(report["contexts"][0]["values"][0]["value"], "4711");
    assert_eq!(report["request"]["client_address"], "192.0.2.7");
    assert_eq!(report["process"]["modules"].as_array().map(Vec::len), Some(0));
}

#[tokio::test]
async fn missing_facts_leave_no_heading() {
    let app = App::start().await;
    let mut report = request(&[("/srv/app/shop/cart.py", 5, "total", "return 1")]);
    report.process = Some(Process { modules_id: Some("ab".into()), ..Process::default() });
    report.contexts = vec![Context { name: Some("order".into()), values: BTreeMap::new() }];
    app.report(&report).await;
    let mail = app.one_mail().await;
    let (_, page) = app.get("/issues/1").await;
    for text in [&mail.text, &mail.html, &page] {
        let headings =
            ["happened before", "Running", "andled", "Seen by", "Tags", "Context", "Process"];
        for heading in headings {
            assert!(!text.contains(heading), "{heading}: {text}");
        }
    }
    assert!(!page.contains("<dt>For</dt>") && !page.contains("<h2>User"), "{page}");
    assert!(!mail.text.contains("\n\n\n\n"), "{}", mail.text);
}

#[tokio::test]
async fn hostile_chains_requests_and_notes_are_shown_as_text_and_cut() {
    let app = App::with("max_report_bytes", "30000000").start().await;
    let evil = "</pre><script>alert(1)</script>\u{202e}";
    let mut report = full_report();
    report.environment = Some(evil.into());
    report.notes = vec![evil.into(); 100];
    report.chain = (0..200)
        .map(|at| ChainedException {
            exception_type: Some(evil.into()),
            exception_message: Some(evil.repeat(1_000)),
            relation: Some(evil.into()),
            notes: vec![evil.into()],
            ..exception("Deep", "cause", Some(at - 1))
        })
        .collect();
    report.request = Some(WebRequest {
        method: Some(evil.into()),
        path: Some("/\r\nX-Forged: 1".into()),
        protocol: None,
        headers: (0..1_000).map(|n| (format!("{evil}{n}"), format!("a\r\nForged: {n}"))).collect(),
        body: Some(evil.repeat(10_000)),
        client_address: Some(evil.repeat(100)),
    });
    report.traceback[1].before = vec![evil.into(); 50];
    let evil_facts = || {
        (0..60).map(|n| (format!("{n}{}", evil.repeat(20)), format!("a\r\nForged: {n}"))).collect()
    };
    let some = || Some(format!("{}\r\nForged: 1", evil.repeat(50)));
    report.mechanism = some();
    report.transaction = some();
    report.user = evil_facts();
    report.tags = evil_facts();
    report.contexts = vec![Context { name: some(), values: evil_facts() }; 30];
    report.breadcrumbs = (0..200)
        .map(|at| Breadcrumb {
            at: Some(i64::MAX - at),
            category: some(),
            level: some(),
            message: some(),
            data: evil_facts(),
        })
        .collect();
    report.process = Some(Process {
        runtime: some(),
        arguments: vec![evil.repeat(50); 60],
        ..Process::default()
    });
    report.thread = some();
    report.task = some();
    report.trace_id = some();
    app.report(&report).await;
    let mail = app.one_mail().await;
    assert!(mail.text.len() < 200_000 && mail.html.len() < 300_000, "{}", mail.html.len());
    assert!(!mail.text.contains("\nForged:") && !mail.text.contains("\nX-Forged:"));
    assert!(mail.text.contains("more exceptions left out"), "{}", mail.text);
    let (status, page) = app.get("/view_traceback?filename=shop/cart.py").await;
    assert!(status == 200 && page.len() < 8_000_000, "{status} {}", page.len());
    for html in [&mail.html, &page] {
        assert!(!html.contains("<script>") && !html.contains('\u{202e}'));
    }
}
