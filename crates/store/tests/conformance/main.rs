//! The store does the same on SQLite and on PostgreSQL: each test here runs on both.

mod connect;
mod postgres;
mod projects;

use std::ops::Deref;

use flawless_base::secret::Secret;
use flawless_store::sealing::Sealing;
use flawless_store::{PostgresSettings, Store};
use tempfile::TempDir;

/// A new store, with what it lies in.
pub(crate) struct Fresh {
    store: Store,
    _folder: Option<TempDir>,
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
    Fresh { store, _folder: Some(folder) }
}

/// An empty store in a database of the server that all tests share.
pub(crate) async fn postgres() -> Fresh {
    let database = postgres::shared().database().await;
    let store = Store::connect(&settings(&database.url), &Sealing::default(), START).await;
    Fresh { store: store.expect("it connects"), _folder: None }
}

/// How tests connect to a database.
pub(crate) fn settings(url: &str) -> PostgresSettings {
    PostgresSettings { url: Secret::new(url), connections: 6 }
}

/// Makes two tests of each function: one for each database.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                Box::pin(super::$name(&*crate::sqlite().await)).await;
            })+
        }

        mod postgres {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                Box::pin(super::$name(&*crate::postgres().await)).await;
            })+
        }
    };
}
pub(crate) use on_both;

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
