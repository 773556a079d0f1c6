//! Projects, their keys and settings, and secrets.
use std::collections::BTreeSet;

use flawless_base::secret::Secret;
use flawless_store::{DEFAULT_PROJECT, NewChannel, ProjectWeeks, Store};

use crate::{Answers, START, answers, facts, issue, on_both, seen, write};

on_both!(
    project_has_a_name_of_its_own,
    projects_are_seen_at_a_glance,
    keys_are_switched_off,
    options_are_set_and_reset,
    secret_is_kept,
    release_names_its_commit
);

async fn project_has_a_name_of_its_own(store: &Store) -> Answers {
    let before = store.projects_revision().await.expect("a revision");
    let shop = write!(store, |tx| {
        assert_eq!(tx.add_project("Default", 5).await.expect("no error"), None);
        let shop = tx.add_project("Shop é", 5).await.expect("no error").expect("the name is free");
        assert_eq!(tx.project_id(), shop);
        assert!(!tx.rename_project("DEFAULT").await.expect("no error"));
        assert!(tx.rename_project("shop é").await.expect("no error"));
        assert_eq!(tx.project_named("SHOP é").await.expect("no error"), Some(shop));
        assert_eq!(tx.project_named("shop É").await.expect("no error"), None, "as SQLite folds");
        tx.set_archived(Some(9)).await.expect("it is archived");
        shop
    });
    let projects = store.projects().await.expect("projects");
    assert_eq!(projects.iter().map(|p| p.id).collect::<Vec<_>>(), [DEFAULT_PROJECT, shop]);
    assert_eq!((projects[0].name.as_str(), projects[0].created_at), ("default", START));
    assert_eq!((projects[1].archived_at, projects[1].created_at), (Some(9), 5));
    assert!(store.projects_revision().await.expect("a revision") > before);
    let revisions = store.rules_revisions().await.expect("revisions");
    assert_eq!(revisions, [(DEFAULT_PROJECT, 0), (shop, 0)]);
    let size = store.of(shop).project_size().await.expect("a size");
    assert_eq!((size.issues, size.keys, size.channels), (0, 0, 0));
    let next = write!(store, |tx| {
        tx.enter(shop);
        tx.remove_project().await.expect("it is removed");
        tx.add_project("shop é", 6).await.expect("no error").expect("the name is free")
    });
    assert_eq!(next, shop + 1, "a number is not used twice");
    answers![store.projects(), store.project_size()]
}

async fn projects_are_seen_at_a_glance(store: &Store) -> Answers {
    const WEEK: i64 = 7 * 86_400_000;
    let shop = write!(store, |tx| {
        let shop = tx.add_project("shop", START).await.expect("no error").expect("it is free");
        let url = Secret::new("https://example.com/hook");
        let channel = NewChannel { kind: "json", url, secret: None, owner: None };
        tx.add_channel(&channel, START).await.expect("it is added");
        shop
    });
    let within = store.of(shop);
    for identity in ["one", "two"] {
        issue(&within, &facts(identity, "a.py")).await;
    }
    let number = issue(store, &facts("one", "a.py")).await;
    write!(within, |tx| {
        tx.count(1, seen(4, START - WEEK)).await.expect("it is counted");
        tx.notify(2, 1, "new", None, START).await.expect("it is noted");
        assert!(tx.has_project().await.expect("no error"));
        tx.enter(99);
        assert!(!tx.has_project().await.expect("no error"));
        let there = tx.enter_all(BTreeSet::from([DEFAULT_PROJECT, shop, 99])).await;
        assert_eq!(there.expect("no error"), BTreeSet::from([DEFAULT_PROJECT, shop]));
        assert!(tx.enter_all(BTreeSet::new()).await.expect("no error").is_empty());
    });
    let held = within.open_alerts(START, 9).await.expect("alerts");
    write!(within, |tx| tx.hold_alert(held[0].id, "nobody").await.expect("it is held"));
    let weeks = store.project_weeks(START - WEEK, START - 3_600_000).await.expect("weeks");
    let of = |id| weeks.iter().find(|weeks| weeks.project_id == id).copied();
    let expected = ProjectWeeks {
        project_id: shop,
        issues: 2,
        occurrences: 2,
        issues_before: 1,
        occurrences_before: 4,
    };
    assert_eq!(of(shop), Some(expected));
    assert_eq!(of(DEFAULT_PROJECT).map(|weeks| weeks.issues), Some(1), "{number}");
    let mut queues = store.project_queues().await.expect("queues");
    queues.sort_unstable();
    assert_eq!(queues, [(DEFAULT_PROJECT, 0, 0), (shop, 0, 1)]);
    answers![store.channels_of_all()]
}

async fn keys_are_switched_off(store: &Store) -> Answers {
    let key = |text: &str| Secret::new(text);
    write!(store, |tx| {
        assert!(tx.add_first_key(&key("0123456789"), 1).await.expect("no error"));
        assert!(!tx.add_first_key(&key("unused"), 1).await.expect("no error"));
        tx.add_key(&key("second"), "robots", 2).await.expect("it is added");
    });
    let keys = store.all_keys().await.expect("keys");
    let shown: Vec<String> = keys.iter().map(flawless_store::KeyRow::in_short).collect();
    assert_eq!(shown, ["0123…", "seco… (robots)"]);
    write!(store, |tx| tx.set_key_disabled(keys[0].id, Some(7)).await.expect("it is disabled"));
    let again = store.all_keys().await.expect("keys");
    assert_eq!((again[0].disabled_at, again[1].disabled_at), (Some(7), None));
    assert_eq!(again[1].secret.reveal(), "second");
    let mut tx = store.write().await.expect("a transaction");
    tx.add_key(&key("second"), "", 3).await.expect_err("the same key twice");
    answers![store.all_keys()]
}

async fn options_are_set_and_reset(store: &Store) -> Answers {
    let set = async |value: Option<&str>| {
        write!(store, |tx| tx.set_option("o", value, 4, "ann").await.expect("no error"))
    };
    assert!(set(Some("1")).await);
    assert!(!set(Some("1")).await, "it has that value");
    assert!(set(Some("2")).await);
    let settings = store.project_settings().await.expect("settings");
    assert_eq!(settings.len(), 1);
    assert_eq!((settings[0].option.as_str(), settings[0].value.as_str()), ("o", "2"));
    assert_eq!((settings[0].set_at, settings[0].set_by.as_str()), (4, "ann"));
    assert!(set(None).await);
    assert!(!set(None).await);
    answers![store.rules_revision(), store.projects_revision(), store.project_settings()]
}

async fn secret_is_kept(store: &Store) -> Answers {
    assert!(store.secret("s").await.expect("no error").is_none());
    write!(store, |tx| {
        tx.add_secret("s", &Secret::new("a\0b")).await.expect("it is added");
        tx.add_secret("s", &Secret::new("other")).await.expect("the first one stays");
    });
    let secret = store.secret("s").await.expect("no error").expect("it is there");
    assert_eq!(secret.reveal(), "a\u{fffd}b", "NUL is replaced");
    Vec::new()
}

async fn release_names_its_commit(store: &Store) -> Answers {
    let commit = async |version: &str| store.release(version).await.expect("no error");
    assert_eq!(commit("shop@1.0").await, None);
    write!(store, |tx| {
        let shop = tx.add_project("shop", START).await.expect("no error").expect("it is free");
        tx.put_release("shop@1.0", Some("another"), START).await.expect("it is written");
        tx.enter(DEFAULT_PROJECT);
        tx.put_release("shop@1.0", None, START).await.expect("it is written");
        assert!(shop > DEFAULT_PROJECT);
    });
    let before = store.rules_revision().await.expect("no error");
    assert_eq!(commit("shop@1.0").await.expect("a release").commit_id, None);
    write!(store, |tx| {
        tx.put_release("shop@1.0", Some("abc"), START + 1).await.expect("it is written");
        tx.put_release("shop@1.0", None, START + 2).await.expect("it is written");
    });
    assert!(store.rules_revision().await.expect("no error") > before, "verdicts are made again");
    let release = commit("shop@1.0").await.expect("a release");
    assert_eq!((release.commit_id.as_deref(), release.created_at), (Some("abc"), START));
    let endless = "x".repeat(10_000);
    write!(store, |tx| tx.put_release(&endless, Some("abc"), START).await.expect("it is written"));
    answers![store.release("shop@1.0"), store.release(&endless)]
}
