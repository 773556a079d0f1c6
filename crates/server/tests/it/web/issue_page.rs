//! The page of one issue: who, why, where, how often; and the links that lead to it.
use flawless_store::{Facet, FacetRow};
use serde_json::json;

use crate::harness::{App, NOW, request};

const LINE: &str = "    return sum(prices) / len(prices)\n";
const CART: [(&str, i64, &str, &str); 2] = [
    ("/srv/app/shop/web.py", 2, "handle", "return cart.total()"),
    ("/srv/app/shop/cart.py", 5, "total", LINE),
];

/// The target of a redirect, without following it.
async fn leads_to(app: &App, path: &str) -> String {
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let url = format!("http://{}{path}", app.server.http_address);
    let answer = client.build().expect("a client").get(url).send().await.expect("an answer");
    assert_eq!(answer.status(), 303, "{path}");
    answer.headers()["location"].to_str().expect("text").to_owned()
}

fn expect(page: &str, parts: &[&str]) {
    for part in parts {
        assert!(page.contains(part), "{part:?} is missing in\n{page}");
    }
}

#[tokio::test]
async fn issue_with_two_exception_types_is_found_by_both() {
    let app = App::start().await;
    for (exception, message) in [
        ("builtins.ZeroDivisionError", "ZeroDivisionError('x')"),
        ("builtins.KeyError", "KeyError('k')"),
    ] {
        let mut report = request(&CART);
        report.exception_type = Some(exception.into());
        report.exception_message = Some(message.into());
        app.report(&report).await;
        app.settle().await;
        app.clock.advance(60_000);
    }
    let (_, page) = app.get("/issues/1").await;
    expect(&page, &["<h1 class=\"message\">KeyError(&#39;k&#39;)</h1>", "KeyError in total"]);
    assert!(!page.contains("ZeroDivisionError in total"), "{page}");
    expect(&page, &["builtins.ZeroDivisionError", "builtins.KeyError"]);
    for wanted in ["KeyError", "builtins.ZeroDivisionError"] {
        let (_, page) = app.get(&format!("/?exception={wanted}")).await;
        expect(&page, &["shop/cart.py:5", "builtins.ZeroDivisionError, builtins.KeyError"]);
    }
    let (_, page) = app.get("/?exception=ValueError").await;
    assert!(!page.contains("shop/cart.py:5"), "{page}");
    let issue = app.api_get("/issues/1").await;
    assert_eq!(
        issue["issue"]["exception_types"],
        json!(["builtins.ZeroDivisionError", "builtins.KeyError"])
    );
}

#[tokio::test]
async fn page_says_who_is_blamed_and_why_with_repository_links() {
    let app = App::with("repo_web_url", "gitlab https://git.example.com/team/shop").start().await;
    let frames = [
        ("/opt/py/site-packages/flask/app.py", 9, "wsgi", "return view()"),
        ("/opt/py/site-packages/flask/app.py", 10, "dispatch", "return view()"),
        CART[0],
        CART[1],
        ("/srv/app/shop/money.py", 6, "fail", "raise ValueError(text)"),
        ("/opt/py/site-packages/money/check.py", 6, "check", "raise ValueError(text)"),
    ];
    let tip = app.repository.git(&["rev-parse", "HEAD"]);
    let mut report = request(&frames);
    report.revision = Some(tip.clone());
    report.traceback[3].frame_locals = Some([("prices".into(), "x".repeat(900))].into());
    app.report(&report).await;
    app.settle().await;
    let (status, page) = app.get("/issues/1").await;
    assert_eq!(status, 200, "{page}");
    let commit =
        format!("<a href=\"https://git.example.com/team/shop/-/commit/{tip}\" rel=\"noreferrer\">");
    let line = format!(
        "<a href=\"https://git.example.com/team/shop/-/blob/{tip}/shop/cart.py#L5\" \
         rel=\"noreferrer\">"
    );
    expect(
        &page,
        &[
            "<h1 class=\"message\">ValueError(&#39;no&#39;)</h1>",
            "<span class=\"badge good\">notified</span>",
            "1 in all, 1 this week, 1 in the last 24 hours",
            "Ben Baker &#60;ben@example.com&#62;",
            "“cart: a total”",
            &commit,
            &line,
            "passed over: 1 frame of another package",
            "passed over: shop/money.py:6 in fail: a raise statement",
            "certain: the line reads the same",
            "ben@example.com answers for it",
            "Blame this one instead",
            "sent 2026-11-22",
            "<summary>2 frames of other packages</summary>",
            // The surrounding lines come from the repository, with the values next to them.
            "<td>4</td><td><code>def total(prices):</code>",
            "<code class=\"value\">prices = xxx",
            "900 characters",
            "Traceback (most recent call last):\n  File &#34;/opt/py/site-packages/flask/app.py&#34;, line 9",
            "aria-label=\"1 occurrence in the last 48 hours, by hour\"",
            "<title>2026-11-22 12:00: 1</title>",
            "<title>2026-11-22: 1</title>",
        ],
    );
    assert!(!page.contains("/flask/app.py#L"), "only own frames have links");
    assert!(!page.contains(" style="), "no inline styles");
}

#[tokio::test]
async fn older_links_lead_to_the_page_and_missing_issues_are_named() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    app.settle().await;
    let older = "/view_traceback?filename=shop/cart.py&function_name=total&line_number=5&\
                 text=return+sum(prices)+/+len(prices)";
    assert_eq!(leads_to(&app, older).await, "/issues/1");
    assert_eq!(leads_to(&app, "/view_traceback?issue=1").await, "/issues/1");
    for (path, said) in [
        ("/issues/77", "There is no issue 77."),
        ("/issues/x%3Cb%3E", "There is no issue x&#60;b&#62;."),
        ("/issues/99999999999999999999", "There is no issue 99999999999999999999."),
        ("/view_traceback", "The address does not name an issue"),
        ("/view_traceback?filename=a%26b.py", "href=\"/?file=a%26b.py\""),
    ] {
        let (status, page) = app.get(path).await;
        assert!(status == 404 && page.contains(said), "{path}: {status} {page}");
    }
    let store = &app.server.app.store;
    let erased = store.look_at_issue(1).await.expect("store").expect("an issue");
    let mut tx = store.write().await.expect("store");
    tx.erase_issue(&erased, NOW).await.expect("erased");
    tx.commit().await.expect("store");
    let (status, page) = app.get("/issues/1").await;
    assert!(status == 404 && page.contains("Issue 1 no longer exists"), "{page}");
}

#[tokio::test]
async fn older_link_without_a_single_issue_shows_the_candidates() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    for line in [20, 21, 30] {
        let text = if line == 30 { "    other()\n" } else { "    again()\n" };
        app.settle().await;
        app.report(&request(&[("/srv/app/shop/cart.py", line, "gone", text)])).await;
    }
    app.settle().await;
    let (status, page) = app.get("/view_traceback?filename=shop/cart.py").await;
    assert_eq!(status, 300, "{page}");
    for link in ["href=\"/issues/1\">shop/cart.py:5</a> in total: <code>return sum", "issues/2"] {
        assert!(page.contains(link), "{link} is missing in {page}");
    }
    let leads = async |rest: &str| {
        leads_to(&app, &format!("/view_traceback?filename=shop/cart.py&{rest}")).await
    };
    assert_eq!(leads("function_name=total").await, "/issues/1");
    assert_eq!(leads("line_number=5").await, "/issues/1");
    assert_eq!(leads("line_number=17&text=return+sum(prices)+/+len(prices)").await, "/issues/1");
    // Parameters that the issue's page does not know either are named there.
    let to = leads("function_name=total&colour=red").await;
    assert_eq!(to, "/issues/1?colour=");
    assert!(app.get(&to).await.1.contains("“colour” is not a parameter of this page."));
    let (status, page) = app.get("/view_traceback?filename=shop/cart.py&function_name=x").await;
    assert!(status == 404 && page.contains("No issue of shop/cart.py"), "{page}");
}

#[tokio::test]
async fn older_link_leads_to_the_traceback_of_the_week_it_names() {
    let app = App::start().await;
    let day = 86_400_000;
    for number in 0..3 {
        let mut report = request(&CART);
        report.exception_message = Some(format!("ValueError('number {number}')"));
        app.report(&report).await;
        app.settle().await;
        app.clock.advance(7 * day);
    }
    let week = async |weeks: i64| {
        let at = (NOW + weeks * 7 * day) / 1000;
        let to = format!("/view_traceback?filename=shop/cart.py&timestamp={at}");
        app.get(&leads_to(&app, &to).await).await.1
    };
    for number in 0..3 {
        let page = week(number).await;
        let headline = format!("<h1 class=\"message\">ValueError(&#39;number {number}&#39;)</h1>");
        assert!(page.contains(&headline), "{number}: {page}");
        assert!(!page.contains("no longer kept"), "{number}");
    }
    for week in [week(-1).await, week(3).await] {
        assert!(week.contains("number 2") && week.contains("no longer kept"), "{week}");
    }
    for nonsense in ["x", "-1", "1e300"] {
        let link = format!("/view_traceback?filename=shop/cart.py&timestamp={nonsense}");
        let (_, page) = app.get(&leads_to(&app, &link).await).await;
        assert!(page.contains("no longer kept"), "{nonsense}");
    }
}

#[tokio::test]
async fn samples_that_are_kept_can_all_be_viewed() {
    let app = App::start().await;
    for number in 0..6 {
        let mut report = request(&CART);
        report.exception_message = Some(format!("ValueError('number {number}')"));
        app.report(&report).await;
        app.settle().await;
        app.clock.advance(60_000);
    }
    let (_, page) = app.get("/issues/1").await;
    expect(
        &page,
        &["<h1 class=\"message\">ValueError(&#39;number 5&#39;)</h1>", ">first</a>", ">newest</a>"],
    );
    assert!(!page.contains("number 2"), "the first and the newest three are kept");
    assert!(page.contains("Earlier sample") && !page.contains("Later sample"), "{page}");
    let (_, page) = app.get("/issues/1?sample=0").await;
    expect(&page, &["<h1 class=\"message\">ValueError(&#39;number 0&#39;)</h1>", "Later sample"]);
    let (status, page) = app.get("/issues/1?sample=17").await;
    assert!(status == 200 && page.contains("is no longer kept"), "{page}");
    app.apply_retention(app.clock.now(), app.clock.now()).await;
    let (status, page) = app.get("/issues/1").await;
    assert!(status == 200 && page.contains("No sample is left"), "{page}");
    assert!(page.contains("6 in all"), "{page}");
}

async fn facets(app: &App, issue: i64, kind: &str) -> Vec<FacetRow> {
    let facets = app.server.app.store.facets_of(issue).await.expect("store");
    facets.into_iter().filter(|facet| facet.kind == kind).collect()
}

/// Value and occurrences; others as `*`.
async fn counts(app: &App, issue: i64, kind: &str) -> Vec<(String, i64)> {
    let part = |facet: FacetRow| {
        let value = if facet.is_others { "*".to_owned() } else { facet.value };
        (value, facet.occurrences)
    };
    facets(app, issue, kind).await.into_iter().map(part).collect()
}

#[tokio::test]
async fn occurrences_are_counted_by_host_revision_and_other_facets() {
    let app = App::start().await;
    let report = async |host: &str, environment: &str, count: i64| {
        let mut report = request(&CART);
        report.hostname = Some(host.to_owned());
        report.environment = Some(environment.to_owned());
        report.error_count = Some(count);
        app.report(&report).await;
    };
    // Some of these come before the line is attributed, and some after.
    report("web-01", "production", 5).await;
    report("web-02", "production", 2).await;
    report("web-01", "", 1).await;
    app.settle().await;
    app.clock.advance(5_000);
    report("web-02", "production", 4).await;
    let pair = |value: &str, count| (value.to_owned(), count);
    assert_eq!(counts(&app, 1, "host").await, [pair("web-01", 6), pair("web-02", 6)]);
    assert_eq!(counts(&app, 1, "environment").await, [pair("production", 11), pair("", 1)]);
    assert_eq!(counts(&app, 1, "exception").await, [pair("builtins.ValueError", 12)]);
    assert_eq!(counts(&app, 1, "revision").await, [pair("", 12)]);
    let hosts = facets(&app, 1, "host").await;
    assert_eq!((hosts[1].first_at, hosts[1].last_at), (NOW, NOW + 5_000));
    let (_, page) = app.get("/issues/1").await;
    expect(&page, &["<code>web-02</code>", "<span class=\"muted\">not given</span>", "Host"]);
    assert!(!page.contains("<h3>Revision</h3>"), "a facet without values is not shown");

    // The number of values of a kind is bounded, and no occurrence is lost.
    for number in 0..60 {
        report(&format!("lambda-{number}-{}", "x".repeat(400)), "", 1).await;
    }
    let hosts = counts(&app, 1, "host").await;
    assert_eq!((hosts.len(), hosts.last()), (51, Some(&pair("*", 12))));
    assert_eq!(hosts.iter().map(|(_, count)| count).sum::<i64>(), 72);
    assert!(hosts.iter().all(|(value, _)| value.chars().count() <= 200));
    let (_, page) = app.get("/issues/1").await;
    expect(&page, &["<summary>43 more</summary>", "<span class=\"muted\">others</span>"]);
}

#[tokio::test]
async fn merged_issues_add_up_and_the_older_number_redirects() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    app.settle().await;
    let mut other = request(&[("/srv/app/shop/money.py", 2, "add", "    return a + b\n")]);
    app.report(&other).await;
    app.settle().await;
    for number in 0..49 {
        other.hostname = Some(format!("web-1{number}"));
        app.report(&other).await;
        let host = format!("db-{number}");
        let mut report = request(&CART);
        report.hostname = Some(host);
        app.report(&report).await;
    }
    let store = &app.server.app.store;
    let mut tx = store.write().await.expect("store");
    tx.merge_issue(1, 2).await.expect("merged");
    tx.commit().await.expect("store");
    assert_eq!(leads_to(&app, "/issues/1").await, "/issues/2");
    let hosts = counts(&app, 2, "host").await;
    assert_eq!((hosts.len(), hosts[0].clone()), (51, ("web-01".to_owned(), 2)));
    assert_eq!(hosts.iter().map(|(_, count)| count).sum::<i64>(), 100);
    assert_eq!(counts(&app, 1, "host").await, []);
    assert_eq!(counts(&app, 2, "exception").await, [("builtins.ValueError".to_owned(), 100)]);
    app.apply_retention(NOW + 1, NOW).await;
    assert_eq!(counts(&app, 2, "host").await, [], "after the retention");
}

#[tokio::test]
async fn value_was_first_seen_with_its_earliest_report() {
    let app = App::start().await;
    app.report(&request(&CART)).await;
    app.settle().await;
    let store = &app.server.app.store;
    let mut tx = store.write().await.expect("store");
    for at in [NOW, NOW - 9] {
        let facet = Facet::new(["E", "late", "", ""], 1, at);
        tx.count_facets(&[(1, &facet)]).await.expect("counted");
    }
    tx.commit().await.expect("store");
    let facets = store.facets_of(1).await.expect("facets");
    let host = facets.iter().find(|facet| facet.value == "late").expect("a host");
    assert_eq!((host.occurrences, host.first_at, host.last_at), (2, NOW - 9, NOW));
}
