//! A network that swallows everything without a word, and statements that fail.
use std::path::PathBuf;
use std::time::{Duration, Instant};

use flawless_base::secret::Secret;
use flawless_store::Store;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

use crate::{Answers, START, answers, connect, on_both, postgres, settings};

on_both!(transaction_with_a_failed_statement_is_not_committed);

async fn transaction_with_a_failed_statement_is_not_committed(store: &Store) -> Answers {
    let mut tx = store.write().await.expect("a transaction");
    tx.add_loss(1, START, "").await.expect("it is counted");
    tx.add_key(&Secret::new("key"), "", START).await.expect("it is added");
    tx.add_key(&Secret::new("key"), "", START).await.expect_err("it is there");
    let error = tx.commit().await.expect_err("nothing is changed");
    assert!(!error.is_temporary(), "{error}");
    assert!(error.to_string().contains("a statement of this transaction failed"), "{error}");
    let mut tx = store.write().await.expect("a transaction");
    tx.counted(9).await.expect_err("there is none, which is not a failure");
    tx.add_loss(2, START, "").await.expect("it is counted");
    tx.commit().await.expect("it is committed");
    store.write().await.expect("a transaction").commit().await.expect("of nothing");
    answers![store.losses_since(START), store.all_keys()]
}

/// Passes bytes between clients and the server, until it is told to swallow them.
struct Network {
    port: u16,
    swallows: watch::Sender<bool>,
}

impl Network {
    async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let (swallows, is_broken) = watch::channel(false);
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.expect("a client");
                let server = UnixStream::connect(&socket).await.expect("the server runs");
                tokio::spawn(pass(client, server, is_broken.clone()));
            }
        });
        Self { port, swallows }
    }
}

async fn pass(mut client: TcpStream, mut server: UnixStream, mut swallows: watch::Receiver<bool>) {
    let passing = tokio::io::copy_bidirectional(&mut client, &mut server);
    let broken = async { drop(swallows.wait_for(|swallows| *swallows).await) };
    tokio::select! {
        // First, so that nothing passes that is sent after the network broke.
        biased;
        // Neither side hears of it.
        () = broken => std::future::pending().await,
        _ = passing => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_are_given_up() {
    let server = postgres::shared();
    let database = server.database();
    let network = Network::to(server.socket()).await;
    let url = format!("postgres://postgres@127.0.0.1:{}/{}", network.port, database.name);
    let store = connect(&settings(&url)).await.expect("it connects");
    store.projects().await.expect("projects");
    let mut first = store.write().await.expect("a transaction");
    first.touch(START).await.expect("it can be written to");
    let mut second = store.of(7).write().await.expect("a transaction");
    second.enter(2);
    network.swallows.send_replace(true);
    let began = Instant::now();
    let answer = tokio::time::timeout(Duration::from_secs(1), first.touch(START)).await;
    assert!(answer.is_err(), "nobody answers");
    let answer = tokio::time::timeout(Duration::from_secs(1), store.projects()).await;
    assert!(answer.is_err(), "nobody answers");
    drop((first, second));
    // The network is whole again, but not for the connections that there are.
    network.swallows.send_replace(false);
    while began.elapsed() < Duration::from_secs(60) {
        let written = async {
            let mut tx = store.of(3).write().await?;
            // Not what the first one has locked: the server does not know yet that it is gone.
            tx.note_administrator(START).await?;
            tx.commit().await
        };
        match written.await {
            Ok(()) => break,
            Err(error) => assert!(error.is_temporary(), "{error:?}"),
        }
    }
    assert!(began.elapsed() < Duration::from_secs(30), "it took {:?}", began.elapsed());
    assert_eq!(store.projects().await.expect("projects").len(), 1);
}
