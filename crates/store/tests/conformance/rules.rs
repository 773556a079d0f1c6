//! Rules and how often they matter.
use flawless_store::rules::hits::RuleHits;
use flawless_store::{RuleList, Store};
use serde_json::json;

use crate::{Answers, START, answers, facts, issue, on_both, sorted, write};

on_both!(rules_are_added_changed_and_restored, issues_become_known_errors, hits_are_counted);

async fn rules_are_added_changed_and_restored(store: &Store) -> Answers {
    let alias = |to: &str| json!({"old_email": "Ann", "new_email": to});
    let list = RuleList::EmailRemapping;
    let before = store.rules_revision().await.expect("a revision");
    write!(store, |tx| {
        let first = tx.add_rule(list, &alias("a@x.org"), START).await.expect("no error");
        assert_eq!(first, Some(1));
        assert!(tx.has_alias_of(&alias("b@x.org"), None).await.expect("no error"));
        assert!(!tx.has_alias_of(&alias("b@x.org"), first).await.expect("no error"));
        let same = tx.put_rule(list, &alias("a@x.org"), START).await.expect("no error");
        assert_eq!((same.id, same.replaced.len()), (None, 0));
        let second = tx.put_rule(list, &alias("b@x.org"), START).await.expect("no error");
        assert_eq!((second.id, second.replaced.len()), (Some(3), 1));
        let replaced = &second.replaced[0];
        assert!(tx.restore_rule(list, replaced).await.expect("no error"));
        assert!(!tx.restore_rule(list, replaced).await.expect("it is there again"));
        let watcher = json!({"filepath": "a", "email": "c@x.org"});
        let none = tx.change_rule(RuleList::WatchList, 3, &watcher).await.expect("no error");
        assert!(none.is_none(), "it is in another list");
        let changed = tx.change_rule(list, 3, &alias("c@x.org")).await.expect("no error");
        let changed = changed.expect("it is there");
        assert_eq!((changed.id, changed.replaced.len()), (Some(3), 2), "an address has one alias");
        tx.change_rule(list, 3, &json!({"old_email": "x"})).await.expect_err("it is not an entry");
        let names = RuleList::IgnoredExceptions;
        let long = json!("x".repeat(4_999));
        let first = tx.add_rule(names, &long, START).await.expect("no error").expect("it is new");
        let other = tx.add_rule(names, &json!("b"), START).await.expect("no error").expect("new");
        let both = tx.change_rule(names, other, &long).await.expect("no error");
        assert_eq!(both.expect("it is there").id, None, "the list has that already");
        assert!(tx.remove_rule(names, other).await.expect("no error"));
        assert!(!tx.remove_rule(names, other).await.expect("no error"));
        assert_eq!(tx.rule(first).await.expect("no error").expect("it is there").0, names);
        assert!(tx.rule(99).await.expect("no error").is_none());
        tx.invalidate_verdicts().await.expect("they are invalid");
    });
    assert!(store.rules_revision().await.expect("a revision") > before);
    answers![
        store.rules(),
        store.rule_entries(list),
        store.rule_entries(RuleList::KnownErrors),
        store.rules_revision(),
    ]
}

async fn issues_become_known_errors(store: &Store) -> Answers {
    let number = issue(store, &facts("one", "a.py")).await;
    let other = issue(store, &facts("two", "b.py")).await;
    let known = json!({"filename": "a.py", "function_name": "run", "min_alert_threshold": 5});
    let rule = write!(store, |tx| tx.add_rule(RuleList::KnownErrors, &known, START).await);
    let rule = rule.expect("no error").expect("it is new");
    let found = store.issue(number).await.expect("no error").expect("it is there");
    assert_eq!(found.facts.known_error_id, Some(rule));
    let answers = answers![store.issue(number), store.issue(other)];
    write!(store, |tx| tx.remove_rule(RuleList::KnownErrors, rule).await.expect("no error"));
    let found = store.issue(number).await.expect("no error").expect("it is there");
    assert_eq!(found.facts.known_error_id, None);
    answers
}

async fn hits_are_counted(store: &Store) -> Answers {
    let mut hits = RuleHits::default();
    hits.add(&[1, 2], 1, 10);
    hits.add(&[2], 2, 5);
    write!(store, |tx| {
        tx.count_rule_hits(&hits, START).await.expect("they are counted");
        tx.count_rule_hits(&hits, START + 86_400_000).await.expect("they are counted");
    });
    assert_eq!(store.rules_counted_since().await.expect("no error"), 0);
    let matches = store.rule_matches(START).await.expect("matches");
    assert_eq!((matches[&2].reports, matches[&2].occurrences), (6, 30));
    let newer = store.rule_matches(START + 86_400_000).await.expect("matches");
    assert_eq!((newer[&1].reports, newer[&1].last_at), (1, START + 86_400_000));
    sorted(matches.into_values().collect())
}
