//! The port for reports: many clients, slow ones, broken ones, and peers that are not clients.
use std::sync::Arc;
use std::time::Duration;

use flawless_base::clock::Clock;
use flawless_protocol::thrift::encode_record_error;
use flawless_server::ingest::{Answerer, ThriftLimits, run_thrift};
use flawless_server::intake::Intake;
use flawless_server::intake::clients::ClientsSeen;
use flawless_server::listen::memory::Memory;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{App, NOW, ThriftClient, new_projects, request, wait_until};

const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];

/// A call without arguments, as the binary protocol writes it.
fn call(method: &str) -> Vec<u8> {
    let mut frame = vec![0x80, 1, 0, 1, 0, 0, 0, u8::try_from(method.len()).expect("short")];
    frame.extend_from_slice(method.as_bytes());
    frame.extend_from_slice(&[0, 0, 0, 9, 0]);
    frame
}

pub async fn refusals(app: &App) -> Vec<(String, i64)> {
    let outcomes = app.server.app.store.outcomes_since(NOW).await.expect("store");
    let refused = outcomes.into_iter().filter(|outcome| outcome.kind == "refused");
    let mut refused: Vec<_> = refused.map(|outcome| (outcome.reason, outcome.reports)).collect();
    refused.sort();
    refused
}

#[tokio::test]
async fn connection_carries_many_calls_and_answers_each_with_its_id() {
    let app = App::start().await;
    let mut client = ThriftClient::connect(app.thrift_address()).await;
    for _ in 0..3 {
        client.send_frame(&call("ping")).await;
        let pong = client.read_frame().await.expect("an answer");
        assert_eq!(
            pong,
            b"\x80\x01\x00\x02\x00\x00\x00\x04ping\x00\x00\x00\x09\x02\x00\x00\x01\x00"
        );
        assert_eq!(client.record_error(&request(&CART)).await, Ok("record_error".into()));
    }
    client.send_frame(&call("shutdown")).await;
    let answer = client.read_frame().await.expect("an answer");
    let text = String::from_utf8_lossy(&answer).into_owned();
    assert!(text.contains("Unknown function shutdown"), "{text}");
    app.settle().await;
    let (_, page) = app.get("/").await;
    assert!(page.contains("<span class=\"count\">3</span>"), "{page}");
}

#[tokio::test]
async fn non_report_is_refused_and_counted_at_no_cost_to_others() {
    let app = App::with("max_report_bytes", "100000").start().await;
    let address = app.thrift_address();
    for start in [&b"GET / HTTP/1.1\r\n\r\n"[..], b"\x16\x03\x01\x02\x00\x01", b"\xff\xff\xff\xff"]
    {
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(start).await.expect("sent");
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.is_empty(), "closed without an answer");
    }
    let mut garbage = ThriftClient::connect(address).await;
    garbage.send_frame(b"\x00\x00\x00\x00garbage").await;
    assert_eq!(garbage.read_frame().await, None);
    // Known method, broken arguments: the client gets an error.
    let mut broken = ThriftClient::connect(address).await;
    let whole = encode_record_error(&request(&CART), 1).expect("memory");
    broken.send_frame(&whole[..whole.len() - 20]).await;
    assert!(broken.read_frame().await.is_some_and(|reply| reply[3] == 3), "an exception");
    let mut large = request(&CART);
    large.additional_info = Some("x".repeat(200_000));
    let mut client = ThriftClient::connect(address).await;
    let why = client.record_error(&large).await.expect_err("too large");
    assert!(why.contains("the server refuses the message: the report is larger"), "{why}");
    client.record_error(&request(&CART)).await.expect("the connection goes on");
    // A frame cut off in the middle.
    let mut cut = TcpStream::connect(address).await.expect("it listens");
    cut.write_all(b"\x00\x00\x10\x00abc").await.expect("sent");
    drop(cut);
    app.report(&request(&CART)).await;
    let expected = [
        ("HTTP on the thrift port", 1),
        ("TLS on the thrift port", 1),
        ("cut off within a frame", 1),
        ("larger than max_report_bytes", 2),
        ("malformed request", 1),
        ("not a thrift call", 1),
    ]
    .map(|(reason, count)| (reason.to_owned(), count));
    wait_until("all refusals are counted", async || refusals(&app).await == expected).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_simultaneous_connections_are_all_answered() {
    let app = App::start().await;
    let address = app.thrift_address();
    let mut clients = Vec::new();
    for _ in 0..2_000 {
        clients.push(ThriftClient::connect(address).await);
    }
    let reports = clients
        .into_iter()
        .map(|mut client| tokio::spawn(async move { client.record_error(&request(&CART)).await }));
    for report in reports.collect::<Vec<_>>() {
        assert_eq!(report.await.expect("no panic"), Ok("record_error".into()));
    }
    app.settle().await;
    let (_, page) = app.get("/").await;
    assert!(
        page.contains("<span class=\"count\">2\u{202f}000</span>"),
        "every report counts: {page}"
    );
    assert_eq!(app.mails().await.len(), 1);
}

#[tokio::test]
async fn slow_and_idle_connections_are_cut_off() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let clock = Clock::system();
    let (intake, incoming) = Intake::new(clock.clone(), Memory::new(1_000_000));
    let limits = ThriftLimits {
        max_frame: 1_000,
        max_connections: 1,
        idle: Duration::from_millis(100),
        frame: Duration::from_millis(100),
    };
    let clients = Arc::new(ClientsSeen::new(clock.clone()));
    let folder = tempfile::tempdir().expect("a folder");
    let projects = new_projects(&folder, &clock).await;
    let answerer = Answerer { intake, projects, clients };
    tokio::spawn(run_thrift(listener, answerer, limits));
    for start in [&b""[..], b"\x00", b"\x00\x00\x00\x20half"] {
        // Only one connection is allowed: the next is served because this one was cut off.
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(start).await.expect("sent");
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut rest));
        closed.await.expect("cut off").ok();
        assert!(rest.is_empty());
    }
    incoming.wait().await;
    assert_eq!(incoming.refusals().of(1).len(), 1, "the slow one was refused");
}
