//! Alerts, notifications, mails, posts and channels.
use flawless_base::secret::Secret;
use flawless_store::{
    FixingChange, MailKind, NewChannel, NewNotification, OutboxMessage, Recipient, Regression,
    Resolution, Store, UnwantedKind,
};

use crate::{Answers, START, answers, facts, issue, new_sample, on_both, sorted, write};

on_both!(
    alert_is_composed_once,
    notifications_go_into_mails,
    mails_are_sent_or_given_up,
    message_is_claimed_by_one_server,
    posts_go_to_channels,
    unwanted_mails_are_not_sent,
);

const DAY: i64 = 86_400_000;

fn to(address: &str, is_owner: bool) -> NewNotification {
    let recipient = Recipient::from(address.to_owned());
    NewNotification { recipient, why: "it is theirs".to_owned(), is_owner }
}

fn mail(kind: MailKind, recipient: &str, id: &str) -> OutboxMessage {
    OutboxMessage {
        kind,
        recipient: Recipient::from(recipient.to_owned()),
        subject: format!("about {id}"),
        message_id: id.to_owned(),
        message: format!("Subject: {id}\r\n\r\n").into_bytes(),
    }
}

/// An issue with an alert that waits; returns the numbers of both.
async fn alert(store: &Store, identity: &str) -> (i64, i64) {
    let number = issue(store, &facts(identity, "a.py")).await;
    write!(store, |tx| tx.notify(number, 1, "new", None, START).await.expect("it is noted"));
    let open = store.open_alerts(START, 99).await.expect("alerts");
    (number, open.last().expect("it waits").id)
}

async fn alert_is_composed_once(store: &Store) -> Answers {
    let (number, first) = alert(store, "one").await;
    let regression = Regression {
        resolved_at: START,
        resolved_by: Some("f1".into()),
        resolution: Resolution::Fixed(Some(FixingChange {
            summary: "s".into(),
            author: "a".into(),
        })),
        read: None,
        seen_in: Some("b2".into()),
    };
    let (other, second) = alert(store, "two").await;
    write!(store, |tx| {
        assert!(tx.is_uncomposed(first).await.expect("no error"));
        tx.hold_alert(first, "nobody can be notified").await.expect("it is held");
        tx.notify(other, 9, "again", Some(&regression), START + 2).await.expect("it is noted");
    });
    let mut found = answers![
        store.open_alerts(START, 9),
        store.open_alerts(START, 1),
        store.alert_queue(),
        store.projects_with_alerts(),
        store.projects_with_deferred_alerts(),
        store.has_deferred_alerts(),
        store.alerts_of(other),
        store.regressed_issues(),
    ];
    write!(store, |tx| {
        tx.release_alerts(START + 5).await.expect("they are released");
        assert!(!tx.reopen_newest_alert(number, START).await.expect("it has no sample"));
        tx.add_samples(&[new_sample(number, 1, START, b"x")]).await.expect("it is kept");
        let added = tx.add_notifications(second, &[to("ann@x.org", true)], START).await;
        assert_eq!(added.expect("no error"), 1);
        assert!(!tx.is_uncomposed(second).await.expect("no error"), "it has a notification");
        assert!(tx.reopen_newest_alert(number, START + 7).await.expect("no error"));
    });
    found.extend(answers![
        store.open_alerts(START, 9),
        store.open_alerts(START + 7, 9),
        store.has_deferred_alerts(),
    ]);
    found.extend(sorted(store.alert_states(&[number, other, 99]).await.expect("states")));
    found
}

async fn notifications_go_into_mails(store: &Store) -> Answers {
    let (number, first) = alert(store, "one").await;
    let (other, second) = alert(store, "two").await;
    write!(store, |tx| {
        let later = [to("ann@x.org", true)];
        assert_eq!(tx.add_notifications(second, &later, START + 1).await.expect("no error"), 1);
        // What is refused as a repetition costs a number on PostgreSQL: it comes last.
        let all = [to("Ann@x.org", true), to("bob@x.org", false), to("ann@X.org", false)];
        assert_eq!(tx.add_notifications(first, &all, START).await.expect("no error"), 2);
        let again = [to("ANN@x.org", true)];
        assert_eq!(tx.add_notifications(first, &again, START).await.expect("no error"), 0);
    });
    let ann = Recipient::from("ANN@x.org".to_owned());
    let mut found = answers![
        store.digest_notifications(&ann),
        store.digest_recipients_of(number),
        store.projects_with_alerts(),
    ];
    found.extend(sorted(store.alert_states(&[number, other]).await.expect("states")));
    let digests = store.pending_digests().await.expect("digests");
    assert_eq!(digests.iter().map(|d| d.alerts).collect::<Vec<_>>(), [2, 1]);
    let waiting: Vec<i64> = store
        .digest_notifications(&ann)
        .await
        .expect("rows")
        .iter()
        .map(|n| n.notification_id)
        .collect();
    let written = write!(store, |tx| {
        let digest = mail(MailKind::Digest, "ann@x.org", "digest");
        let written = tx.write_notifications(&waiting, &digest, START + 2).await;
        written.expect("no error").expect("they wait")
    });
    let mut tx = store.write().await.expect("a transaction");
    let alert = mail(MailKind::Alert, "ann@x.org", "alert");
    let again = tx.write_notifications(&waiting, &alert, START).await.expect("no error");
    assert_eq!(again, None, "they are in a mail already");
    drop(tx);
    found.extend(answers![
        store.pending_digests(),
        store.issues_numbered(&[number]),
        store.issue(other),
        store.mails_of(number),
        store.mails_written_since(START),
        store.mails_written_since(START + 2),
    ]);
    found.extend(sorted(store.issues_mailed().await.expect("issues")));
    write!(store, |tx| {
        tx.mail_given_up(written, START + 3, "550 unknown", true).await.expect("it is noted");
        assert!(tx.reopen_alerts(written).await.expect("no error"));
        let again = [to("ann@x.org", true)];
        assert_eq!(tx.add_notifications(first, &again, START + 4).await.expect("no error"), 1);
        tx.drop_pending_notifications_to(&Recipient::from("bob@x.org".to_owned()))
            .await
            .expect("they are dropped");
    });
    found.extend(answers![store.pending_digests(), store.mails_of(number), store.issue(number)]);
    found
}

async fn mails_are_sent_or_given_up(store: &Store) -> Answers {
    let numbers = write!(store, |tx| {
        let mut numbers = Vec::new();
        for (kind, recipient, id) in [
            (MailKind::Alert, "ann@x.org", "a"),
            (MailKind::SignIn, "Ann@x.org", "b"),
            (MailKind::Weekly, "bob@x.org", "c"),
            (MailKind::Note, "Bob@x.org", "d"),
        ] {
            let added = tx.add_mail(&mail(kind, recipient, id), START).await;
            numbers.push(added.expect("it is added"));
        }
        let unwritten = OutboxMessage::unwritten(Recipient::from("e@x.org".to_owned()), "9");
        tx.add_mail(&unwritten, START + 1).await.expect("it is added");
        numbers
    });
    let mut found = answers![
        store.due_mails(START, 9),
        store.due_mails(START + 1, 2),
        store.outbox_queue(),
        store.mail_named("a"),
        store.mail_named("b"),
        store.mail_named("unwritten.9"),
        store.mails_to("ANN@x.org", 5),
    ];
    write!(store, |tx| {
        tx.mail_sent(numbers[0], START + 2).await.expect("it is noted");
        tx.mail_sent(numbers[1], START + 2).await.expect("it is noted");
        tx.mail_postponed(numbers[2], START + DAY, "451 later").await.expect("it is noted");
        tx.mail_given_up(numbers[3], START + 3, "550 \0 unknown", true).await.expect("noted");
    });
    found.extend(answers![
        store.due_mails(START + 4, 9),
        store.due_mails(START + 2 * DAY, 9),
        store.outbox_queue(),
        store.mails_to("bob@x.org", 5),
        store.refused_addresses(START + 4),
        store.refused_addresses(START + 40 * DAY),
        store.undeliverable_since(),
    ]);
    write!(store, |tx| tx.clear_refusal("BOB@x.org", START + 5).await.expect("it is cleared"));
    found.extend(answers![store.refused_addresses(START + 6), store.undeliverable_since()]);
    found
}

async fn message_is_claimed_by_one_server(store: &Store) -> Answers {
    let [first, sent, given_up] = write!(store, |tx| {
        let mut numbers = Vec::new();
        for id in ["a", "b", "c"] {
            let message = mail(MailKind::Alert, "ann@x.org", id);
            numbers.push(tx.add_mail(&message, START).await.expect("it is added"));
        }
        tx.mail_sent(numbers[1], START).await.expect("it is noted");
        tx.mail_given_up(numbers[2], START, "550 unknown", true).await.expect("it is noted");
        <[i64; 3]>::try_from(numbers).expect("three")
    });
    let claim = async |id, node: &str, at| store.claim_message(id, node, at).await.expect("asked");
    store.node_lives("one", START).await.expect("it is noted");
    assert!(claim(first, "one", START).await);
    assert!(claim(first, "one", START).await, "it goes on with what it had claimed");
    assert!(!claim(first, "other", START + 60_000).await, "the first one lives");
    assert!(!claim(sent, "one", START).await);
    assert!(!claim(given_up, "one", START).await);
    assert!(!claim(99, "one", START).await);
    store.node_lives("other", START + 120_000).await.expect("it is noted");
    assert!(claim(first, "other", START + 120_000).await, "the first one is dead");
    store.node_lives("one", START + 121_000).await.expect("it is noted");
    assert!(!claim(first, "one", START + 121_000).await, "it was given to another one");
    answers![store.due_mails(START, 9)]
}

async fn posts_go_to_channels(store: &Store) -> Answers {
    let channel = |owner: Option<&str>| NewChannel {
        kind: "json",
        url: Secret::new("https://example.com/hook"),
        secret: owner.map(|_| Secret::new("key")),
        owner: owner.map(str::to_owned),
    };
    let (number, waiting) = alert(store, "one").await;
    let (first, second) = write!(store, |tx| {
        let first = tx.add_channel(&channel(None), START).await.expect("it is added");
        let second = tx.add_channel(&channel(Some("ann@x.org")), START).await.expect("it is added");
        for (channel, id) in [(first, "a"), (first, "b"), (second, "c")] {
            let post = mail(MailKind::Post, &format!("channel:{channel}"), id);
            tx.add_mail(&post, START).await.expect("it is added");
        }
        let name = format!("channel:{second}");
        tx.add_notifications(waiting, &[to(&name, false)], START).await.expect("no error");
        (first, second)
    });
    let mut found =
        answers![store.due_posts(START), store.post_states(START), store.channel(first)];
    let due = store.due_posts(START).await.expect("posts");
    assert_eq!(due.len(), 2, "the oldest of each channel");
    write!(store, |tx| {
        tx.mail_sent(due[0].id, START + 1).await.expect("it is noted");
        tx.mail_given_up(due[1].id, START + 1, "404", false).await.expect("it is noted");
        tx.channel_works(first, START + 1).await.expect("it is noted");
        tx.channel_broken(second, START + 2, "404").await.expect("it is noted");
    });
    found.extend(answers![store.channels(), store.post_states(START), store.due_posts(START)]);
    write!(store, |tx| {
        assert!(tx.remove_channel(first, START + 3).await.expect("no error"));
        assert!(!tx.remove_channel(first, START + 3).await.expect("it is removed already"));
        tx.enter(99);
        assert!(!tx.remove_channel(second, START + 3).await.expect("it is another project's"));
    });
    found.extend(answers![
        store.channels(),
        store.channel(first),
        store.post_states(START),
        store.mails_of(number),
        store.due_posts(START + DAY),
    ]);
    found
}

async fn unwanted_mails_are_not_sent(store: &Store) -> Answers {
    let (number, first) = alert(store, "one").await;
    write!(store, |tx| {
        let ann = [to("Ann@x.org", true)];
        tx.add_notifications(first, &ann, START).await.expect("no error");
        tx.want_mails("ANN@x.org", UnwantedKind::Alerts, false, START).await.expect("it is noted");
        tx.add_unwanted("ann@x.org", UnwantedKind::Weekly, START).await.expect("it is noted");
        assert!(tx.is_unwanted("ann@x.org", UnwantedKind::Alerts).await.expect("no error"));
        tx.hold_alert(first, "nobody").await.expect("it is held");
    });
    assert!(store.is_unwanted("Ann@X.org", UnwantedKind::Weekly).await.expect("no error"));
    let mut found = answers![
        store.unwanted_mails(),
        store.refused_addresses(START),
        store.open_alerts(START, 9),
        store.digest_recipients_of(number),
    ];
    write!(store, |tx| {
        tx.want_mails("ann@x.org", UnwantedKind::Alerts, true, START + 1).await.expect("noted");
        tx.remove_unwanted("ann@x.org", UnwantedKind::Weekly).await.expect("it is noted");
    });
    found.extend(answers![store.unwanted_mails(), store.open_alerts(START + 1, 9)]);
    found
}
