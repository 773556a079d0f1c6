//! Reports made to break something get an outcome like any other, and have no other effect.
use flawless_protocol::thrift::{RecordErrorRequest, StackLine};

use crate::harness::{App, NOW, TestRepository, ThriftClient, request};

#[tokio::test]
async fn hostile_values_are_counted_and_touch_nothing() {
    let app = App::start().await;
    let canary = app.folder.path().join("canary");
    let option = format!("--output={}", canary.display());
    let long = "x".repeat(100_000);
    let paths = [
        option.as_str(),
        "--contents=/etc/hostname",
        "../../etc/passwd",
        "/etc/passwd",
        "shop/cart.py\0",
        "shop/\n../cart.py",
        ":(top)shop/cart.py",
        "-",
        "",
        "/",
        long.as_str(),
        "<script>alert(1)</script>.py",
    ];
    let mut sent = 0;
    for path in paths {
        for line in [-1, 0, i64::MAX] {
            app.report(&request(&[(path, line, "--output=x\0", "a\0b\u{202e}<b>")])).await;
            sent += 1;
        }
    }
    let mut revisions = request(&[("/srv/app/shop/cart.py", 5, "total", "x")]);
    for revision in [option.as_str(), "HEAD:shop/cart.py", "@{u}", "a..b", "\0", long.as_str()] {
        revisions.revision = Some(revision.to_owned());
        app.report(&revisions).await;
        sent += 1;
    }
    app.settle().await;
    assert!(!canary.exists());
    let outcomes = app.server.app.store.outcomes_since(NOW).await.expect("store");
    assert!(outcomes.iter().all(|outcome| outcome.kind == "not_blamed"), "{outcomes:?}");
    assert_eq!(outcomes.iter().map(|outcome| outcome.reports).sum::<i64>(), sent);
    assert!(app.smtp.mails().iter().all(|mail| mail.to == "team@example.com"));
    for mail in app.smtp.mails() {
        assert!(!mail.html.contains("<script>") && !mail.html.contains('\u{202e}'));
    }
}

#[tokio::test]
async fn huge_reports_are_cut_to_size_or_refused() {
    let app = App::with("max_report_bytes", "30000000").start().await;
    let text = "y".repeat(10_000_000);
    let mut huge = request(&[("/srv/app/shop/cart.py", 5, "total", &text)]);
    huge.exception_message = Some(text.clone());
    app.report(&huge).await;
    let frame = StackLine { filename: Some("a.py".into()), ..StackLine::default() };
    let mut deep = RecordErrorRequest { traceback: vec![frame; 99_999], ..request(&[]) };
    deep.traceback.extend(request(&[("/srv/app/shop/cart.py", 5, "total", "z")]).traceback);
    app.report(&deep).await;
    app.report(&request(&[])).await;
    let largest = RecordErrorRequest { additional_info: Some("z".repeat(31_000_000)), ..huge };
    let mut client = ThriftClient::connect(app.thrift_address()).await;
    assert!(client.record_error(&largest).await.is_err());
    app.settle().await;
    for mail in app.mails().await {
        assert!(mail.text.len() < 200_000, "{}", mail.text.len());
    }
    for (path, expected) in
        [("/issues/1", 200), ("/issues/2", 200), ("/view_traceback?filename=shop/cart.py", 300)]
    {
        let (status, page) = app.get(path).await;
        assert!(status == expected && page.len() < 400_000, "{path}: {status} {}", page.len());
    }
}

#[tokio::test]
async fn hostile_commits_do_not_inject_into_mails_or_pages() {
    let repository = TestRepository::shop();
    let name = "Eve\u{202e} <script>alert(1)</script>";
    repository.git(&["config", "user.name", "unused"]);
    repository.commit(
        (Box::leak(name.to_owned().into_boxed_str()), "eve@example.com"),
        "2026-06-01",
        "<img src=x onerror=alert(1)>",
        &[("shop/<b>.py", "boom('<i>')\n")],
    );
    let app = App::with("report_error_threshold", "1").repository(repository).start().await;
    let mut report = request(&[("/srv/app/shop/<b>.py", 1, "<u>", "boom('<i>')")]);
    report.hostname = Some("web\r\nBcc: mallory@example.com\r\n\r\n<h1>".into());
    report.exception_message = Some("</pre><script>alert(2)</script>".into());
    report.additional_info = Some("</pre><script>alert(3)</script>".into());
    app.report(&report).await;
    let mail = app.one_mail().await;
    assert_eq!(mail.to, "eve@example.com");
    let names: Vec<&str> = mail.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert!(!names.contains(&"bcc"), "{names:?}");
    let (_, page) = app.get("/view_traceback?filename=shop/%3Cb%3E.py").await;
    let (_, week) = app.get("/").await;
    let (_, health) = app.get("/check_health").await;
    for html in [&mail.html, &page, &week, &health] {
        for tag in ["<script>", "<img", "<b>", "<i>", "<u>", "<h1></", "\u{202e}"] {
            assert!(!html.contains(tag), "{tag} in {html}");
        }
    }
    assert!(page.contains("&#60;script&#62;alert(3)"), "it is shown as text: {page}");
}
