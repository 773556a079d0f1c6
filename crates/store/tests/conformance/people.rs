//! Roles, sessions, links, tokens and actions.
use flawless_core::Role;
use flawless_store::{
    GivenRole, LinkKind, MAX_TOKENS, NewAction, NewLink, NewSession, NewToken, RoleScope, Store,
};

use crate::{Answers, START, answers, facts, issue, on_both, write};

on_both!(
    roles_are_given,
    sessions_begin_and_end,
    links_are_used_once,
    tokens_are_revoked,
    actions_are_undone
);

async fn roles_are_given(store: &Store) -> Answers {
    assert!(!store.had_administrator().await.expect("no error"));
    let (all, here) = (RoleScope::AllProjects, RoleScope::Project(store.project_id()));
    write!(store, |tx| {
        let reader = GivenRole::Role(Role::Reader);
        tx.give_role("ann@x.org", all, reader, START, "bob").await.expect("it is given");
        tx.put_role("ann@x.org", here, Some(GivenRole::Blocked), START, "").await.expect("given");
        assert_eq!(tx.given_role("ann@x.org", all).await.expect("no error"), Some(reader));
        let developer = GivenRole::Role(Role::Developer);
        tx.give_role("ann@x.org", all, developer, START + 1, "eve").await.expect("it is given");
        tx.give_role("bob@x.org", all, developer, START, "eve").await.expect("it is given");
        tx.note_administrator(START).await.expect("it is noted");
        tx.note_administrator(START + 1).await.expect("it is known");
    });
    assert!(store.had_administrator().await.expect("no error"));
    assert_eq!(store.given_role("ann@x.org").await.expect("no error"), Some(GivenRole::Blocked));
    let mut found = answers![
        store.given_role("bob@x.org"),
        store.given_role("nobody"),
        store.of(9).given_role("ann@x.org"),
        store.given_roles(),
    ];
    write!(store, |tx| {
        tx.put_role("ann@x.org", here, None, START, "").await.expect("it is removed");
        tx.remove_role("bob@x.org", all).await.expect("it is removed");
    });
    found.extend(answers![store.roles_of("ann@x.org"), store.given_roles()]);
    found
}

async fn sessions_begin_and_end(store: &Store) -> Answers {
    let begin = async |hash: &str, address: &str, at: i64| {
        let new =
            NewSession { hash, address, how: "link", user_agent: "a\0b", expires_at: START + 100 };
        write!(store, |tx| tx.add_session(&new, at).await.expect("it begins"));
    };
    for number in 0..52 {
        begin(&format!("h{number}"), "ann@x.org", START + number).await;
    }
    begin("other", "bob@x.org", START).await;
    assert!(store.session("h1", START).await.expect("no error").is_none(), "50 are kept");
    let session = store.session("h2", START).await.expect("no error").expect("it is there");
    assert!(store.session("h2", START + 100).await.expect("no error").is_none(), "it has ended");
    write!(store, |tx| {
        let renewed = tx.renew_session(session.id, START + 90, START + 300).await;
        renewed.expect("it is renewed");
        assert!(!tx.end_session(session.id + 1, "bob@x.org").await.expect("it is another's"));
        assert!(tx.end_session(session.id + 1, "ann@x.org").await.expect("no error"));
    });
    let mut found = answers![
        store.session("h2", START + 200),
        store.sessions_of("ann@x.org", START),
        store.signed_in(START),
        store.signed_in(START + 200),
    ];
    write!(store, |tx| {
        let ended = tx.sign_out_everywhere("ann@x.org", START).await.expect("no error");
        assert_eq!(ended, 49);
    });
    found.extend(answers![store.signed_in(START)]);
    found
}

async fn links_are_used_once(store: &Store) -> Answers {
    let link =
        |hash, kind, address| NewLink { hash, kind, address, next: "/", expires_at: START + 9 };
    write!(store, |tx| {
        for link in [
            link("mail", LinkKind::Mail, Some("ann@x.org")),
            link("old", LinkKind::Administrator, None),
            link("new", LinkKind::Administrator, None),
            link("command", LinkKind::Command, Some("bob@x.org")),
        ] {
            tx.add_sign_in_link(&link, START).await.expect("it is created");
        }
    });
    let mut found = answers![
        store.sign_in_link("mail", START),
        store.sign_in_link("mail", START + 9),
        store.sign_in_link("old", START),
        store.sign_in_link("new", START),
    ];
    write!(store, |tx| {
        assert!(!tx.use_sign_in_link("mail", START + 9).await.expect("no error"));
        assert!(tx.use_sign_in_link("mail", START).await.expect("no error"));
        assert!(!tx.use_sign_in_link("mail", START).await.expect("no error"));
        tx.remove_administrator_links().await.expect("they are removed");
    });
    found.extend(answers![store.sign_in_link("new", START), store.sign_in_link("command", START)]);
    found
}

async fn tokens_are_revoked(store: &Store) -> Answers {
    fn token(hash: &str) -> NewToken<'_> {
        let (prefix, name, role, owner) = ("fl_", "robot", "reader", "ann@x.org");
        NewToken { hash, prefix, name, role, owner, expires_at: START + 9 }
    }
    write!(store, |tx| {
        for number in 0..MAX_TOKENS {
            let hash = format!("h{number}");
            assert!(tx.add_token(&token(&hash), START).await.expect("no error"));
        }
        assert!(!tx.add_token(&token("more"), START).await.expect("no error"));
        assert!(tx.add_token(&token("later"), START + 9).await.expect("the others have expired"));
    });
    let first = store.token("h0", START).await.expect("no error").expect("it is there");
    write!(store, |tx| {
        tx.token_used(first.id, START + 3).await.expect("it is noted");
        assert!(!tx.revoke_token(first.id + 1, "bob@x.org", START).await.expect("no error"));
        assert!(tx.revoke_token(first.id + 1, "ann@x.org", START).await.expect("no error"));
    });
    let mut found = answers![
        store.token("h0", START),
        store.token("h1", START),
        store.token("h0", START + 9),
        store.token_owners(START),
        store.tokens_of("ann@x.org", START),
    ];
    write!(store, |tx| {
        assert_eq!(tx.revoke_tokens("ann@x.org", START).await.expect("no error"), 50);
    });
    found.extend(answers![store.token_owners(START)]);
    found
}

async fn actions_are_undone(store: &Store) -> Answers {
    let number = issue(store, &facts("one", "a.py")).await;
    let action = |issue_id, undo: Option<&str>| NewAction {
        who: "ann@x.org".to_owned(),
        issue_id,
        kind: "mute",
        what: "muted it".to_owned(),
        undo: undo.map(str::to_owned),
        undo_role: undo.map(|_| Role::Developer),
    };
    let (first, second) = write!(store, |tx| {
        let first = tx.add_action(&action(Some(number), Some("{}")), START).await.expect("added");
        let second = tx.add_action(&action(None, None), START + 1).await.expect("it is added");
        tx.set_undone(first, "bob", START + 2).await.expect("it is undone");
        assert_eq!(tx.undo_of(first).await.expect("no error").as_deref(), Some("{}"));
        assert_eq!(tx.undo_of(second).await.expect("no error"), None);
        let row = tx.action(first).await.expect("no error").expect("it is there");
        assert_eq!((row.has_undo, row.undo_needs()), (true, Some(Role::Developer)));
        (first, second)
    });
    assert!(store.action(second).await.expect("no error").is_some_and(|row| !row.has_undo));
    answers![
        store.action(first),
        store.action(99),
        store.undo_of(first),
        store.undo_of(99),
        store.actions_of(number, 5),
        store.actions(None, 5),
        store.actions(Some(second), 5),
    ]
}
