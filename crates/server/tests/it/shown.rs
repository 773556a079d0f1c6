//! What a report brings is shown to the one who is told: the exceptions that led to it, notes,
//! the lines around each frame, and the web request.
use flawless_protocol::thrift::{ChainedException, RecordErrorRequest, StackLine, WebRequest};

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

/// The places of the texts, which have to be there in this order.
fn in_order(text: &str, expected: &[&str]) {
    let mut from = 0;
    for part in expected {
        let at = text[from..].find(part);
        from += at.unwrap_or_else(|| panic!("{part:?} is missing after {from} in\n{text}"));
        from += part.len();
    }
}

#[tokio::test]
async fn the_mail_shows_the_traceback_first_and_then_what_led_to_it_and_the_request() {
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
  Accept: */*
  Host: shop.example.com

a=1&b=2

";
    assert!(mail.text.contains(expected), "{}", mail.text);
}

#[tokio::test]
async fn the_page_shows_the_lines_around_each_frame_too() {
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
    app.report(&report).await;
    let mail = app.one_mail().await;
    assert!(mail.text.len() < 200_000 && mail.html.len() < 300_000, "{}", mail.html.len());
    assert!(!mail.text.contains("\nForged:") && !mail.text.contains("\nX-Forged:"));
    assert!(mail.text.contains("more exceptions left out"), "{}", mail.text);
    let (status, page) = app.get("/view_traceback?filename=shop/cart.py").await;
    assert!(status == 200 && page.len() < 2_000_000, "{status} {}", page.len());
    for html in [&mail.html, &page] {
        assert!(!html.contains("<script>") && !html.contains('\u{202e}'));
    }
}
