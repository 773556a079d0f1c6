//! Erasure of issues, persons and projects, and retention.
use flawless_base::secret::Secret;
use flawless_core::{Frame, Report};
use flawless_store::erase::mention::ErasedPerson;
use flawless_store::{
    Facet, GivenRole, IssueFacts, MailKind, NewAction, NewChannel, NewNotification, NewPending,
    NewSession, OutboxMessage, Recipient, Retention, RoleScope, Store, UnwantedKind, WaitsFor,
    encode_sample,
};

use crate::{Answers, START, answers, facts, issue, new_sample, on_both, seen, unblamed, write};

on_both!(
    issue_is_erased,
    person_is_erased,
    old_data_is_deleted,
    project_is_removed,
    store_is_touched
);

const DAY: i64 = 86_400_000;

/// A report that went through the line of [`facts`], and names Ann.
fn report(path: &str) -> Report {
    let frame = Frame {
        path: format!("/srv/{path}"),
        line: 7,
        function: "run".to_owned(),
        text: "x  = 1 / y".to_owned(),
        ..Frame::default()
    };
    let additional_info = "sent by ann@example.com".to_owned();
    Report { traceback: vec![frame], additional_info, ..Report::default() }
}

fn pending(fingerprint: &str, report: &Report) -> NewPending {
    NewPending {
        fingerprint: fingerprint.to_owned(),
        occurrences: 2,
        only_listed: 0,
        reports: 1,
        error_threshold: 1,
        at: START,
        facets: vec![Facet::new(["E", "ann@example.com", "", ""], 2, START)],
        source: "10.0.0.1".to_owned(),
        body: encode_sample(report).expect("it is encoded"),
    }
}

/// An issue with one of everything; returns its number.
pub(crate) async fn whole_issue(store: &Store, identity: &str, path: &str) -> i64 {
    let number = issue(store, &facts(identity, path)).await;
    let body = encode_sample(&report(path)).expect("it is encoded");
    write!(store, |tx| {
        tx.add_samples(&[new_sample(number, 1, START, &body)]).await.expect("it is kept");
        let host = Facet::new(["E", "ann@example.com", "", ""], 1, START);
        tx.count_facets(&[(number, &host)]).await.expect("they are counted");
        tx.add_place(identity, number, START).await.expect("it is added");
        tx.merge_issues(&[format!("{identity}, older")], number).await.expect("no error");
        tx.notify(number, 1, "by Ann Other", None, START).await.expect("it is noted");
        let action = NewAction {
            who: "ann@example.com".to_owned(),
            issue_id: Some(number),
            kind: "mute",
            what: "muted it for Ann Other".to_owned(),
            undo: Some("{\"for\":\"ann@example.com\"}".to_owned()),
            undo_role: None,
        };
        tx.add_action(&action, START).await.expect("it is added");
        tx.put_pending(&pending(path, &report(path)), "[]").await.expect("it waits");
    });
    number
}

/// Mails about these issues' newest alerts to Ann.
pub(crate) async fn mail(store: &Store, id: &str, issues: &[i64]) -> i64 {
    let open = store.open_alerts(START, 99).await.expect("alerts");
    let to_ann = [NewNotification {
        recipient: Recipient::from("Ann@example.com".to_owned()),
        why: "Ann Other wrote it".to_owned(),
        is_owner: true,
    }];
    write!(store, |tx| {
        for alert in open.iter().filter(|alert| issues.contains(&alert.issue_id)) {
            tx.add_notifications(alert.id, &to_ann, START).await.expect("no error");
        }
    });
    let waiting = store.digest_notifications(&to_ann[0].recipient).await.expect("rows");
    let waiting: Vec<i64> = waiting.iter().map(|row| row.notification_id).collect();
    let message = OutboxMessage {
        kind: MailKind::Alert,
        recipient: to_ann[0].recipient.clone(),
        subject: "for Ann Other".to_owned(),
        message_id: id.to_owned(),
        message: b"To: ann@example.com\r\n\r\n".to_vec(),
    };
    write!(store, |tx| {
        let written = tx.write_notifications(&waiting, &message, START).await.expect("no error");
        written.expect("they wait")
    })
}

async fn issue_is_erased(store: &Store) -> Answers {
    let gone = whole_issue(store, "one", "a.py").await;
    let kept = whole_issue(store, "two", "b.py").await;
    let alone = whole_issue(store, "three", "a.py").await;
    mail(store, "digest", &[gone, kept]).await;
    mail(store, "alone", &[alone]).await;
    write!(store, |tx| tx
        .put_pending(&pending("odd", &Report::default()), "[]")
        .await
        .expect("it waits"));
    let before = store.erasures().await.expect("a number");
    let found = store.look_at_issue(gone).await.expect("no error").expect("it is there");
    assert_eq!((found.samples, found.alerts, found.unreadable), (1, 1, 0));
    assert_eq!((found.mails.len(), found.digests.len()), (0, 1));
    assert_eq!(
        (found.waiting.as_slice(), found.place().as_str()),
        (&["a.py".to_owned()][..], "a.py:7")
    );
    assert!(store.look_at_issue(99).await.expect("no error").is_none());
    let single = store.look_at_issue(alone).await.expect("no error").expect("it is there");
    assert_eq!((single.mails.len(), single.digests.len()), (1, 0));
    write!(store, |tx| {
        tx.erase_issue(&found, START + 1).await.expect("it is erased");
        assert!(tx.erased_since(before).await.expect("no error"));
        let odd = ["odd".to_owned(), "gone".to_owned()];
        tx.erase_waiting(&odd, START + 1).await.expect("they are erased");
    });
    assert!(store.look_for_waiting(found).await.expect("no error").waiting.is_empty());
    let next = issue(store, &facts("one", "a.py")).await;
    assert!(next > alone, "the number is not used twice");
    assert!(store.empty_journal().await.expect("no error"));
    answers![
        store.issue(gone),
        store.issue(kept),
        store.was_issue(gone),
        store.facets_of(gone),
        store.actions(None, 9),
        store.pending_digests(),
        store.outcomes_since(START),
        store.due_mails(START + 9, 9),
        store.erasures(),
        store.issue_at_place("one"),
        store.project_size(),
    ]
}

async fn person_is_erased(store: &Store) -> Answers {
    let number = whole_issue(store, "one", "a.py").await;
    mail(store, "mail", &[number]).await;
    issue(store, &IssueFacts { developer_email: Some("z@x.org".into()), ..facts("two", "b.py") })
        .await;
    let session = NewSession {
        hash: "h",
        address: "ann@example.com",
        how: "link",
        user_agent: "",
        expires_at: START + 9,
    };
    let channel = NewChannel {
        kind: "slack",
        url: Secret::new("https://example.com"),
        secret: None,
        owner: Some("Ann@example.com".into()),
    };
    write!(store, |tx| {
        tx.add_session(&session, START).await.expect("it begins");
        tx.add_channel(&channel, START).await.expect("it is added");
        let all = RoleScope::AllProjects;
        tx.give_role("bob@x.org", all, GivenRole::Blocked, START, "ann@example.com")
            .await
            .expect("given");
        tx.add_unwanted("ann@example.com", UnwantedKind::Weekly, START).await.expect("it is noted");
        tx.add_loss(1, START, "host of ann@example.com").await.expect("it is counted");
        let modules = encode_sample(&[("https://ann@example.com/x", "1")]).expect("it is encoded");
        tx.add_module_set("m", &modules, START).await.expect("it is added");
        let shop = tx.add_project("shop", START).await.expect("no error").expect("it is free");
        tx.enter(shop);
        tx.put_pending(&pending("theirs", &report("a.py")), "[]").await.expect("it waits");
    });
    let mut person = ErasedPerson::new("Ann@Example.com");
    let found = store.look_for_person(&mut person).await.expect("no error");
    assert!(!found.is_empty() && found.unreadable == 0);
    let counts = found.counts();
    assert_eq!((counts.issues, counts.samples, counts.waiting), (1, 1, 2));
    assert_eq!((counts.mails, counts.settings), (1, 2));
    write!(store, |tx| tx.erase_person(&found, START + 1).await.expect("they are erased"));
    let left = store.look_for_person(&mut ErasedPerson::new("ann@example.com")).await;
    let left = left.expect("no error");
    assert!(left.is_empty(), "{:?}", left.counts());
    let mut answers = answers![
        store.issue(number),
        store.authors(),
        store.actions(None, 9),
        store.alerts_of(number),
        store.channels(),
        store.given_roles(),
        store.signed_in(START),
        store.losses_since(START),
        store.outcomes_since(START),
        store.due_mails(START + 9, 9),
        store.facets_of(number),
        store.module_set("m"),
    ];
    answers.push(format!("{counts:?}"));
    answers
}

async fn old_data_is_deleted(store: &Store) -> Answers {
    let kept = whole_issue(store, "notified", "a.py").await;
    let sent = mail(store, "sent", &[kept]).await;
    let gone = issue(store, &facts("never seen again", "b.py")).await;
    let muted = issue(store, &unblamed("muted", "c.py")).await;
    let newest = issue(store, &facts("newest", "d.py")).await;
    write!(store, |tx| {
        tx.mail_sent(sent, START).await.expect("it is noted");
        tx.mute(muted, Some(START + 99 * DAY)).await.expect("it is muted");
        tx.count(newest, seen(1, START + 50 * DAY)).await.expect("it is counted");
        tx.postpone_pending("a.py", START, WaitsFor::Nothing, "no").await.expect("it is noted");
        tx.add_loss(1, START, "").await.expect("it is counted");
        tx.add_recorded_ids(&[1], START).await.expect("they are stored");
        tx.add_recorded_ids(&[2], START).await.expect("they are stored");
        tx.seen_running("a", true, START).await.expect("no error");
        tx.seen_running("b", true, START).await.expect("no error");
        tx.clear_refusal("ann@x.org", START).await.expect("it is noted");
        tx.add_module_set("m", b"x", START).await.expect("it is added");
        let action = NewAction {
            who: "ann".into(),
            issue_id: Some(gone),
            kind: "mute",
            what: "it".into(),
            undo: None,
            undo_role: None,
        };
        tx.add_action(&action, START + 50 * DAY).await.expect("it is added");
    });
    let retention =
        Retention { now: START + 60 * DAY, before: START + 30 * DAY, baseline_until: START };
    write!(store, |tx| tx.apply_retention(retention).await.expect("it is applied"));
    let found = answers![
        store.issue(kept),
        store.issue(gone),
        store.issue(muted),
        store.hours_of(newest, START),
        store.facets_of(kept),
        store.recorded_ids(0),
        store.running_revisions(9),
        store.losses_since(START),
        store.outcomes_since(START),
        store.actions(None, 9),
        store.mails_of(kept),
        store.issue_at_place("notified"),
        store.due_pending(START + 99 * DAY, 9),
        store.was_issue(gone),
        store.issue_named(&["notified, older"]),
    ];
    assert!(store.samples_of(kept).await.expect("samples").is_empty());
    let much_later = Retention { now: START + 500 * DAY, ..retention };
    write!(store, |tx| tx.apply_retention(much_later).await.expect("it is applied"));
    assert!(store.actions(None, 9).await.expect("actions").is_empty());
    found
}

async fn project_is_removed(store: &Store) -> Answers {
    let shop = write!(store, |tx| {
        let shop = tx.add_project("shop", START).await.expect("no error").expect("it is free");
        tx.add_key(&Secret::new("key"), "", START).await.expect("it is added");
        tx.set_option("o", Some("1"), START, "ann").await.expect("it is set");
        shop
    });
    let shop = store.of(shop);
    let first = whole_issue(&shop, "one", "a.py").await;
    let second = whole_issue(&shop, "two", "b.py").await;
    mail(&shop, "mail", &[first]).await;
    write!(shop, |tx| tx.merge_issue(first, second).await.expect("they are merged"));
    let kept = whole_issue(store, "one", "a.py").await;
    let size = shop.project_size().await.expect("a size");
    assert_eq!((size.issues, size.waiting, size.unsent, size.keys), (2, 2, 1, 1));
    write!(shop, |tx| tx.remove_project().await.expect("it is removed"));
    let size = shop.project_size().await.expect("a size");
    assert_eq!((size.issues, size.waiting, size.unsent, size.keys), (0, 0, 0, 0));
    answers![store.issue(kept), store.projects(), store.project_size(), store.all_keys()]
}

async fn store_is_touched(store: &Store) -> Answers {
    write!(store, |tx| {
        tx.touch(START).await.expect("it can be written to");
        tx.touch(START + 1).await.expect("it can be written to");
        assert!(!tx.take_recreated_news(START).await.expect("no error"));
    });
    assert!(!store.database_version().await.expect("a version").is_empty());
    answers![store.recreated_at(), store.erasures(), store.weekly_sent()]
}
