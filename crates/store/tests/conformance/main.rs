//! The store does the same on SQLite and on PostgreSQL: each test here runs on both.
#![expect(clippy::disallowed_methods, reason = "a test starts a server and waits for it")]

mod alerts;
mod away;
mod concurrency;
mod connect;
mod copy;
mod erase;
mod issues;
mod merges;
mod people;
mod plans;
mod postgres;
mod projects;
mod reports;
mod rules;
mod schema;

use std::ops::Deref;
use std::path::Path;

use flawless_base::secret::Secret;
use flawless_store::sealing::Sealing;
use flawless_store::{IssueFacts, NewSample, PostgresSettings, Seen, Store, StoreError};
use tempfile::TempDir;

/// A new store, with what it lies in.
pub(crate) struct Fresh {
    store: Store,
    folder: Option<TempDir>,
}

impl Fresh {
    /// The folder of a store in a file.
    fn path(&self) -> &Path {
        self.folder.as_ref().expect("it is in a file").path()
    }
}

impl Deref for Fresh {
    type Target = Store;

    fn deref(&self) -> &Store {
        &self.store
    }
}

/// The time at which the stores of tests are made.
pub(crate) const START: i64 = 1_700_000_000_000;

/// An empty store in a file.
pub(crate) async fn sqlite() -> Fresh {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(folder.path(), &Sealing::default(), START).await.expect("it opens");
    Fresh { store, folder: Some(folder) }
}

/// An empty store in a database of the server that all tests share.
pub(crate) async fn postgres() -> Fresh {
    let database = postgres::shared().database();
    let store = connect(&settings(&database.url)).await.expect("it connects");
    Fresh { store, folder: None }
}

/// Connects to a database.
pub(crate) async fn connect(settings: &PostgresSettings) -> Result<Store, StoreError> {
    Store::connect(settings, &Sealing::default(), START).await
}

/// How tests connect to a database.
pub(crate) fn settings(url: &str) -> PostgresSettings {
    PostgresSettings { url: Secret::new(url), connections: 6 }
}

/// What a test read, in words.
pub(crate) type Answers = Vec<String>;

/// Makes a test of each function: it runs on both databases, and has to read the same.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        pub(crate) mod on_both {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let sqlite = Box::pin(super::$name(&*crate::sqlite().await)).await;
                eprintln!("SQLite has passed; what follows is PostgreSQL");
                let postgres = Box::pin(super::$name(&*crate::postgres().await)).await;
                for (sqlite, postgres) in sqlite.iter().zip(&postgres) {
                    assert_eq!(sqlite, postgres, "SQLite is on the left");
                }
                assert_eq!(sqlite.len(), postgres.len());
            })+

            /// Does all of it, each in a new store.
            pub(crate) async fn run(new: impl AsyncFn() -> crate::Fresh) {
                $(Box::pin(super::$name(&*new().await)).await;)+
            }
        }
    };
}
pub(crate) use on_both;

/// The answers to questions to a store, each with its question.
macro_rules! answers {
    ($($question:expr),+ $(,)?) => {
        vec![$(format!(
            "{}: {:#?}",
            stringify!($question),
            $question.await.unwrap_or_else(|error| panic!("{}: {error}", stringify!($question)))
        )),+]
    };
}
pub(crate) use answers;

/// Lets what a database may give in any order be compared.
pub(crate) fn sorted<T: std::fmt::Debug>(rows: Vec<T>) -> Vec<String> {
    let mut rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
    rows.sort();
    rows
}

/// Writes in one transaction.
macro_rules! write {
    ($store:expr, |$tx:ident| $body:expr) => {{
        let mut $tx = $store.write().await.expect("a transaction");
        let done = $body;
        $tx.commit().await.expect("it is committed");
        done
    }};
}
pub(crate) use write;

/// A commit, named by one digit.
pub(crate) fn commit(digit: char) -> String {
    std::iter::repeat_n(digit, 40).collect()
}

/// Facts about a line of `path` with this identity, which Ann wrote.
pub(crate) fn facts(identity: &str, path: &str) -> IssueFacts {
    IssueFacts {
        identity: identity.to_owned(),
        path: path.to_owned(),
        line: 7,
        function_name: "run".to_owned(),
        text: "x = 1 / y".to_owned(),
        exception_type: "builtins.ZeroDivisionError".to_owned(),
        origin_commit: Some(commit('a')),
        origin_path: Some(path.to_owned()),
        origin_line: Some(3),
        developer_name: Some("Ann Other".to_owned()),
        developer_email: Some("Ann@example.com".to_owned()),
        authored_at: Some(START - 5),
        commit_summary: Some("Divide".to_owned()),
        reason: "line 7 raised".to_owned(),
        ..IssueFacts::default()
    }
}

/// The same for a line that nobody is blamed for.
pub(crate) fn unblamed(identity: &str, path: &str) -> IssueFacts {
    IssueFacts {
        origin_commit: None,
        origin_path: None,
        origin_line: None,
        developer_name: None,
        developer_email: None,
        authored_at: None,
        commit_summary: None,
        ..facts(identity, path)
    }
}

/// Waits until something that is written in the background is there.
pub(crate) async fn wait_until(what: &str, mut is_there: impl AsyncFnMut() -> bool) {
    for _ in 0..500 {
        if is_there().await {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{what}: not within 5 s");
}

/// One report with some occurrences.
pub(crate) fn seen(occurrences: i64, at: i64) -> Seen {
    Seen { occurrences, only_listed: 0, reports: 1, first_at: at, last_at: at, samples: 0 }
}

/// Makes an issue; returns its number.
pub(crate) async fn issue(store: &Store, facts: &IssueFacts) -> i64 {
    let counted = write!(store, |tx| tx.count_attributed(facts, seen(1, START)).await);
    counted.expect("it is counted").id
}

/// A sample to be kept.
pub(crate) fn new_sample(issue: i64, number: i64, at: i64, body: &[u8]) -> NewSample<'_> {
    NewSample { issue, number, received_at: at, body }
}
