//! Issues: counted, listed, resolved, and compared by week.
use flawless_base::dates::ReportWeek;
use flawless_core::{FrameKind, Report, ResolvedFrame};
use flawless_store::{
    Facet, FixingChange, IssueFacts, Resolution, Sample, Seen, Store, Wanted, encode_sample,
};

use crate::{
    Answers, START, answers, commit, facts, issue, new_sample, on_both, seen, sorted, unblamed,
    write,
};

on_both!(
    issues_are_counted_and_listed,
    batch_is_counted_as_one_after_another,
    samples_take_turns,
    facets_are_bounded,
    resolved_issue_regresses,
    author_is_found,
    texts_may_be_long_and_odd,
);

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;

async fn issues_are_counted_and_listed(store: &Store) -> Answers {
    let mut odd = facts("two", "shop/b.py");
    odd.known_error_id = Some(4);
    odd.kept_out = true;
    odd.details.gone = Some("left".into());
    let (first, second) =
        (issue(store, &facts("one", "shop/a.py")).await, issue(store, &odd).await);
    let nobody = issue(store, &unblamed("nobody", "lib/c.py")).await;
    assert_eq!((first, second, nobody), (1, 2, 3));
    let counted = write!(store, |tx| {
        let renewed = IssueFacts { line: 9, ..facts("one", "shop/a.py") };
        tx.count_attributed(&renewed, seen(4, START + HOUR)).await.expect("it is counted");
        assert!(tx.count(99, seen(1, START)).await.expect("no error").is_none());
        assert!(tx.counted_if_there(99).await.expect("no error").is_none());
        let there = tx.current_issues(&[first, 99]).await.expect("no error");
        assert_eq!(there, [(first, first)].into());
        let identities = ["nowhere".to_owned(), "two".to_owned()];
        assert!(tx.is_issue(identities.iter()).await.expect("no error"));
        tx.add_exception_type(first, "b.Type\nmore").await.expect("it is noted");
        tx.add_exception_type(first, "b.Type").await.expect("it is known");
        tx.set_known_error(first, Some(8)).await.expect("it is set");
        tx.add_place("place", first, START).await.expect("it is added");
        tx.add_place("place", second, START).await.expect("the first one stays");
        tx.mute(second, Some(START + DAY)).await.expect("it is muted");
        tx.count(second, seen(10, START + 2 * HOUR)).await.expect("it is counted");
        tx.counted(first).await.expect("it is there")
    });
    assert_eq!((counted.occurrences, counted.samples, counted.kept_out), (5, 0, false));
    let hour = START / HOUR;
    let (heads, count) = store.issue_heads(0).await.expect("heads");
    assert_eq!((heads.len(), count), (3, 3));
    let newest = heads.iter().map(|head| head.revision).max().expect("heads");
    assert!(store.issue_heads(newest).await.expect("heads").0.is_empty());
    let mut found = answers![
        store.issue(first),
        store.issue(second),
        store.issue(nobody),
        store.issue(99),
        store.issue_at_place("place"),
        store.issue_at_place("nowhere"),
        store.issues_of_line("shop/a.py", "", ""),
        store.issues_of_line("shop/a.py", "run", " x = 1 / y "),
        store.issues_of_line("shop/a.py", "other", ""),
        store.issues_between(START, START + DAY),
        store.hours_of(first, START),
        store.was_issue(3),
        store.was_issue(4),
        store.was_issue(0),
        store.has_seen_reports(),
        store.has_reports("shop/a.py"),
        store.has_reports("nowhere"),
        store.matched_issues(Wanted::InFile("shop/b.py"), START),
        store.matched_issues(Wanted::OfException("builtins.ZeroDivisionError"), START + HOUR),
        store.matched_issues(Wanted::SeenLast(2), START),
        store.outcomes_since(START),
        store.issue_named(&["nowhere", "two"]),
        store.issue_named(&[]),
    ];
    found.extend(sorted(heads));
    found.extend(sorted(store.issues_numbered(&[1, 3, 99]).await.expect("issues")));
    found.extend(sorted(store.hour_states(hour, hour + 9).await.expect("states")));
    let mut counts = store.hour_counts(hour, hour + 9).await.expect("counts");
    counts.iter_mut().for_each(|(_, counts)| counts.sort_by_key(|count| count.issue));
    assert_eq!(counts.iter().map(|(_, counts)| counts.len()).sum::<usize>(), 5);
    found.extend(sorted(counts));
    found
}

async fn samples_take_turns(store: &Store) -> Answers {
    let number = issue(store, &facts("one", "a.py")).await;
    let sample = |host: &str| Sample {
        report: Report { hostname: host.to_owned(), ..Report::default() },
        frames: vec![ResolvedFrame { file: None, kind: FrameKind::Foreign }].into(),
        blamed_frame: Some(0),
    };
    for at in 1..=6 {
        let body = encode_sample(&sample(&format!("host {at}"))).expect("it is encoded");
        let grown =
            write!(store, |tx| tx.add_samples(&[new_sample(number, at, START + at, &body)]).await);
        assert_eq!(grown.expect("it is kept")[0] > 0, at <= 4, "the fifth replaces the second");
    }
    write!(store, |tx| tx
        .add_samples(&[new_sample(number, 7, START + 7, b"odd")])
        .await
        .expect("it is kept"));
    let samples = store.samples_of(number).await.expect("samples");
    let hosts: Vec<_> = samples
        .iter()
        .map(|kept| (kept.slot, kept.sample.as_ref().map_or("", |s| s.report.hostname.as_str())))
        .collect();
    assert_eq!(hosts, [(0, "host 1"), (1, "host 5"), (2, "host 6"), (3, "")]);
    assert!(store.newest_sample(number).await.is_err());
    assert!(store.readable_sample(number).await.expect("no error").is_none());
    assert!(store.newest_sample(99).await.expect("no error").is_none());
    answers![store.unreadable_values()]
}

async fn batch_is_counted_as_one_after_another(store: &Store) -> Answers {
    let numbers: Vec<i64> = {
        let mut numbers = Vec::new();
        for at in 0..70 {
            numbers.push(issue(store, &facts(&format!("line {at}"), "a.py")).await);
        }
        numbers
    };
    let (first, second, merged) = (numbers[0], numbers[1], numbers[2]);
    let sampled = |occurrences, at| Seen { samples: 1, ..seen(occurrences, START + at) };
    let states = write!(store, |tx| {
        tx.merge_issue(merged, second).await.expect("they are merged");
        let current = tx.current_issues(&numbers).await.expect("no error");
        assert_eq!((current.len(), current[&merged]), (70, second));
        assert!(tx.count_all(&[(999, seen(1, START))]).await.expect("no error")[0].is_none());
        let mut batch =
            vec![(first, sampled(5, 9)), (merged, seen(1, START)), (first, seen(2, START + HOUR))];
        batch.extend(numbers[3..].iter().map(|number| (*number, sampled(1, 4))));
        batch.push((first, sampled(3, 7)));
        let states = tx.count_all(&batch).await.expect("they are counted");
        assert!(tx.count_all(&[]).await.expect("no error").is_empty());
        states.into_iter().map(|state| state.expect("it is there")).collect::<Vec<_>>()
    });
    let of_first = [&states[0], &states[2], &states[states.len() - 1]];
    assert_eq!(of_first.map(|state| (state.occurrences, state.samples)), [(6, 1), (8, 1), (11, 2)]);
    assert_eq!((states[1].id, states[1].occurrences), (second, 3));
    let (grew, again) = write!(store, |tx| {
        let of = |number| new_sample(first, number, START, b"body");
        let new = [of(1), new_sample(second, 1, START, b"other"), of(2), of(5)];
        let grew = tx.add_samples(&new).await.expect("they are kept");
        (grew, tx.add_samples(&new).await.expect("they are kept"))
    });
    assert!(grew[0] > 0 && grew[1] > grew[0] && grew[3] > 0, "{grew:?}");
    assert_eq!(grew[2], 0, "it would have the place of a later one");
    assert_eq!(again, [0; 4]);
    answers![
        store.issue(first),
        store.issue(numbers[69]),
        store.hours_of(first, START),
        store.hours_of(second, START),
        store.hour_states(START / HOUR, START / HOUR + 9),
    ]
}

/// Facets of an issue.
fn of(issue: i64, facets: &[Facet]) -> Vec<(i64, &Facet)> {
    facets.iter().map(|facet| (issue, facet)).collect()
}

async fn facets_are_bounded(store: &Store) -> Answers {
    let number = issue(store, &facts("one", "a.py")).await;
    let other = issue(store, &facts("two", "a.py")).await;
    let host = |host: usize, n| Facet::new(["E", &format!("host {host:02}"), "", "r"], n, START);
    write!(store, |tx| {
        let facets: Vec<Facet> = (0..60).map(|n| host(n, 2)).collect();
        tx.count_facets(&of(number, &facets)).await.expect("they are counted");
        tx.count_facets(&of(number, &[host(3, 5), host(77, 1)])).await.expect("they are counted");
        let others: Vec<Facet> = (30..90).map(|n| host(n, 1)).collect();
        let (some, more) = (host(3, 1), host(4, 1));
        let mut both = of(other, &others);
        both.extend([(number, &some), (number, &more), (number, &some)]);
        tx.count_facets(&both).await.expect("they are counted");
    });
    let rows = store.facets_of(number).await.expect("facets");
    let hosts: Vec<_> = rows.iter().filter(|row| row.kind == "host").collect();
    assert_eq!(hosts.len(), 51);
    assert_eq!((hosts[0].value.as_str(), hosts[0].occurrences), ("host 03", 9));
    assert!(hosts[50].is_others && hosts[50].occurrences == 21);
    let mut found = answers![store.facets_of(number), store.facets_of(other)];
    write!(store, |tx| tx.merge_issue(other, number).await.expect("they are merged"));
    found.extend(answers![store.facets_of(number), store.facets_of(other)]);
    found
}

async fn resolved_issue_regresses(store: &Store) -> Answers {
    let was = issue(store, &facts("one", "a.py")).await;
    let open = issue(store, &facts("two", "b.py")).await;
    let change = FixingChange { summary: "Fix".into(), author: "Bob".into() };
    let fixed = Resolution::Fixed(Some(change));
    let before = store.rules_revision().await.expect("a revision");
    write!(store, |tx| {
        tx.notify(was, 1, "new", None, START).await.expect("it is noted");
        tx.notify(open, 1, "new", None, START).await.expect("it is noted");
        tx.set_resolved(was, START + 1, Some("f1f1"), &fixed).await.expect("it is resolved");
        tx.set_checked(open, 2).await.expect("it is noted");
        assert!(!tx.is_unchecked(open, 2).await.expect("no error"));
        assert!(tx.is_unchecked(open, 3).await.expect("no error"));
        assert!(!tx.is_unchecked(was, 3).await.expect("no error"), "it is resolved");
    });
    assert!(store.rules_revision().await.expect("a revision") > before);
    let resolution = store.resolution(was).await.expect("no error").expect("it is resolved");
    assert_eq!(resolution.resolution, fixed);
    let mut found = answers![
        store.resolution(open),
        store.open_issues(3, 5),
        store.open_issues(2, 5),
        store.predecessors("a.py", "run", 5),
        store.predecessors("a.py", "other", 5),
    ];
    let earlier = store.predecessors("a.py", "run", 5).await.expect("issues").remove(0);
    let moved = IssueFacts { origin_commit: Some(commit('b')), ..facts("three", "a.py") };
    write!(store, |tx| {
        let taken = IssueFacts { identity: "two".into(), ..moved.clone() };
        assert!(!tx.take_over(was, &earlier, &taken).await.expect("another has this line"));
        assert!(tx.take_over(was, &earlier, &moved).await.expect("no error"));
        assert!(!tx.take_over(was, &earlier, &moved).await.expect("it has another identity now"));
        tx.clear_resolved(was).await.expect("it is open again");
    });
    assert_eq!(store.issue_named(&["one"]).await.expect("no error"), Some(was), "an alias");
    found.extend(answers![store.issue(was), store.resolution(was), store.issue_named(&["three"])]);
    found
}

async fn author_is_found(store: &Store) -> Answers {
    let mut gone = facts("gone", "b.py");
    (gone.details.gone, gone.developer_email) = (Some("left".into()), Some("Zoe@x.org".into()));
    let resolved = issue(store, &facts("one", "a.py")).await;
    issue(store, &facts("two", "a.py")).await;
    issue(store, &gone).await;
    issue(store, &unblamed("nobody", "c.py")).await;
    write!(store, |tx| {
        tx.set_resolved(resolved, START, None, &Resolution::ByHand).await.expect("it is resolved");
        tx.count_attributed(&gone, seen(3, START + HOUR)).await.expect("it is counted");
    });
    assert_eq!(store.gone_authors().await.expect("authors"), ["Zoe@x.org"]);
    let both = ["Ann@example.com".to_owned(), "Zoe@x.org".to_owned()];
    let week = ReportWeek {
        day: "2023-11-20".parse().expect("a day"),
        before: START - 8 * DAY,
        from: START - DAY,
        to: START + DAY,
    };
    write!(store, |tx| tx.set_weekly_sent(week.day).await.expect("it is noted"));
    let mut found = answers![
        store.authors(),
        store.has_issues_of("ANN@example.com"),
        store.has_issues_of("nobody@example.com"),
        store.open_issues_by(&both, START, 5, 0),
        store.open_issues_by(&both, START, 1, 1),
        store.open_issues_by(&both[..1], START, 5, 0),
        store.weekly_sent(),
        store.issues_of_two_weeks(&week),
    ];
    found.extend(sorted(store.author_occurrences(START, START + DAY).await.expect("counts")));
    found
}

async fn texts_may_be_long_and_odd(store: &Store) -> Answers {
    // Random, so that no compression makes them fit.
    let mut random = 1_u64;
    let mut letters = |count: usize| -> String {
        let mut next = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'a' + u8::try_from(random >> 33 & 15).expect("it is below 16"))
        };
        (0..count).map(|_| next()).collect()
    };
    let long = letters(6_000);
    let odd = IssueFacts {
        path: long.clone(),
        text: "'; \" \\ % _ \0 é \u{1F600} \u{202e}".to_owned(),
        developer_email: Some(long.clone()),
        developer_name: Some(long.clone()),
        ..facts(&long, "")
    };
    let number = issue(store, &odd).await;
    assert_eq!(issue(store, &odd).await, number, "it is the same one");
    assert_ne!(issue(store, &facts(&format!("{long}x"), "a.py")).await, number);
    let found = store.issue(number).await.expect("no error").expect("it is there");
    assert_eq!((found.occurrences, found.facts.path.len()), (2, 6_000));
    assert!(found.facts.text.contains("\u{fffd} é \u{1F600}"));
    assert_eq!(store.issue_named(&[&long]).await.expect("no error"), Some(number));
    let functions = [(long.as_str(), "f"), ("a.py", "f\0")].into_iter().collect();
    write!(store, |tx| {
        tx.count_functions(&functions, START).await.expect("they are counted");
        let aliases = [format!("{long}y"), "short".to_owned()];
        assert_eq!(tx.merge_issues(&aliases, number).await.expect("no error"), 0);
        tx.see_module_set(&long, START).await.expect("no error");
        tx.add_module_set(&long, b"x", START).await.expect("it is added");
    });
    answers![store.issue(number), store.authors(), store.hot_functions()]
}
