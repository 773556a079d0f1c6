//! Whether to notify, and whom: tables of cases.
use flawless_core::{
    AddressPolicy, AlertPolicy, Decision, Developer, EmailAlias, KnownError, Owner, QuietReason,
    Reassignment, Recurrence, Rules, Tally, Watcher, decide, owner_of, recipients,
};

const POLICY: AlertPolicy = AlertPolicy { minimum_date: 1_000, threshold: 3, baseline_until: 0 };

fn notifies(
    decided: u64,
    now: u64,
    notified: bool,
    date: Option<i64>,
    known: Option<&KnownError>,
) -> bool {
    let tally = Tally { decided, now, notified, ..Tally::default() };
    matches!(decide(tally, date, known, POLICY), Decision::Notify(_))
}

#[test]
fn unknown_error_is_notified_once_if_new_and_frequent_enough() {
    for (decided, now, notified, date, expected) in [
        (0, 2, false, Some(1_000), false),
        (2, 3, false, Some(1_000), true),
        (0, 500, false, Some(1_000), true),
        (3, 4, true, Some(1_000), false),
        (2, 3, false, Some(999), false),
        // Nobody is blamed, so there is no commit date that could be too old.
        (2, 3, false, None, true),
    ] {
        assert_eq!(
            notifies(decided, now, notified, date, None),
            expected,
            "{decided} {now} {notified}"
        );
    }
}

#[test]
fn regression_is_notified_once_but_not_for_older_revisions() {
    for (recurrence, notified, expected) in [
        (Recurrence::Open, true, false),
        (Recurrence::OlderRevision, true, false),
        (Recurrence::OlderRevision, false, false),
        (Recurrence::Regressed, true, true),
        // Somebody marked it as resolved, and so knows of it.
        (Recurrence::Regressed, false, true),
    ] {
        let tally = Tally { decided: 1, now: 2, notified, recurrence, ..Tally::default() };
        let notifies = matches!(decide(tally, Some(1_000), None, POLICY), Decision::Notify(_));
        assert_eq!(notifies, expected, "{recurrence:?} {notified}");
    }
}

#[test]
fn error_seen_in_the_first_hours_is_never_notified() {
    let policy = AlertPolicy { baseline_until: 5_000, ..POLICY };
    let first_seen_at = |first_seen_at| Tally { now: 500, first_seen_at, ..Tally::default() };
    let notifies = |tally| matches!(decide(tally, None, None, policy), Decision::Notify(_));
    assert!(!notifies(first_seen_at(4_999)));
    assert!(notifies(first_seen_at(5_000)));
}

#[test]
fn known_error_is_notified_by_its_own_thresholds() {
    let known = |min, max, every| KnownError {
        min_alert_threshold: min,
        max_alert_threshold: max,
        alert_every_n_occurrences: every,
        ..KnownError::default()
    };
    for (rule, decided, now, notified, expected) in [
        (known(None, None, None), 0, 1_000_000, false, false),
        (known(Some(5), None, None), 3, 4, false, false),
        (known(Some(5), None, None), 4, 16, false, true),
        (known(Some(5), None, None), 16, 17, true, false),
        // A report of twelve occurrences that passes the fifth within the maximum of ten.
        (known(Some(5), Some(10), None), 4, 16, false, true),
        (known(Some(5), Some(10), None), 11, 12, false, false),
        (known(None, None, Some(5)), 4, 5, true, true),
        (known(None, None, Some(5)), 5, 9, true, false),
        (known(None, None, Some(5)), 9, 21, true, true),
        (known(None, Some(10), Some(5)), 9, 10, true, true),
        // Both: once at the minimum, and at each multiple below or above it.
        (known(Some(7), None, Some(5)), 4, 5, false, true),
        (known(Some(7), None, Some(10)), 6, 7, false, true),
        (known(Some(7), None, Some(10)), 7, 9, true, false),
        (known(Some(7), None, Some(10)), 9, 10, true, true),
        (known(None, Some(10), Some(5)), 10, 15, true, false),
        (known(Some(0), None, Some(0)), 0, 9, false, false),
    ] {
        assert_eq!(
            notifies(decided, now, notified, Some(0), Some(&rule)),
            expected,
            "{rule:?} {decided}→{now}"
        );
    }
}

#[test]
fn muted_issue_is_notified_after_the_mute_if_it_never_was() {
    let every = KnownError { alert_every_n_occurrences: Some(1), ..KnownError::default() };
    for known in [None, Some(&every)] {
        let tally = Tally { decided: 8, now: 9, muted: true, ..Tally::default() };
        let quiet = Decision::Quiet(QuietReason::Muted);
        assert_eq!(decide(tally, Some(1_000), known, POLICY), quiet);
        assert!(notifies(9, 10, false, Some(1_000), known));
    }
}

#[test]
fn first_reason_that_applies_keeps_an_issue_quiet() {
    let policy = AlertPolicy { baseline_until: 500, ..POLICY };
    // Everything speaks against it; one reason after the other goes.
    let mut tally = Tally {
        decided: 1,
        now: 2,
        only_listed: true,
        notified: true,
        first_seen_at: 0,
        recurrence: Recurrence::OlderRevision,
        muted: true,
        kept_out: true,
    };
    let quiet = |tally, date, known| match decide(tally, Some(date), known, policy) {
        Decision::Quiet(reason) => reason,
        Decision::Notify(why) => panic!("{why}"),
    };
    let known = KnownError::default();
    assert_eq!(quiet(tally, 0, Some(&known)), QuietReason::Muted);
    tally.muted = false;
    assert_eq!(quiet(tally, 0, Some(&known)), QuietReason::KeptOut);
    tally.kept_out = false;
    assert_eq!(quiet(tally, 0, Some(&known)), QuietReason::OnlyListed);
    tally.only_listed = false;
    assert_eq!(quiet(tally, 0, Some(&known)), QuietReason::KnownError);
    assert_eq!(quiet(tally, 0, None), QuietReason::Resolved);
    tally.recurrence = Recurrence::Open;
    assert_eq!(quiet(tally, 0, None), QuietReason::Notified);
    tally.notified = false;
    assert_eq!(quiet(tally, 0, None), QuietReason::Baseline);
    tally.first_seen_at = 500;
    assert_eq!(quiet(tally, 0, None), QuietReason::OldCode);
    assert_eq!(quiet(tally, 1_000, None), QuietReason::BelowThreshold { threshold: 3 });
}

fn rules() -> Rules {
    let alias = |old: &str, new: &str| EmailAlias { old_email: old.into(), new_email: new.into() };
    let moved = |email: &str, path: &str, to: &str| Reassignment {
        email: email.into(),
        filepath: path.into(),
        designated_email: to.into(),
    };
    Rules {
        email_aliases: vec![
            (1, alias("ann@old.example", "ann@example.com")),
            (2, alias("ben", "benjamin@example.com")),
            (3, alias("heir@example.com", "heir.new@example.com")),
        ],
        reassignments: vec![
            (4, moved("ann@example.com", "shop", "far@example.com")),
            (5, moved("ann@old.example", "shop/api/", "heir@example.com")),
        ],
        ..Rules::default()
    }
}

fn owner(email: &str, path: &str, ignore_domain: bool) -> String {
    let policy = AddressPolicy {
        domain: "corp.example".into(),
        ignore_vcs_domain: ignore_domain,
        default_contact: Some("team@corp.example".into()),
    };
    let developer = Developer { name: "X".into(), email: email.into() };
    let owner = owner_of(Some(&developer), path, &rules(), &policy);
    owner.address.expect("there is a default contact")
}

#[test]
fn owner_is_found_step_by_step() {
    for (email, path, ignore_domain, expected) in [
        ("cleo@example.com", "a.py", false, "cleo@example.com"),
        ("cleo@example.com", "a.py", true, "cleo@corp.example"),
        ("cleo@laptop", "a.py", false, "cleo@corp.example"),
        ("cleo", "a.py", false, "cleo@corp.example"),
        ("ANN@old.example", "a.py", true, "ann@example.com"),
        ("ben@anything.example", "a.py", false, "benjamin@example.com"),
        ("ann@old.example", "shop/cart.py", false, "far@example.com"),
        ("ann@old.example", "shop/api/x.py", false, "heir.new@example.com"),
        ("ann@old.example", "shopping/x.py", false, "ann@example.com"),
        ("", "a.py", false, "team@corp.example"),
        ("not an address", "a.py", false, "team@corp.example"),
    ] {
        assert_eq!(owner(email, path, ignore_domain), expected, "{email} {path}");
    }
}

#[test]
fn fallback_says_why_it_is_notified() {
    let policy = AddressPolicy { default_contact: Some("t@e.com".into()), ..Default::default() };
    let owner = owner_of(None, "a.py", &rules(), &policy);
    assert!(owner.is_fallback);
    assert_eq!(owner.steps, ["nobody else is known: default_contact t@e.com"]);
    let owner = owner_of(None, "a.py", &rules(), &AddressPolicy::default());
    assert_eq!((owner.address, owner.steps.len()), (None, 1));
}

#[test]
fn recipients_are_unique_and_valid_and_watchers_as_asked() {
    let watch = |email: &str, path: &str, all| Watcher {
        email: email.into(),
        filepath: path.into(),
        watch_all_errors: all,
    };
    let rules = Rules {
        watchers: vec![
            (1, watch("w@example.com", "shop", false)),
            (2, watch("W@example.com", "shop/cart.py", true)),
            (3, watch("web@example.com", "shop/web.py", true)),
            (4, watch("quiet@example.com", "shop/web.py", false)),
            (5, watch("broken", "/", false)),
        ],
        ..Rules::default()
    };
    let owner = Owner { address: Some("o@example.com".into()), ..Owner::default() };
    let known = KnownError {
        email_recipients: vec!["o@example.com".into(), "k@example.com".into()],
        ..KnownError::default()
    };
    let paths = ["shop/web.py", "shop/cart.py"];
    let found = recipients(&owner, "shop/cart.py", paths, Some(&known), &rules);
    let to: Vec<&str> = found.mailable.iter().map(|(address, _)| address.as_str()).collect();
    assert_eq!(to, ["o@example.com", "w@example.com", "web@example.com", "k@example.com"]);
    assert_eq!(found.invalid, ["broken"]);
}
