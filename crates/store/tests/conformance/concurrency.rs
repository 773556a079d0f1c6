//! Several servers that use one database at the same time.
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use flawless_base::secret::Secret;
use flawless_store::{
    Facet, LinkKind, MAX_TOKENS, NewLink, NewToken, Quota, Quotas, RuleList, Store,
};
use serde_json::json;

use crate::{START, connect, facts, issue, postgres, seen, settings};

const SERVERS: usize = 4;

/// Servers that share a database.
async fn servers() -> Vec<Store> {
    let database = postgres::shared().database();
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        servers.push(connect(&settings(&database.url)).await.expect("it connects"));
    }
    servers
}

/// Does the same on all servers at the same time.
macro_rules! at_once {
    ($servers:expr, |$number:ident, $store:ident| $body:expr) => {{
        let tasks: Vec<_> = $servers
            .iter()
            .cloned()
            .enumerate()
            .map(|($number, $store)| tokio::spawn(async move { $body }))
            .collect();
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.expect("no panic"));
        }
        results
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn new_line_becomes_one_issue() {
    let servers = servers().await;
    let numbers = at_once!(servers, |_number, store| {
        let mut numbers = HashSet::new();
        for line in 0..20 {
            let mut tx = store.write().await.expect("a transaction");
            let facts = facts(&format!("line {line}"), "a.py");
            let counted = tx.count_attributed(&facts, seen(1, START)).await.expect("counted");
            tx.count_facets(&[(counted.id, &Facet::new(["E", "h", "", ""], 1, START))])
                .await
                .expect("they are counted");
            tx.commit().await.expect("it is committed");
            numbers.insert(counted.id);
        }
        numbers
    });
    assert!(numbers.iter().all(|other| *other == numbers[0]) && numbers[0].len() == 20);
    for number in &numbers[0] {
        let found = servers[0].issue(*number).await.expect("no error").expect("it is there");
        assert_eq!(found.occurrences, i64::try_from(SERVERS).expect("few"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn projects_do_not_wait_for_each_other() {
    let servers = servers().await;
    let mut tx = servers[0].write().await.expect("a transaction");
    let shop = tx.add_project("shop", START).await.expect("no error").expect("it is free");
    tx.commit().await.expect("it is committed");
    let mut first = servers[0].write().await.expect("a transaction");
    first.count_attributed(&facts("one", "a.py"), seen(1, START)).await.expect("counted");
    let mut second = servers[1].of(shop).write().await.expect("a transaction");
    let theirs = second.count_attributed(&facts("one", "a.py"), seen(1, START)).await;
    let theirs = theirs.expect("counted").id;
    second.commit().await.expect("it is committed");
    let own = first.count_attributed(&facts("two", "a.py"), seen(1, START)).await.expect("counted");
    first.commit().await.expect("it is committed");
    assert_ne!(own.id, theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn revisions_become_visible_in_their_order() {
    let servers = servers().await;
    let number = issue(&servers[0], &facts("one", "a.py")).await;
    let (reader, writing) = (servers[0].clone(), Arc::new(()));
    let is_over = Arc::downgrade(&writing);
    // Reads only what is newer than what it has seen, as lists do.
    let reading = tokio::spawn(async move {
        let (mut last, mut seen) = (0, BTreeMap::new());
        loop {
            let ends = is_over.upgrade().is_none();
            let (heads, _) = reader.issue_heads(last).await.expect("heads");
            last = heads.iter().map(|head| head.revision).max().unwrap_or(last);
            seen.extend(heads.into_iter().map(|head| (head.id, head.revision)));
            if ends {
                return seen;
            }
        }
    });
    at_once!(servers, |server, store| {
        for line in 0..15 {
            let mut tx = store.write().await.expect("a transaction");
            let facts = facts(&format!("{server} {line}"), "a.py");
            tx.count_attributed(&facts, seen(1, START)).await.expect("counted");
            tx.mute(number, Some(line)).await.expect("it is muted");
            tx.commit().await.expect("it is committed");
        }
    });
    drop(writing);
    let seen = reading.await.expect("no panic");
    let (heads, _) = servers[0].issue_heads(0).await.expect("heads");
    assert_eq!(seen, heads.into_iter().map(|head| (head.id, head.revision)).collect());
    assert_eq!(seen.len(), 1 + 15 * SERVERS);
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_limits_and_names_hold() {
    let servers = servers().await;
    let rules = at_once!(servers, |number, store| {
        let mut ids = Vec::new();
        for rule in 0..5 {
            let mut tx = store.write().await.expect("a transaction");
            let name = json!(format!("{number}.{rule}"));
            let added = tx.add_rule(RuleList::IgnoredExceptions, &name, START).await;
            ids.push(added.expect("no error").expect("it is new"));
            tx.commit().await.expect("it is committed");
        }
        ids
    });
    let rules: HashSet<i64> = rules.into_iter().flatten().collect();
    assert_eq!(rules.len(), 5 * SERVERS);
    let made = at_once!(servers, |_number, store| {
        let mut tx = store.write().await.expect("a transaction");
        let made = tx.add_project("Shop", START).await.expect("no error");
        assert!(tx.add_first_key(&Secret::new(format!("{made:?}")), START).await.is_ok());
        tx.commit().await.expect("it is committed");
        made
    });
    assert_eq!(made.iter().flatten().count(), 1, "one of them gets the name");
    let added = at_once!(servers, |number, store| {
        let mut added = 0;
        // Nobody is in the same project, and tokens are in none.
        let store = store.of(i64::try_from(number).expect("few") + 1);
        for token in 0..20 {
            let mut tx = store.write().await.expect("a transaction");
            let hash = format!("{number} {token}");
            let new = NewToken {
                hash: &hash,
                prefix: "p",
                name: "n",
                role: "reader",
                owner: "ann",
                expires_at: START + 9,
            };
            added += i64::from(tx.add_token(&new, START).await.expect("no error"));
            tx.commit().await.expect("it is committed");
        }
        added
    });
    assert_eq!(added.iter().sum::<i64>(), MAX_TOKENS);
    let used = at_once!(servers, |number, store| {
        let quota = Quota { issues: 0, bytes: 0 };
        for _ in 0..10 {
            let mut tx = store.write().await.expect("a transaction");
            let quotas = Quotas { all: quota, sender: quota };
            let mut day = tx.day_use(quotas, START).await.expect("use");
            day.add(&number.to_string(), 1, 10);
            tx.save_day_use(day).await.expect("it is stored");
            tx.commit().await.expect("it is committed");
        }
    });
    assert_eq!(used.len(), SERVERS);
    let all = servers[0].used_on_day(START).await.expect("use");
    assert_eq!(all[0].issues, 10 * i64::try_from(SERVERS).expect("few"));
}

#[tokio::test(flavor = "multi_thread")]
async fn link_is_used_by_one() {
    let servers = servers().await;
    let link = NewLink {
        hash: "h",
        kind: LinkKind::Mail,
        address: Some("ann@x.org"),
        next: "/",
        expires_at: START + 9,
    };
    let mut tx = servers[0].write().await.expect("a transaction");
    tx.add_sign_in_link(&link, START).await.expect("it is created");
    tx.commit().await.expect("it is committed");
    let used = at_once!(servers, |_number, store| {
        let mut tx = store.write().await.expect("a transaction");
        let used = tx.use_sign_in_link("h", START).await.expect("no error");
        tx.commit().await.expect("it is committed");
        used
    });
    assert_eq!(used.iter().filter(|used| **used).count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlock_is_reported_as_temporary() {
    let servers = servers().await;
    let mut tx = servers[0].write().await.expect("a transaction");
    let shop = tx.add_project("shop", START).await.expect("no error").expect("it is free");
    tx.commit().await.expect("it is committed");
    let mut first = servers[0].write().await.expect("a transaction");
    first.add_loss(1, START, "first").await.expect("it is counted");
    let mut second = servers[1].of(shop).write().await.expect("a transaction");
    second.add_loss(2, START, "second").await.expect("it is counted");
    first.enter(shop);
    second.enter(1);
    let waiting = tokio::spawn(async move {
        let counted = first.add_loss(1, START, "first").await;
        let is_done = counted.is_ok();
        if is_done {
            first.commit().await.expect("it is committed");
        }
        counted.err()
    });
    let counted = second.add_loss(2, START, "second").await;
    let is_done = counted.is_ok();
    match counted {
        Ok(()) => second.commit().await.expect("it is committed"),
        Err(_) => drop(second),
    }
    let mut errors = vec![waiting.await.expect("no panic")];
    errors.push(None);
    let error = errors.into_iter().flatten().next();
    assert_eq!(is_done, error.is_some(), "exactly one of them gives way");
    if let Some(error) = error {
        assert!(error.is_temporary(), "{error:?}");
    }
    let losses = servers[0].losses_since(START).await.expect("losses");
    assert_eq!(losses.len(), 1, "the other one has done all of it, this one nothing");
}
