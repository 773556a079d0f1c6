//! Projects, their keys and settings, and secrets.
use std::collections::BTreeSet;

use flawless_base::secret::Secret;
use flawless_store::{ArtifactRow, DEFAULT_PROJECT, NewChannel, ProjectWeeks, Retention, Store};

use crate::{Answers, START, answers, facts, issue, on_both, seen, write};

on_both!(
    project_has_a_name_of_its_own,
    projects_are_seen_at_a_glance,
    keys_are_switched_off,
    options_are_set_and_reset,
    secret_is_kept,
    release_names_its_commit,
    artifacts_are_found_by_release_and_by_debug_id,
    artifacts_that_are_not_used_go_first,
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

/// A file that a build uploaded.
pub(crate) fn artifact(release: &str, url: &str, debug_id: &str, hash: &str) -> ArtifactRow {
    ArtifactRow {
        release_version: release.into(),
        dist: String::new(),
        url: url.into(),
        debug_id: debug_id.into(),
        is_map: i64::from(url.ends_with(".map")),
        map_url: String::new(),
        hash: hash.into(),
        created_at: START,
    }
}

async fn artifacts_are_found_by_release_and_by_debug_id(store: &Store) -> Answers {
    let endless = format!("~/{}.js", "é".repeat(3_000));
    let all = [
        artifact("web@1", "~/a.js", "d1", "h1"),
        artifact("web@1", "~/a.js.map", "d1", "h2"),
        artifact("web@2", "~/a.js", "d2", "h1"),
        artifact("web@2", &endless, "", "h1"),
    ];
    write!(store, |tx| {
        let shop = tx.add_project("shop", START).await.expect("no error").expect("it is free");
        tx.enter(shop);
        tx.put_artifact_body("h1", b"another", START).await.expect("it is written");
        tx.put_artifacts(&all[..1]).await.expect("they are written");
        tx.enter(DEFAULT_PROJECT);
        tx.put_artifact_body("h1", &[0, 255, 7], START).await.expect("it is written");
        tx.put_artifact_body("h1", b"the first one stays", START).await.expect("it is written");
        tx.put_artifacts(&all).await.expect("they are written");
        let newer =
            ArtifactRow { map_url: "~/a.js.map".into(), created_at: START + 1, ..all[0].clone() };
        tx.put_artifacts(&[newer]).await.expect("it is written");
    });
    let urls = async |release: &str, urls: &[&str]| {
        let found = store.artifacts_at(release, urls).await.expect("no error");
        found.into_iter().map(|row| (row.url, row.map_url)).collect::<Vec<_>>()
    };
    assert_eq!(
        urls("web@1", &["~/a.js", "~/b.js"]).await,
        [("~/a.js".into(), "~/a.js.map".into())]
    );
    assert_eq!(urls("web@2", &[&endless]).await.len(), 1);
    assert_eq!(urls("web@3", &["~/a.js"]).await, []);
    assert_eq!(urls("web@1", &[]).await, []);
    let known = store.artifacts_of_debug_id("d1").await.expect("no error");
    assert_eq!(known.iter().map(|row| &*row.url).collect::<Vec<_>>(), ["~/a.js", "~/a.js.map"]);
    assert_eq!(store.artifact_body("h1").await.expect("no error"), Some(vec![0, 255, 7]));
    answers![
        store.artifacts(9),
        store.artifacts_of_release("web@2", 1),
        store.artifact_body("h2"),
        store.artifact_use(),
    ]
}

async fn artifacts_that_are_not_used_go_first(store: &Store) -> Answers {
    let part = [7; 1_000];
    write!(store, |tx| {
        for (number, hash) in ["a", "b", "c"].into_iter().enumerate() {
            let at = START + i64::try_from(number).expect("it fits");
            tx.put_artifact_body(hash, &part, at).await.expect("it is written");
            let row = artifact("1", &format!("~/{hash}.js"), "", hash);
            tx.put_artifacts(&[row]).await.expect("it is written");
        }
        tx.artifacts_used(&["a", "x"], START + 9).await.expect("it is noted");
        tx.artifacts_used(&[], START + 9).await.expect("nothing is noted");
        assert_eq!(tx.bound_artifacts(3_000).await.expect("no error"), 0);
        assert_eq!(tx.bound_artifacts(2_500).await.expect("no error"), 1);
        tx.put_chunk("ann", "1", &part, START).await.expect("it is written");
        tx.put_chunk("ann", "1", &part, START).await.expect("it is written");
        tx.put_chunk("ann", "2", b"x", START).await.expect("it is written");
        tx.put_chunk("bob", "1", b"y", START).await.expect("it is written");
        assert_eq!(tx.chunk_bytes("ann").await.expect("no error"), 1_001);
        tx.remove_chunk("ann", "2").await.expect("it is removed");
    });
    let left = store.artifacts(9).await.expect("no error");
    assert_eq!(left.iter().map(|row| &*row.url).collect::<Vec<_>>(), ["~/a.js", "~/c.js"]);
    assert_eq!(store.chunk("ann", "1").await.expect("no error"), Some(part.to_vec()));
    assert!(store.has_chunk("bob", "1").await.expect("no error"));
    assert!(!store.has_chunk("ann", "2").await.expect("no error"));
    let day = 86_400_000;
    let retention = |now| Retention { now, before: now, baseline_until: 0 };
    write!(store, |tx| tx
        .apply_retention(retention(START + day + 1))
        .await
        .expect("it is applied"));
    assert_eq!(store.chunk("ann", "1").await.expect("no error"), None);
    assert_eq!(store.artifact_use().await.expect("no error").files, 2);
    let half_a_year = START + 180 * day;
    write!(store, |tx| {
        tx.apply_retention(retention(half_a_year + 5)).await.expect("it is applied");
    });
    answers![store.artifacts(9), store.artifact_use(), store.artifact_body("c")]
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
