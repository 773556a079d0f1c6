//! The week's page: what it lists, counts and leaves out, and where it links to.
use flawless_store::{IssueFacts, MUTED_FOR_EVER, Regression, Resolution, RuleList, Seen};

use crate::harness::{ANN, App, BEN, CLEO, NOW, Person, add_rule, wait_until};

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// The current day of the tests is a Sunday, the first day of its week.
const WEEK_BEFORE: i64 = NOW - 3 * DAY;

/// An issue that a test puts into the store.
#[derive(Clone)]
struct Made {
    path: String,
    who: Person,
    /// When it occurred, and how often.
    at: Vec<(i64, i64)>,
    facts: IssueFacts,
}

fn issue(path: &str, who: Person, at: i64, occurrences: i64) -> Made {
    let facts = IssueFacts {
        text: format!("return read({path:?})"),
        function_name: "read".into(),
        exception_type: "builtins.KeyError".into(),
        authored_at: Some(NOW - 100 * DAY),
        line: 7,
        ..IssueFacts::default()
    };
    Made { path: path.to_owned(), who, at: vec![(at, occurrences)], facts }
}

impl Made {
    fn with(mut self, change: impl FnOnce(&mut IssueFacts)) -> Self {
        change(&mut self.facts);
        self
    }

    fn and(mut self, at: i64, occurrences: i64) -> Self {
        self.at.push((at, occurrences));
        self
    }
}

/// Puts the issues into the store; they get the numbers from 1 on.
async fn put(app: &App, issues: &[Made]) {
    let mut tx = app.server.app.store.write().await.expect("store");
    for made in issues {
        let facts = IssueFacts {
            identity: format!("{} {}", made.path, made.facts.text),
            path: made.path.clone(),
            developer_name: Some(made.who.0.into()),
            developer_email: Some(made.who.1.into()),
            ..made.facts.clone()
        };
        let mut times = made.at.clone();
        times.sort_unstable();
        for (at, occurrences) in &times {
            let (first_at, last_at, occurrences) = (*at, *at, *occurrences);
            let seen =
                Seen { occurrences, only_listed: 0, reports: 1, first_at, last_at, samples: 0 };
            tx.count_attributed(&facts, seen).await.expect("counted");
        }
    }
    tx.commit().await.expect("store");
}

/// The paths that a page lists, in its order.
fn listed(page: &str) -> Vec<&str> {
    let lines = page.split("<td class=\"line\"><a href=\"").skip(1);
    let places = lines.filter_map(|line| line.split_once('>')?.1.split_once(":7</a>"));
    places.map(|(path, _)| path).collect()
}

async fn paths(app: &App, path: &str) -> Vec<String> {
    let (status, page) = app.get(path).await;
    assert_eq!(status, 200, "{path}: {page}");
    listed(&page).into_iter().map(str::to_owned).collect()
}

fn contains_all(page: &str, expected: &[&str]) {
    for expected in expected {
        assert!(page.contains(expected), "{expected:?} is missing: {page}");
    }
}

fn total(name: &str, now: &str, before: &str) -> String {
    format!(
        "<dt>{name}</dt><dd><strong>{now}</strong> <span class=\"muted\">week before: {before}</span>"
    )
}

#[tokio::test]
async fn week_is_compared_with_the_week_before_by_owner() {
    let app = App::start().await;
    let rule = serde_json::json!({
        "email": CLEO.1, "filepath": "ops", "designated_email": BEN.1
    });
    let store = &app.server.app.store;
    let mut tx = store.write().await.expect("store");
    tx.add_rule(RuleList::DisownershipList, &rule, NOW).await.expect("a rule");
    tx.commit().await.expect("store");
    app.server.app.rules.refresh(store).await.expect("rules");
    let known = |facts: &mut IssueFacts| facts.known_error_id = Some(1);
    put(
        &app,
        &[
            issue("shop/a.py", ANN, NOW - HOUR, 1_500).and(WEEK_BEFORE, 20),
            issue("shop/b.py", BEN, NOW - HOUR, 3),
            issue("ops/c.py", CLEO, NOW, 2),
            issue("shop/gone.py", CLEO, WEEK_BEFORE, 5),
            issue("shop/known.py", BEN, NOW, 100_000).with(known),
        ],
    )
    .await;
    let (_, page) = app.get("/").await;
    let expected = [
        &total("Issues", "3", "2"),
        &total("Occurrences", "1\u{202f}505", "25"),
        &total("New", "2", "2"),
        &total("People", "2", "2"),
        "<h1>Errors from 2026-11-22 to 2026-11-28</h1>",
        "Occurrences by hour, at most 1\u{202f}503 (2026-11-22 11:00)",
        "aria-label=\"by day from 2026-11-22: 5, 0, 0, 0, 0, 0, 0\"",
        "score: 5 ",
        "<span>2 issues",
        "Show 1 known error too",
    ];
    contains_all(&page, &expected);
    let place = |text: &str| page.find(text).unwrap_or_else(|| panic!("no {text}: {page}"));
    let anchors = [ANN.1, BEN.1].map(|address| place(&format!("<h2 id=\"{address}\">")));
    assert!(anchors.is_sorted(), "most first");
    assert!(!page.contains(CLEO.1), "somebody else answers for her issues");
    assert!(place("ops/c.py") > anchors[1]);
    assert!(!page.contains("Next week"), "there is no later week yet");
    // Earlier weeks, as links lead to them.
    let earlier = page.split("<a href=\"").find(|link| link.contains("Previous week"));
    let earlier = earlier.and_then(|link| link.split('"').next()).expect("a link");
    let (_, before) = app.get(&earlier.replace("&#38;", "&")).await;
    contains_all(&before, &["from 2026-11-15 to 2026-11-21", "Next week", "This week"]);
    assert_eq!(listed(&before), ["shop/a.py", "shop/gone.py"]);
    let (_, monday) = app.get("/?first_day=Monday").await;
    contains_all(&monday, &["from 2026-11-16 to 2026-11-22", &total("Issues", "4", "0")]);
}

#[tokio::test]
async fn filters_combine_and_say_when_nothing_matches() {
    let app = App::with("report_only_after_minimum_date", "2026-01-01").start().await;
    put(
        &app,
        &[
            issue("shop/a.py", ANN, NOW, 5).and(WEEK_BEFORE, 1),
            issue("shop/b.py", BEN, NOW, 4)
                .with(|facts| facts.exception_type = "django.db.DatabaseError".into()),
            issue("shopping/c.py", BEN, NOW, 3).with(|facts| facts.known_error_id = Some(9)),
            issue("ops/d.py", CLEO, NOW, 2).with(|facts| facts.authored_at = Some(0)),
            issue("ops/resolved.py", CLEO, WEEK_BEFORE, 1),
            issue("ops/muted.py", CLEO, NOW, 1),
            issue("ops/both.py", CLEO, NOW, 1).with(|facts| {
                (facts.known_error_id, facts.authored_at) = (Some(9), Some(0));
            }),
        ],
    )
    .await;
    let mut tx = app.server.app.store.write().await.expect("store");
    tx.set_resolved(5, NOW, None, &Resolution::ByHand).await.expect("resolved");
    tx.mute(6, Some(NOW + DAY)).await.expect("muted");
    tx.commit().await.expect("store");
    for (query, expected) in [
        ("", &["shop/a.py", "shop/b.py", "ops/muted.py"][..]),
        ("developer=BEN@example.com", &["shop/b.py"]),
        ("file=shop/", &["shop/a.py", "shop/b.py"]),
        ("file=shop/b.py&developer=ben@example.com", &["shop/b.py"]),
        ("exception=DatabaseError", &["shop/b.py"]),
        ("exception=builtins.KeyError&file=shop", &["shop/a.py"]),
        ("text=READ(%22SHOP/A", &["shop/a.py"]),
        ("state=new&file=shop", &["shop/b.py"]),
        ("state=not_notified&file=shop/b", &["shop/b.py"]),
        ("state=known", &["shopping/c.py"]),
        ("state=old", &["ops/d.py"]),
        ("state=muted", &["ops/muted.py"]),
        ("state=resolved", &["ops/resolved.py"]),
        ("state=open", &["shop/a.py", "shop/b.py"]),
        ("state=notified", &[]),
        ("state=regressed", &[]),
        // By developer, most first.
        ("include_known_errors=True&file=shop", &["shop/b.py", "shopping/c.py", "shop/a.py"]),
        ("include_modified_before_min_date=1&file=ops/d", &["ops/d.py"]),
        ("project=default&file=shop/a", &["shop/a.py"]),
        ("project=other", &[]),
        ("from=2026-11-19&to=2026-11-20", &["ops/resolved.py", "shop/a.py"]),
    ] {
        let mut found = paths(&app, &format!("/?{query}")).await;
        if query.starts_with("from") {
            found.sort();
        }
        assert_eq!(found, expected, "{query}");
    }
    let (_, page) = app.get("/?file=nowhere&text=%3Cb%3E&timestamp=1795348800").await;
    contains_all(
        &page,
        &[
            "Nothing matches these filters",
            "text: &#60;b&#62; <a href=\"/?timestamp=1795348800&#38;file=nowhere\"",
            "<input type=\"hidden\" name=\"timestamp\" value=\"1795348800\">",
            "value=\"nowhere\"",
        ],
    );
    let (_, page) = app.get("/").await;
    let left_out = ["Show 1 known error too", "Show 1 issue of old code too"];
    contains_all(&page, &[&total("Resolved", "1", "0"), left_out[0], left_out[1]]);
}

#[tokio::test]
async fn long_lists_have_pages_that_hold_each_issue_once() {
    let app = App::start().await;
    let mut issues: Vec<Made> =
        (0..130).map(|at| issue(&format!("shop/f{at:03}.py"), ANN, NOW, 7)).collect();
    issues.push(issue("shop/ben.py", BEN, NOW, 1));
    put(&app, &issues).await;
    let (_, page) = app.get("/").await;
    assert_eq!(listed(&page).len(), 51);
    contains_all(&page, &["All 130 of ann@example.com", "/?developer=ann%40example.com"]);
    let mut seen: Vec<String> = Vec::new();
    for number in 1..=3 {
        seen.extend(paths(&app, &format!("/?developer=ann@example.com&page={number}")).await);
    }
    seen.sort();
    let expected: Vec<String> = (0..130).map(|at| format!("shop/f{at:03}.py")).collect();
    assert_eq!(seen, expected);
    let (_, last) = app.get("/?developer=ann@example.com&page=9").await;
    contains_all(&last, &["101 to 130 of 130", "Previous page", "page=2"]);
    assert!(!last.contains("Next page"), "{last}");
    let (_, list) = app.get("/?view=list&sort=path&order=reversed&per_page=2").await;
    assert_eq!(listed(&list), ["shop/f129.py", "shop/f128.py"]);
    contains_all(
        &list,
        &["<th scope=\"col\" aria-sort=\"descending\">", "<td data-label=\"Developer\">"],
    );
    let first = paths(&app, "/?view=list&sort=developer&order=reversed&per_page=1").await;
    assert_eq!(first, ["shop/ben.py"]);
}

#[tokio::test]
async fn issue_says_whether_anybody_was_notified_and_why_not() {
    let app = App::with("report_error_threshold", "3")
        .with("report_only_after_minimum_date", "2024-01-01")
        .start()
        .await;
    put(
        &app,
        &[
            issue("a.py", ANN, NOW, 2),
            issue("b.py", ANN, NOW, 9),
            issue("c.py", ANN, NOW, 9).with(|facts| facts.known_error_id = Some(1)),
            issue("d.py", ANN, NOW, 9).with(|facts| facts.authored_at = Some(0)),
            issue("e.py", ANN, NOW, 9),
            issue("f.py", ANN, NOW, 9),
            issue("g.py", ANN, NOW, 9),
            // Its rule was removed.
            issue("h.py", ANN, NOW, 9).with(|facts| facts.known_error_id = Some(99)),
        ],
    )
    .await;
    let rule = r#"{"filename": "shop/c.py", "min_alert_threshold": 10}"#;
    add_rule(&app, "known_errors", rule).await;
    let mut tx = app.server.app.store.write().await.expect("store");
    tx.mute(2, Some(NOW + DAY)).await.expect("muted");
    tx.mute(5, Some(MUTED_FOR_EVER)).await.expect("muted");
    let regression = Regression {
        resolved_at: NOW,
        resolved_by: None,
        resolution: Resolution::ByHand,
        read: None,
        seen_in: None,
    };
    tx.notify(6, 9, "occurred 9 times", Some(&regression), NOW).await.expect("notified");
    tx.commit().await.expect("store");
    let both = "include_known_errors=1&include_modified_before_min_date=1";
    let why = "nobody can be reached: ann@example.com is gone";
    let mut page = String::new();
    // The new rule releases held alerts once, a moment after it is in force.
    wait_until("the alert is held", async || {
        let mut tx = app.server.app.store.write().await.expect("store");
        tx.hold_alert(1, why).await.expect("deferred");
        tx.commit().await.expect("store");
        page = app.get(&format!("/?view=list&sort=path&{both}")).await.1;
        page.contains(why)
    })
    .await;
    assert_eq!(listed(&page).len(), 8);
    let cells: Vec<&str> = page.split("<td data-label=\"Notified\">").skip(1).collect();
    let reasons = [
        "not notified: below threshold 3<",
        "not notified: muted until 2026-11-23 12:00<",
        "not notified: a known error below its alert thresholds<",
        "not notified: old code: before 2024-01-01<",
        "not notified: muted forever<",
        "not notified: nobody can be reached: ann@example.com is gone<",
        "not notified: the next occurrence decides<",
        "not notified: the next occurrence decides<",
    ];
    assert_eq!(cells.len(), reasons.len());
    for (cell, expected) in cells.iter().zip(reasons) {
        assert!(cell.contains(expected), "{expected:?} is missing: {cell}");
    }
    for badge in ["known error", "old code", "muted", "regressed", "new"] {
        assert!(page.contains(&format!("{badge}</span>")), "{badge}: {page}");
    }
}

#[tokio::test]
async fn sent_mail_and_deferred_one_are_told_apart() {
    let app = App::with("mails_per_person_per_hour", "1").start().await;
    let cart = [("/srv/app/shop/cart.py", 5, "total", "    return sum(prices) / len(prices)\n")];
    let import = [("/srv/app/shop/cart.py", 1, "<module>", "from shop.money import add\n")];
    app.report(&crate::harness::request(&cart)).await;
    app.settle().await;
    app.report(&crate::harness::request(&import)).await;
    app.settle().await;
    let (_, page) = app.get("/?view=list&sort=first_seen").await;
    contains_all(
        &page,
        &["notified</span> 2026-11-22 12:00", "not notified: waits for the digest at 2026-11-22 1"],
    );
}

#[tokio::test]
async fn empty_store_leads_to_setup_and_empty_week_to_earlier_ones() {
    let app = App::start().await;
    let (_, page) = app.get("/").await;
    contains_all(&page, &["No report has come in yet", "href=\"/setup\""]);
    put(&app, &[issue("shop/a.py", ANN, WEEK_BEFORE, 1)]).await;
    let (_, page) = app.get("/").await;
    contains_all(&page, &["Wow, no errors. Great job!", "Previous week"]);
    let old = paths(&app, "/?timestamp=1794900000").await;
    assert_eq!(old, ["shop/a.py"]);
}

#[tokio::test]
async fn older_addresses_lead_here_and_wrong_parameters_are_named() {
    let app = App::start().await;
    put(&app, &[issue("shop/<b>.py", ("Eve", "<i>@example.com"), NOW, 1)]).await;
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let url = format!(
        "http://{}/get_weekly_error_report?timestamp=1795000000.5&include_known_errors=True",
        app.server.http_address
    );
    let answer = client.build().expect("a client").get(url).send().await.expect("an answer");
    assert_eq!(answer.status(), 307);
    let to = answer.headers()["location"].to_str().expect("text").to_owned();
    assert_eq!(to, "/?timestamp=1795000000.5&include_known_errors=True");
    let wrong =
        "timestamp=x&first_day=9&state=%3Ci%3E&sort=%00&page=-1&per_page=0&from=%FF&order=1";
    let (status, page) = app.get(&format!("/?{wrong}")).await;
    assert_eq!(status, 200);
    for name in ["timestamp", "first_day", "state", "sort", "page", "per_page", "from", "order"] {
        let problem = format!("<p class=\"problem\" role=\"status\">{name}: “");
        assert!(page.contains(&problem), "{name}: {page}");
    }
    for tag in ["<i>", "<b>"] {
        assert!(!page.contains(tag), "{tag} in {page}");
    }
    for query in [
        "text=%3Cscript%3E&developer=%22%3E%3Cb%3E&file='&exception=%E2%80%AE",
        "page=100000&view=list",
        "from=0&to=1",
        "from=1970-01-01&to=1971-12-31&chart=day",
        "timestamp=0",
        "timestamp=221845392000",
        "%&=&&text&?&+",
    ] {
        let (status, page) = app.get(&format!("/?{query}")).await;
        assert_eq!(status, 200, "{query}");
        for bad in ["<script>", "<b>", "\u{202e}"] {
            assert!(!page.contains(bad), "{bad} in {query}: {page}");
        }
    }
}

#[tokio::test]
async fn changes_are_visible_immediately() {
    let app = App::start().await;
    put(&app, &[issue("a.py", ANN, NOW, 2), issue("b.py", BEN, NOW - 2 * HOUR, 1)]).await;
    assert_eq!(paths(&app, "/").await, ["a.py", "b.py"]);
    // A past hour grows, as when reports had to wait; another issue is seen again.
    put(&app, &[issue("b.py", CLEO, NOW - 2 * HOUR, 5)]).await;
    let (_, page) = app.get("/").await;
    assert_eq!(listed(&page), ["b.py", "a.py"]);
    contains_all(&page, &["<span class=\"count\">6</span>", "<h2 id=\"cleo@example.com\">"]);
    let store = &app.server.app.store;
    let mut tx = store.write().await.expect("store");
    tx.merge_issue(1, 2).await.expect("merged");
    tx.commit().await.expect("store");
    let (_, page) = app.get("/").await;
    assert_eq!(listed(&page), ["b.py"]);
    contains_all(&page, &["<span class=\"count\">8</span>"]);
    let mut tx = store.write().await.expect("store");
    tx.set_known_error(2, Some(1)).await.expect("known");
    tx.commit().await.expect("store");
    assert!(paths(&app, "/").await.is_empty());
}
