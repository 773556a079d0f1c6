//! Waiting reports, outcomes, quotas, and what is known about lines and revisions.
use std::collections::HashSet;

use flawless_core::{CommitId, LineOrigin, OutcomeKind, Report};
use flawless_git::{Fact, FactKey, FactStore};
use flawless_store::{
    CountedBefore, Facet, NewPending, Quota, Quotas, Store, StoredFacts, WaitsFor, encode_sample,
};

use crate::{
    Answers, START, answers, commit, facts, issue, on_both, seen, sorted, unblamed, wait_until,
    write,
};

on_both!(
    report_waits_until_it_is_attributed,
    outcomes_and_losses_are_counted_by_day,
    quotas_are_used_up,
    recorded_ids_are_found,
    module_sets_are_kept,
    functions_become_hot,
    revisions_run,
    facts_about_lines_are_cached,
);

const DAY: i64 = 86_400_000;

fn pending(fingerprint: &str, host: &str, at: i64) -> NewPending {
    let report = Report { hostname: host.to_owned(), ..Report::default() };
    NewPending {
        fingerprint: fingerprint.to_owned(),
        occurrences: 2,
        only_listed: at % 2,
        reports: 1,
        error_threshold: at % 10,
        at,
        facets: vec![Facet::new(["E", host, "", ""], 2, at)],
        source: "10.0.0.1".to_owned(),
        body: encode_sample(&report).expect("it is encoded"),
    }
}

async fn report_waits_until_it_is_attributed(store: &Store) -> Answers {
    assert!(!store.has_seen_reports().await.expect("no error"));
    write!(store, |tx| {
        assert_eq!(tx.pending_facets("f").await.expect("no error"), None);
        let bytes = tx.put_pending(&pending("f", "one", START + 5), "[]").await.expect("it waits");
        assert!(bytes > 0);
        let before = tx.pending_facets("f").await.expect("no error").expect("it waits");
        tx.put_pending(&pending("f", "two", START + 13), &before).await.expect("it waits");
        tx.put_pending(&pending("g", "one", START + 1), "[]").await.expect("it waits");
        tx.postpone_pending("g", START + DAY, WaitsFor::Fetch, "no fetch yet")
            .await
            .expect("it is noted");
        let waiting = tx.waiting_by_source().await.expect("counts");
        assert_eq!(waiting, [("10.0.0.1".to_owned(), 2)].into());
    });
    assert!(store.has_seen_reports().await.expect("no error"));
    let mut found = answers![
        store.due_pending(START, 9),
        store.due_pending(START + 9, 9),
        store.due_pending(START + 2 * DAY, 1),
        store.projects_with_due_reports(START),
        store.projects_with_due_reports(START + 5),
        store.pending_queue(),
    ];
    let due = store.due_pending(START + 9, 9).await.expect("rows");
    assert_eq!((due.len(), due[0].occurrences, due[0].attempts), (2, 4, 0), "one is ahead of time");
    assert_eq!(store.pending_report(&due[0]).expect("a report").hostname, "one");
    let taken = write!(store, |tx| {
        assert!(tx.release_waiting(WaitsFor::Fetch, START + 20).await.expect("no error"));
        assert!(!tx.release_waiting(WaitsFor::Fetch, START + 20).await.expect("no error"));
        let taken = tx.take_pending("f").await.expect("no error").expect("it is there");
        assert!(tx.take_pending("f").await.expect("no error").is_none());
        let counted = CountedBefore { occurrences: 4, reports: 2, ..CountedBefore::default() };
        tx.keep_counted("f", &taken, &counted, (START + 30, WaitsFor::SourceMap))
            .await
            .expect("it is kept");
        taken
    });
    assert_eq!((taken.occurrences, taken.reports, taken.error_threshold), (4, 2, 3));
    assert_eq!((taken.first_at, taken.last_at), (START + 5, START + 13));
    assert_eq!(taken.facets().len(), 2);
    assert!(taken.bytes() > 0 && taken.counted().is_none());
    found.extend(answers![store.due_pending(START + 30, 9), store.unreadable_values()]);
    write!(store, |tx| {
        // The body of a counted report is replaced.
        let newer = pending("f", "three", START + 40);
        tx.put_pending(&newer, "[]").await.expect("it waits");
        let taken = tx.take_pending("f").await.expect("no error").expect("it is there");
        assert_eq!(taken.first_at, START + 40);
        assert_eq!(taken.counted().map(|before| before.occurrences), Some(4));
    });
    found.extend(answers![store.pending_queue()]);
    found
}

async fn outcomes_and_losses_are_counted_by_day(store: &Store) -> Answers {
    issue(store, &facts("one", "a.py")).await;
    let nobody = issue(store, &unblamed("nobody", "b.py")).await;
    write!(store, |tx| {
        tx.count(nobody, seen(7, START + 3)).await.expect("it is counted");
        for (kind, reason, at) in [
            (OutcomeKind::Refused, "too large", START),
            (OutcomeKind::Refused, "too large", START + DAY),
            (OutcomeKind::IgnoredException, "", START + 2),
        ] {
            tx.add_outcome(kind, reason, 3, at, "a\0.py").await.expect("it is counted");
        }
        tx.add_loss(5, START, "host").await.expect("it is counted");
        tx.add_loss(6, START + 1, "other").await.expect("it is counted");
        tx.add_loss(7, START + DAY, "host").await.expect("it is counted");
    });
    answers![
        store.outcomes_since(START),
        store.outcomes_since(START + DAY),
        store.losses_since(START),
        store.losses_since(START + DAY),
        store.has_reports("a.py"),
    ]
}

async fn quotas_are_used_up(store: &Store) -> Answers {
    let quota = Quota { issues: 3, bytes: 100 };
    let quotas = Quotas { all: Quota { issues: 0, bytes: 150 }, sender: quota };
    write!(store, |tx| {
        let mut day = tx.day_use(quotas, START).await.expect("use");
        assert!(day.no_issue("a").is_none());
        day.add("a", 3, 20);
        day.add("b", 1, 90);
        assert_eq!(day.no_issue("a").expect("used up").0, "new_issues_per_sender_per_day");
        tx.save_day_use(day).await.expect("it is stored");
    });
    write!(store, |tx| {
        let mut day = tx.day_use(quotas, START + 1).await.expect("use");
        assert!(day.no_bytes("b").is_none());
        day.add("c", 0, 50);
        assert_eq!(day.no_bytes("a").expect("used up").0, "new_bytes_per_day");
        tx.save_day_use(day).await.expect("it is stored");
        assert!(tx.day_use(quotas, START + DAY).await.expect("use").no_bytes("a").is_none());
    });
    answers![store.used_on_day(START), store.used_on_day(START + DAY)]
}

async fn recorded_ids_are_found(store: &Store) -> Answers {
    let last = write!(store, |tx| {
        tx.add_recorded_ids(&[1, u64::MAX], START).await.expect("they are stored");
        tx.add_recorded_ids(&[], START).await.expect("they are stored");
        tx.add_recorded_ids(&[7], START + 1).await.expect("they are stored")
    });
    let found = answers![store.recorded_ids(0)];
    write!(store, |tx| tx.delete_recorded_ids(last - 1).await.expect("they are deleted"));
    let left = store.recorded_ids(0).await.expect("ids");
    assert_eq!((left.len(), left[0].number, left[0].hashes.as_slice()), (1, last, &[7][..]));
    found
}

async fn module_sets_are_kept(store: &Store) -> Answers {
    let body = encode_sample(
        &[("flask", "1.2")].into_iter().collect::<std::collections::BTreeMap<_, _>>(),
    );
    let body = body.expect("it is encoded");
    write!(store, |tx| {
        assert!(!tx.see_module_set("m", START).await.expect("no error"));
        let bytes = tx.add_module_set("m", &body, START).await.expect("it is added");
        assert_eq!(usize::try_from(bytes), Ok(body.len()));
        tx.add_module_set("m", b"other", START).await.expect("the first one stays");
        assert!(tx.see_module_set("m", START + 1).await.expect("no error"));
        for number in 0..505 {
            let name = format!("n{number:03}");
            tx.add_module_set(&name, b"x", START - number).await.expect("it is added");
        }
        assert!(tx.see_module_set("n498", START).await.expect("no error"), "500 are kept");
        assert!(!tx.see_module_set("n499", START).await.expect("no error"));
    });
    answers![store.module_set("m"), store.module_set("n504")]
}

async fn functions_become_hot(store: &Store) -> Answers {
    let hot = HashSet::from([("a.py", "often"), ("a.py", "always")]);
    let cold = HashSet::from([("b.py", "rarely")]);
    write!(store, |tx| {
        for at in 0..150 {
            tx.count_functions(if at == 9 { &cold } else { &hot }, at).await.expect("counted");
        }
    });
    let found = store.hot_functions().await.expect("functions");
    assert!(found.contains(&("a.py".to_owned(), "always".to_owned())));
    sorted(found.into_iter().collect())
}

async fn revisions_run(store: &Store) -> Answers {
    assert!(!store.names_revisions(START).await.expect("no error"));
    write!(store, |tx| {
        assert!(tx.seen_running(&commit('a'), false, START).await.expect("no error"));
        assert!(!tx.seen_running(&commit('a'), true, START + 1).await.expect("no error"));
        assert!(!tx.seen_running(&commit('a'), false, START + 2).await.expect("no error"));
        assert!(tx.seen_running(&commit('b'), false, START + 3).await.expect("no error"));
    });
    answers![
        store.running_revisions(9),
        store.running_revisions(1),
        store.names_revisions(START),
        store.names_revisions(START + 40 * DAY),
    ]
}

async fn facts_about_lines_are_cached(store: &Store) -> Answers {
    let known = StoredFacts::new(store.clone());
    let id = |digit| CommitId::parse(&commit(digit)).expect("an id");
    let key = |path: String| FactKey { commit: id('a'), path, line: 4, options: "w".to_owned() };
    let fact = |is_guessed| Fact {
        origin: LineOrigin { commit: id('b'), path: "old.py".to_owned(), line: 3 },
        is_guessed,
    };
    known.put(&key("p/".repeat(900)), &fact(false)).await;
    known.put(&key("a.py".to_owned()), &fact(false)).await;
    known.put(&key("a.py".to_owned()), &fact(true)).await;
    let is_guessed =
        async || known.get(&key("a.py".to_owned())).await.is_some_and(|fact| fact.is_guessed);
    wait_until("the newer fact", is_guessed).await;
    assert_eq!(known.get(&key("a.py".to_owned())).await, Some(fact(true)));
    assert_eq!(known.get(&key("p/".repeat(900))).await, None, "it fits in no index");
    Vec::new()
}
