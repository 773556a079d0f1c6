//! A whole installation moves from one database to another and back.
use std::collections::HashSet;

use flawless_base::secret::Secret;
use flawless_core::{CommitId, LineOrigin, OutcomeKind};
use flawless_git::{Fact, FactKey, FactStore};
use flawless_store::rules::hits::RuleHits;
use flawless_store::{
    CopyError, ExistingData, GivenRole, LinkKind, NewChannel, NewLink, NewSession, NewToken, Quota,
    Quotas, RoleScope, RuleList, Store, StoredFacts, UnwantedKind,
};
use serde_json::json;

use crate::erase::{mail, whole_issue};
use crate::projects::artifact;
use crate::{START, commit, facts, issue, wait_until, write};

/// Fills every table.
pub(crate) async fn fill(store: &Store) {
    let first = whole_issue(store, "one", "a.py").await;
    let second = whole_issue(store, "two", "b.py").await;
    mail(store, "mail", &[first]).await;
    store.node_lives("node", START).await.expect("it is noted");
    let channel = NewChannel {
        kind: "json",
        url: Secret::new("https://example.com"),
        secret: Some(Secret::new("key")),
        owner: None,
    };
    let session =
        NewSession { hash: "h", address: "a@x.org", how: "", user_agent: "", expires_at: START };
    let link =
        NewLink { hash: "l", kind: LinkKind::Mail, address: None, next: "/é", expires_at: START };
    let token = NewToken {
        hash: "t",
        prefix: "p",
        name: "n",
        role: "reader",
        owner: "a@x.org",
        expires_at: START,
    };
    let mut hits = RuleHits::default();
    hits.add(&[1], 1, 1);
    write!(store, |tx| {
        // Into a later one, so that the copy has to refer to a row that comes after.
        tx.merge_issue(first, second).await.expect("they are merged");
        tx.add_channel(&channel, START).await.expect("added");
        tx.add_session(&session, START).await.expect("added");
        tx.add_sign_in_link(&link, START).await.expect("added");
        tx.add_token(&token, START).await.expect("added");
        tx.add_rule(RuleList::IgnoredExceptions, &json!("a.B"), START).await.expect("added");
        tx.count_rule_hits(&hits, START).await.expect("counted");
        tx.add_key(&Secret::new("key"), "", START).await.expect("added");
        tx.set_option("o", Some("1"), START, "ann").await.expect("set");
        tx.add_secret("s", &Secret::new("v")).await.expect("added");
        tx.add_module_set("m", &(0..=255).collect::<Vec<u8>>(), START).await.expect("added");
        tx.add_recorded_ids(&[u64::MAX], START).await.expect("added");
        tx.add_outcome(OutcomeKind::Refused, "r", 1, START, "").await.expect("counted");
        tx.add_loss(1, START, "").await.expect("counted");
        let quota = Quota { issues: 1, bytes: 1 };
        let mut day = tx.day_use(Quotas { all: quota, sender: quota }, START).await.expect("use");
        day.add("a", 1, 1);
        tx.save_day_use(day).await.expect("stored");
        tx.count_functions(&HashSet::from([("a.py", "f")]), START).await.expect("counted");
        tx.seen_running(&commit('a'), true, START).await.expect("noted");
        tx.put_release("shop@1.0", Some(&commit('a')), START).await.expect("written");
        tx.put_artifact_body("h", &[0, 255], START).await.expect("written");
        tx.put_artifacts(&[artifact("1", "~/é.js", "", "h")]).await.expect("written");
        tx.put_chunk("a@x.org", "c", &[0, 255], START).await.expect("written");
        tx.add_unwanted("a@x.org", UnwantedKind::Alerts, START).await.expect("noted");
        tx.clear_refusal("a@x.org", START).await.expect("noted");
        let role = GivenRole::Blocked;
        tx.give_role("a@x.org", RoleScope::AllProjects, role, START, "").await.expect("given");
        for number in 0..450 {
            tx.add_loss(1, START + number * 86_400_000, "é").await.expect("counted");
        }
        let shop = tx.add_project("shop", START).await.expect("no error").expect("it is free");
        tx.enter(shop);
        tx.add_loss(1, START, "").await.expect("counted");
    });
    let known = StoredFacts::new(store.clone());
    let id = CommitId::parse(&commit('a')).expect("an id");
    let key = FactKey { commit: id.clone(), path: "a.py".into(), line: 1, options: String::new() };
    let origin = LineOrigin { commit: id, path: "a.py".to_owned(), line: 1 };
    known.put(&key, &Fact { origin, is_guessed: true }).await;
    wait_until("a fact", async || known.get(&key).await.is_some()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn installation_is_copied_there_and_back() {
    let (original, middle, last) =
        (crate::sqlite().await, crate::postgres().await, crate::sqlite().await);
    fill(&original).await;
    let there = middle.copy_from(&original, ExistingData::Keep).await.expect("it is copied");
    let empty: Vec<_> = there.iter().filter(|table| table.rows == 0).collect();
    assert!(empty.is_empty(), "nothing of these was copied: {empty:?}");
    assert!(there.iter().any(|table| table.rows > 400), "several batches");
    let back = last.copy_from(&middle, ExistingData::Keep).await.expect("it is copied");
    assert_eq!(there, back);
    assert_eq!(
        format!("{:?}", original.issue(1).await.expect("no error")),
        format!("{:?}", middle.issue(1).await.expect("no error")),
    );
    // What comes next gets numbers of its own.
    let next = issue(&middle, &facts("next", "a.py")).await;
    assert_eq!(next, issue(&last, &facts("next", "a.py")).await);
    assert_eq!(next, issue(&original, &facts("next", "a.py")).await);
    whole_issue(&middle, "next but one", "a.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_data_is_kept_unless_it_is_to_be_replaced() {
    let (one, other) = (crate::sqlite().await, crate::postgres().await);
    fill(&one).await;
    let first = other.copy_from(&one, ExistingData::Keep).await.expect("it is copied");
    let again = other.copy_from(&one, ExistingData::Keep).await.expect("it is the same");
    assert_eq!(first, again);
    issue(&one, &facts("newer", "a.py")).await;
    let refused = other.copy_from(&one, ExistingData::Keep).await.expect_err("it differs");
    assert!(matches!(refused, CopyError::NotEmpty { .. }), "{refused}");
    let replaced = other.copy_from(&one, ExistingData::Replace).await.expect("it is copied");
    assert_ne!(first, replaced);
    // A number that was in use is not used again, also when its issue is gone.
    let newest = one.look_at_issue(3).await.expect("no error").expect("it is there");
    write!(one, |tx| tx.erase_issue(&newest, START).await.expect("it is erased"));
    other.copy_from(&one, ExistingData::Replace).await.expect("it is copied");
    assert_eq!(issue(&other, &facts("newest", "a.py")).await, 4);
    assert_eq!(issue(&one, &facts("newest", "a.py")).await, 4);
    let back = crate::sqlite().await;
    write!(other, |tx| tx.remove_project().await.expect("it is removed"));
    back.copy_from(&other, ExistingData::Keep).await.expect("it is copied");
    let shop = write!(back, |tx| {
        tx.enter(2);
        tx.count_attributed(&facts("one", "a.py"), crate::seen(1, START)).await
    });
    assert_eq!(shop.expect("counted").id, 5);
}
