//! Neither a flood of mails nor a lost alert: mails are limited, and every issue is named.
use std::collections::BTreeMap;
use std::fmt::Write;

use crate::harness::{App, BEN, Mail, Person, TestRepository, request};

const DEVELOPERS: usize = 5;
const LINES: i64 = 100;

fn developer(number: usize) -> Person {
    (
        "Dev",
        ["a@example.com", "b@example.com", "c@example.com", "d@example.com", "e@example.com"]
            [number],
    )
}

/// A file of each developer, with lines that fail.
fn repository() -> TestRepository {
    let repository = TestRepository::empty();
    for number in 0..DEVELOPERS {
        let lines = (1..=LINES).fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "fail_{number}({line})");
            text
        });
        let path = format!("shop/file{number}.py");
        repository.commit(developer(number), "2026-06-01", "lines", &[(&path, &lines)]);
    }
    repository
}

async fn fail(app: &App, number: usize, line: i64) {
    let (path, text) = (format!("/srv/app/shop/file{number}.py"), format!("fail_{number}({line})"));
    app.report(&request(&[(&path, line, "<module>", &text)])).await;
}

fn by_recipient(mails: Vec<Mail>) -> BTreeMap<String, Vec<Mail>> {
    let mut by_recipient: BTreeMap<String, Vec<Mail>> = BTreeMap::new();
    for mail in mails {
        by_recipient.entry(mail.to.clone()).or_default().push(mail);
    }
    by_recipient
}

/// How often a place is named, as a whole word.
fn named(mails: &[Mail], place: &str) -> usize {
    let is_named = |mail: &&Mail| {
        let words = mail.text.split(|c: char| c.is_whitespace() || c == ',' || c == '"');
        words.into_iter().any(|word| word.trim_end_matches(':') == place)
    };
    mails.iter().filter(is_named).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_issues_make_two_mails_for_each_developer() {
    let app = App::with("report_error_threshold", "1").repository(repository()).start().await;
    let mut lines = 1..=LINES;
    for _ in 0..10 {
        for line in lines.by_ref().take(10) {
            for number in 0..DEVELOPERS {
                fail(&app, number, line).await;
            }
        }
        app.settle().await;
        app.clock.advance(6_000);
    }
    app.settle().await;
    assert_eq!(app.smtp.mails().len(), DEVELOPERS, "the first of each, immediately");
    app.later();
    let mails = app.mails().await;
    assert_eq!(mails.len(), 2 * DEVELOPERS);
    for (address, mails) in by_recipient(mails) {
        let number = (0..DEVELOPERS).find(|n| developer(*n).1 == address).expect("a developer");
        for line in 1..=LINES {
            let place = format!("shop/file{number}.py:{line}");
            assert_eq!(named(&mails, &place), 1, "{place}");
        }
        assert!(mails.iter().all(|mail| mail.raw.len() < 90_000), "no mail program cuts them");
        assert!(mails.iter().all(|mail| !mail.text.contains(&format!("file{}", (number + 1) % 5))));
    }
    app.later();
    assert_eq!(app.mails().await.len(), 2 * DEVELOPERS, "nothing is left over");
}

#[tokio::test]
async fn error_soon_after_a_mail_waits_for_the_digest() {
    let app = App::with("report_error_threshold", "1").repository(repository()).start().await;
    fail(&app, 0, 1).await;
    assert_eq!(app.mails().await.len(), 1);
    app.clock.advance(60_000);
    fail(&app, 0, 2).await;
    assert_eq!(app.mails().await.len(), 1);
    app.clock.advance(60_000);
    let mails = app.mails().await;
    assert_eq!(mails.len(), 2);
    assert!(mails.iter().all(|mail| mail.subject.starts_with("ValueError in ")), "not in a digest");
    // One every fifty seconds, so that no minute is quiet.
    for line in 3..=20 {
        fail(&app, 0, line).await;
        app.settle().await;
        app.clock.advance(50_000);
    }
    let (_, health) = app.get("/check_health").await;
    assert!(health.contains("wait for a digest, the first is due in "), "{health}");
    let count = app.mails().await.len();
    assert!((4..=5).contains(&count), "a mail every five minutes: {count}");
}

#[tokio::test]
async fn alerts_over_the_hourly_budget_come_in_one_digest() {
    let app = App::with("mails_per_person_per_hour", "3").repository(repository()).start().await;
    for line in 1..=6 {
        fail(&app, 0, line).await;
        app.settle().await;
        app.clock.advance(8 * 60_000);
    }
    let mails = app.mails().await;
    assert_eq!(mails.len(), 3, "in the first hour");
    app.clock.advance(13 * 60_000);
    let mails = app.mails().await;
    assert_eq!(mails.len(), 4);
    let summary = mails.iter().find(|mail| mail.subject.starts_with("3 issues: "));
    let summary = summary.expect("a summary").text.clone();
    for line in 4..=6 {
        assert!(summary.contains(&format!("shop/file0.py:{line}\n")), "{summary}");
    }
}

#[tokio::test]
async fn spellings_of_an_address_share_one_budget_and_one_mail() {
    let repository = TestRepository::empty();
    let spellings = [("Dev", "Dev@Example.com"), ("Dev", "dev@example.com")];
    for (number, author) in [0, 1, 0, 1].into_iter().map(|at| spellings[at]).enumerate() {
        let path = format!("shop/file{number}.py");
        let text = format!("fail_{number}(1)\n");
        repository.commit(author, "2026-06-01", "lines", &[(&path, &text)]);
    }
    let app = App::with("mails_per_person_per_hour", "1").repository(repository).start().await;
    for number in 0..4 {
        fail(&app, number, 1).await;
        app.settle().await;
        app.clock.advance(8 * 60_000);
    }
    assert_eq!(app.mails().await.len(), 1, "in the first hour");
    app.clock.advance(3_600_000);
    let mails = app.mails().await;
    assert_eq!(mails.len(), 2, "{mails:#?}");
    assert!(mails.iter().any(|mail| mail.subject.starts_with("3 issues: ")), "{mails:#?}");
}

#[tokio::test]
async fn budget_of_all_defers_others_too_and_swallows_nothing() {
    let app = App::with("mails_per_hour", "2").repository(repository()).start().await;
    for number in 0..4 {
        fail(&app, number, 1).await;
        app.settle().await;
        app.clock.advance(60_000);
    }
    assert_eq!(app.mails().await.len(), 2);
    app.clock.advance(70 * 60_000);
    let mails = app.mails().await;
    let to: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
    assert_eq!(to, ["a@example.com", "b@example.com", "c@example.com", "d@example.com"]);
}

#[tokio::test]
async fn digest_survives_a_restart() {
    let app = App::with("report_error_threshold", "1").repository(repository()).start().await;
    for line in 1..=5 {
        fail(&app, 0, line).await;
        app.settle().await;
    }
    assert_eq!(app.smtp.mails().len(), 1);
    let app = app.restart().await;
    app.later();
    let mails = app.mails().await;
    assert_eq!(mails.len(), 2);
    assert!(mails.iter().any(|mail| mail.subject.starts_with("4 issues: ")), "{mails:#?}");
}

#[tokio::test]
async fn errors_seen_in_the_first_hours_are_listed_but_never_mailed() {
    let app = App::with("baseline_hours", "24").start().await;
    let cart = ("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)");
    app.report(&request(&[cart])).await;
    assert!(app.mails().await.is_empty());
    assert!(app.get("/").await.1.contains("shop/cart.py:5"));
    app.clock.advance(25 * 3_600_000);
    app.report(&request(&[cart])).await;
    assert!(app.mails().await.is_empty(), "it was there before");
    app.report(&request(&[("/srv/app/shop/cart.py", 1, "<module>", "from shop.money import add")]))
        .await;
    assert_eq!(app.one_mail().await.to, BEN.1, "this error is new");
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_do_not_count_towards_the_mail_budget() {
    let app = App::with("mails_per_hour", "2")
        .with("webhook_private_addresses", "True")
        .repository(repository())
        .start()
        .await;
    let hook = crate::harness::Webhook::start().await;
    let mut tx = app.server.app.store.write().await.expect("store");
    let channel = flawless_store::NewChannel {
        kind: "slack",
        url: hook.url("/hook").into(),
        secret: None,
        owner: None,
    };
    tx.add_channel(&channel, app.clock.now()).await.expect("store");
    tx.commit().await.expect("store");
    for number in 0..2 {
        fail(&app, number, 1).await;
        app.settle().await;
        app.clock.advance(60_000);
    }
    let to: Vec<String> = app.mails().await.into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, ["a@example.com", "b@example.com"]);
}

#[tokio::test]
async fn digest_of_few_issues_shows_each_whole_with_its_links() {
    let app = App::with("report_error_threshold", "1").repository(repository()).start().await;
    for line in 1..=3 {
        fail(&app, 0, line).await;
        app.settle().await;
    }
    app.clock.advance(2 * 60_000);
    let mails = app.mails().await;
    assert_eq!(mails.len(), 2, "the first immediately, the others together");
    let digest =
        mails.iter().find(|mail| mail.subject.starts_with("2 issues: ")).expect("a digest");
    for issue in [2, 3] {
        for part in [format!("/issues/{issue}"), format!("/not_mine?issue={issue}")] {
            assert!(digest.text.contains(&part) && digest.html.contains(&part), "{}", digest.text);
        }
    }
    for part in
        ["Why you got", "Traceback (most recent call last)", "Variables", "Known error", "Mute"]
    {
        assert_eq!(digest.text.matches(part).count(), 2, "{part}: {}", digest.text);
    }
    assert!(digest.defects().is_empty() && digest.raw.len() < 90_000, "{}", digest.raw.len());
}

#[tokio::test]
async fn alerts_without_a_digest_are_sent_at_once_within_the_budget() {
    let app = App::with("digest_minutes", "0")
        .with("mails_per_person_per_hour", "3")
        .repository(repository())
        .start()
        .await;
    for line in 1..=5 {
        fail(&app, 0, line).await;
        app.settle().await;
    }
    assert_eq!(app.mails().await.len(), 3);
    app.clock.advance(61 * 60_000);
    let mails = app.mails().await;
    assert_eq!(mails.len(), 4);
    assert!(mails.iter().any(|mail| mail.subject.starts_with("2 issues: ")), "{mails:#?}");
}
