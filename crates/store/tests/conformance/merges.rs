//! Issues that turn out to be one, and the revisions of what changes.
use flawless_store::{IssueFacts, Predecessor, Resolution, Seen, Store, WriteTx};

use crate::{
    Answers, START, answers, commit, facts, issue, new_sample, on_both, seen, sorted, unblamed,
    write,
};

on_both!(
    issues_are_merged,
    every_change_has_a_newer_revision,
    project_has_its_own_revisions,
    new_issue_has_further_names,
    every_count_changes_its_hour,
);

async fn issues_are_merged(store: &Store) -> Answers {
    let older = issue(store, &facts("older", "a.py")).await;
    let into = issue(store, &facts("into", "a.py")).await;
    let nobody = issue(store, &unblamed("nobody", "a.py")).await;
    let counted = issue(store, &unblamed("counted", "a.py")).await;
    write!(store, |tx| {
        let only_listed = Seen { only_listed: 3, ..seen(5, START + 3_600_000) };
        let grown = tx.count(older, only_listed).await.expect("no error").expect("it is there");
        assert_eq!((grown.occurrences, grown.only_listed), (6, 3));
        tx.add_exception_type(older, "other.Type").await.expect("it is noted");
        tx.add_samples(&[new_sample(older, 1, START, b"older")]).await.expect("it is kept");
        tx.add_samples(&[new_sample(into, 1, START, b"into")]).await.expect("it is kept");
        tx.notify(older, 6, "new", None, START + 4).await.expect("it is noted");
        tx.mute(older, Some(START + 9)).await.expect("it is muted");
        let names = ["older".to_owned(), "into".to_owned(), "unseen".to_owned()];
        assert_eq!(tx.merge_issues(&names, into).await.expect("no error"), 1);
        assert_eq!(tx.merge_unblamed(&["nobody".to_owned()], into).await.expect("no error"), 1);
        assert_eq!(tx.merge_unblamed(&["nobody".to_owned()], into).await.expect("no error"), 0);
        assert!(!tx.merge_counted(counted, 2, into).await.expect("it counts one"));
        assert!(tx.merge_counted(counted, 1, into).await.expect("no error"));
        assert!(tx.merge_counted(counted, 1, into).await.expect("it is merged already"));
        assert!(!tx.merge_counted(99, 1, into).await.expect("no error"));
    });
    let merged = store.issue(older).await.expect("no error").expect("it is there");
    assert_eq!((merged.id, merged.occurrences, merged.only_listed), (into, 9, 3));
    assert_eq!(merged.types().count(), 2);
    for name in ["older", "unseen", "into"] {
        assert_eq!(store.issue_named(&[name]).await.expect("no error"), Some(into), "{name}");
    }
    let counted = write!(store, |tx| {
        tx.count_attributed(&facts("older", "elsewhere.py"), seen(1, START + 5)).await
    });
    assert_eq!(counted.expect("it is counted").id, into);
    let mut found = answers![
        store.issue(into),
        store.hours_of(into, START),
        store.hours_of(older, START),
        store.alerts_of(into),
    ];
    found.extend(sorted(store.issue_heads(0).await.expect("heads").0));
    found.push(format!("{:?}", store.samples_of(into).await.expect("samples").len()));
    assert!(store.was_issue(nobody).await.expect("no error"));
    found
}

/// The revision of an issue.
async fn revision(store: &Store, issue: i64) -> i64 {
    let (heads, _) = store.issue_heads(0).await.expect("heads");
    heads.iter().find(|head| head.id == issue).expect("it is there").revision
}

async fn every_change_has_a_newer_revision(store: &Store) -> Answers {
    let (number, other) =
        (issue(store, &facts("one", "a.py")).await, issue(store, &facts("two", "a.py")).await);
    let was = |store: Store| async move {
        let found: Vec<Predecessor> = store.predecessors("a.py", "run", 5).await.expect("no error");
        found.into_iter().next()
    };
    let mut last = revision(store, number).await;
    let mut check = async |what: &str| {
        let now = revision(store, number).await;
        assert!(now > last, "{what}: {now} after {last}");
        last = now;
    };
    macro_rules! changes {
        ($($what:literal: |$tx:ident| $change:expr;)+) => {
            $(write!(store, |$tx| $change.expect($what));
            check($what).await;)+
        };
    }
    changes! {
        "renewed": |tx| tx.count_attributed(&facts("one", "a.py"), seen(1, START)).await;
        "a known error": |tx| tx.set_known_error(number, Some(1)).await;
        "a type": |tx| tx.add_exception_type(number, "new.Type").await;
        "muted": |tx| tx.mute(number, Some(1)).await;
        "notified": |tx| tx.notify(number, 1, "new", None, START).await;
        "resolved": |tx| tx.set_resolved(number, 1, None, &Resolution::Gone).await;
        "open again": |tx| tx.clear_resolved(number).await;
        "notification kept": |tx| tx.keep_notified(other, number).await;
    }
    let earlier = was(store.clone()).await.expect("it was notified");
    assert_eq!(earlier.id, number);
    let moved = IssueFacts { origin_commit: Some(commit('c')), ..facts("moved", "a.py") };
    changes! {
        "taken over": |tx| tx.take_over(number, &earlier, &moved).await;
        "merged from": |tx| tx.merge_issue(other, number).await;
    }
    let third = issue(store, &facts("three", "a.py")).await;
    changes! { "merged into": |tx| tx.merge_issue(number, third).await; }
    assert_eq!(revision(store, other).await, revision(store, number).await, "it came along");
    let mut person = flawless_store::erase::mention::ErasedPerson::new("ann@example.com");
    let found = store.look_for_person(&mut person).await.expect("no error");
    changes! { "erased": |tx| tx.erase_person(&found, START).await; }
    // What only counts makes nothing newer.
    let mut tx: WriteTx = store.write().await.expect("a transaction");
    tx.count(third, seen(1, START)).await.expect("it is counted");
    tx.count_facets(&[]).await.expect("they are counted");
    tx.set_checked(third, 4).await.expect("it is noted");
    tx.commit().await.expect("it is committed");
    let (heads, _) = store.issue_heads(last).await.expect("heads");
    assert!(heads.iter().all(|head| head.revision > last) && heads.len() < 3);
    answers![store.issue(third)]
}

async fn project_has_its_own_revisions(store: &Store) -> Answers {
    let first = issue(store, &facts("one", "a.py")).await;
    let shop = write!(store, |tx| {
        let shop = tx.add_project("shop", 5).await.expect("no error").expect("the name is free");
        let counted = tx.count_attributed(&facts("one", "a.py"), seen(1, START)).await;
        assert_eq!(counted.expect("it is counted").id, first + 1, "numbers are for all projects");
        shop
    });
    let theirs = store.of(shop);
    assert_eq!(theirs.issue_heads(0).await.expect("heads").1, 1);
    assert!(theirs.issue(first).await.expect("no error").is_none());
    let before = revision(store, first).await;
    // Whoever changes the issue of another project does not take that of their own.
    write!(store, |tx| tx.mute(first + 1, Some(1)).await.expect("it is muted"));
    assert_eq!(revision(store, first).await, before);
    assert_eq!(revision(&theirs, first + 1).await, 2);
    answers![theirs.project_size(), store.project_size()]
}

async fn new_issue_has_further_names(store: &Store) -> Answers {
    let names = ["older".to_owned(), "oldest".to_owned(), "older".to_owned()];
    let number = write!(store, |tx| {
        let new = facts("one", "a.py");
        let counted = tx.add_issue(&new, seen(2, START)).await.expect("it is created");
        tx.add_names(&names, counted.id).await.expect("they are added");
        tx.add_names(&[], counted.id).await.expect("no error");
        assert!(tx.is_issue([&names[1]].into_iter()).await.expect("no error"));
        let other = facts("oldest", "b.py");
        let same = tx.count_attributed(&other, seen(3, START)).await.expect("it is counted");
        assert_eq!((same.id, same.occurrences), (counted.id, 5));
        counted.id
    });
    answers![store.issue(number), store.issue_named(&["nobody", "older"])]
}

async fn every_count_changes_its_hour(store: &Store) -> Answers {
    let hour = START / 3_600_000;
    let (first, second) =
        (issue(store, &facts("one", "a.py")).await, issue(store, &facts("two", "a.py")).await);
    let state = async || store.hour_states(hour, hour + 1).await.expect("states")[0];
    let mut states = vec![state().await];
    write!(store, |tx| {
        tx.count(first, seen(5, START)).await.expect("it is counted");
        tx.count(second, seen(5, START)).await.expect("it is counted");
    });
    states.push(state().await);
    // The same number of occurrences moves from one issue to another.
    let third = issue(store, &facts("three", "a.py")).await;
    states.push(state().await);
    write!(store, |tx| tx.merge_issue(second, first).await.expect("they are merged"));
    states.push(state().await);
    let erased = store.look_at_issue(third).await.expect("no error").expect("it is there");
    write!(store, |tx| tx.erase_issue(&erased, START).await.expect("it is erased"));
    states.push(state().await);
    issue(store, &facts("three", "a.py")).await;
    states.push(state().await);
    for (at, state) in states.iter().enumerate() {
        assert!(!states[..at].contains(state), "{state:?} was there before: {states:?}");
    }
    let counts = store.hour_counts(hour, hour + 1).await.expect("counts");
    assert_eq!((counts.len(), counts[0].0), (1, states[5]));
    // A batch counts issues of several projects.
    let shop = write!(store, |tx| {
        tx.add_project("shop", START).await.expect("no error").expect("it is free")
    });
    let theirs = store.of(shop);
    let of_theirs = issue(&theirs, &facts("one", "a.py")).await;
    let before = theirs.hour_states(hour, hour + 1).await.expect("states");
    write!(store, |tx| {
        let batch = [(first, seen(1, START)), (of_theirs, seen(2, START))];
        tx.count_all(&batch).await.expect("they are counted")
    });
    let after = theirs.hour_states(hour, hour + 1).await.expect("states");
    assert_ne!((before.len(), before[0]), (after.len(), after[0]));
    let counts = theirs.hour_counts(hour, hour + 1).await.expect("counts");
    assert_eq!((counts.len(), counts[0].0, counts[0].1.len()), (1, after[0], 1));
    vec![format!("{states:?} {counts:?}")]
}
