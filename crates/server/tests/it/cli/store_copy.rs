//! `flawless store copy`, also when it is killed in the middle.
use std::path::Path;
use std::process::{Child, Command, Stdio};

use flawless_base::secret::Secret;
use flawless_store::sealing::Sealing;
use flawless_store::{PostgresSettings, Store};

use crate::harness::{
    App, HeldTable, NOW, flawless, on_postgres, postgres, request, stderr, stdout, wait_until,
};

/// Starts a copy.
fn copy(folder: &Path, from: &str, to: &str) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flawless"));
    command.args(["store", "copy", "--from", from, "--to", to]).current_dir(folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("it runs")
}

async fn connect(url: &str) -> Store {
    let settings = PostgresSettings { url: Secret::new(url), connections: 2 };
    Store::connect(&settings, &Sealing::default(), NOW).await.expect("a store")
}

async fn issues(store: &Store) -> usize {
    store.issues_between(0, i64::MAX / 2).await.expect("store").len()
}

#[tokio::test(flavor = "multi_thread")]
async fn copy_that_is_killed_leaves_nothing_behind_and_is_complete_when_it_is_repeated() {
    let app = App::start().await;
    app.report(&request(&[("/srv/app/shop/cart.py", 5, "total", "x")])).await;
    app.report(&request(&[("/srv/app/shop/web.py", 2, "handle", "return cart.total()")])).await;
    app.settle().await;
    let (folder, clone) = (app.folder.path().to_owned(), app.folder.path().join("clone"));
    let server = postgres::shared();
    let original = match on_postgres() {
        true => {
            app.server.app.config.database.clone().expect("it is there").url.reveal().to_owned()
        }
        false => format!("sqlite:{}", folder.join("data").display()),
    };
    app.server.stop().await;
    // To PostgreSQL; the copy writes when it is killed.
    let database = server.database();
    drop(connect(&database.url).await);
    let held = HeldTable::hold(&database, "sample", "EXCLUSIVE");
    let mut killed = copy(&folder, &original, &database.url);
    wait_until("it is in the middle", async || held.is_waited_for()).await;
    killed.kill().expect("SIGKILL");
    killed.wait().expect("it ends");
    drop(held);
    assert_eq!(issues(&connect(&database.url).await).await, 0);
    let repeat = ["store", "copy", "--from", &original, "--to", &database.url];
    let whole = stdout(&flawless(&folder, &repeat));
    assert!(whole.contains("rows are the same on both sides"), "{whole}");
    assert_eq!(stdout(&flawless(&folder, &repeat)), whole, "now it is only compared");
    // And back, into a folder.
    let back = format!("sqlite:{}", clone.display());
    let held = HeldTable::hold(&database, "sample", "ACCESS EXCLUSIVE");
    let mut killed = copy(&folder, &database.url, &back);
    wait_until("it is in the middle", async || held.is_waited_for()).await;
    killed.kill().expect("SIGKILL");
    killed.wait().expect("it ends");
    drop(held);
    let store = Store::open(&clone, &Sealing::default(), NOW).await.expect("it opens");
    assert_eq!(issues(&store).await, 0);
    store.close().await;
    let repeat = ["store", "copy", "--from", &database.url, "--to", &back];
    assert_eq!(stdout(&flawless(&folder, &repeat)), whole);
    let store = Store::open(&clone, &Sealing::default(), NOW).await.expect("it opens");
    assert_eq!(issues(&store).await, 2);
    // What is there already is not overwritten.
    let other = server.database();
    drop(connect(&other.url).await);
    let refused = flawless(&folder, &["store", "copy", "--from", &other.url, "--to", &back]);
    let text = stderr(&refused);
    assert!(!refused.status.success() && text.contains("the target is not empty"), "{text}");
}
