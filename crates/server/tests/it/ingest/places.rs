//! Places, memory and turns are shared by peer: a peer that takes many of them keeps nobody out.
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::harness::{
    App, PATIENCE, ServerProcess, SmtpServer, TestRepository, ThriftClient, free_port, request,
    server_options, wait_until,
};
use crate::ingest::thrift::refusals;

const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];
/// Much less than the time limits of a frame and of a silent connection.
const SOON: Duration = Duration::from_secs(5);

/// A connection from another address of this machine.
async fn connect_from(last: u8, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, last], 0).into()).expect("loopback has many addresses");
    socket.connect(to).await.expect("it listens")
}

async fn report(stream: TcpStream) -> Result<String, String> {
    let mut client = ThriftClient { stream };
    timeout(SOON, client.record_error(&request(&CART))).await.expect("an answer, soon")
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_by_the_thousand_keep_nobody_out() {
    let app = App::start().await;
    let thrift = app.thrift_address();
    let mut silent = Vec::new();
    for _ in 0..4_096 {
        silent.push(connect_from(2, thrift).await);
    }
    let mut kept = connect_from(3, thrift).await;
    for last in [2, 3, 4] {
        assert_eq!(report(connect_from(last, thrift).await).await, Ok("record_error".into()));
    }
    let mut first = silent.remove(0);
    assert_eq!(timeout(PATIENCE, first.read(&mut [0])).await.expect("it gave way").ok(), Some(0));
    // A connection of a peer that has few stays.
    assert!(timeout(Duration::from_millis(200), kept.read(&mut [0])).await.is_err());
    assert_eq!(report(kept).await, Ok("record_error".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_give_way_when_handles_run_out() {
    let (repository, smtp) = (TestRepository::shop(), SmtpServer::start());
    let folder = tempfile::tempdir().expect("a folder");
    let (port, http_port) = (free_port(), free_port());
    let options = server_options(folder.path(), &repository, &smtp, (port, http_port), 1);
    let mut few_handles = Command::new("sh");
    few_handles.args(["-c", "ulimit -Hn 128; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_flawless")]);
    let _server = ServerProcess::start_with(few_handles, &options, port).await;
    let thrift = SocketAddr::from(([127, 0, 0, 1], port));
    let mut silent = Vec::new();
    for _ in 0..300 {
        silent.push(connect_from(2, thrift).await);
    }
    for _ in 0..3 {
        assert_eq!(report(connect_from(3, thrift).await).await, Ok("record_error".into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trickling_connections_give_way_on_both_ports() {
    let app = App::with("max_connections", "32").start().await;
    let (thrift, http) = (app.thrift_address(), app.server.http_address);
    let mut trickling = Vec::new();
    for _ in 0..32 {
        let mut one = connect_from(2, thrift).await;
        one.write_all(b"\x00\x00\x10\x00abc").await.expect("sent");
        let mut other = connect_from(2, http).await;
        let head = b"POST /sign_in HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf";
        other.write_all(head).await.expect("sent");
        trickling.extend([one, other]);
    }
    assert_eq!(report(connect_from(3, thrift).await).await, Ok("record_error".into()));
    let (status, _) = timeout(SOON, app.get("/")).await.expect("a page, soon");
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn stalled_large_frames_delay_no_large_frame_of_another() {
    let app = App::start().await;
    let thrift = app.thrift_address();
    let mut stalled = Vec::new();
    for _ in 0..48 {
        let mut one = connect_from(2, thrift).await;
        one.write_all(&3_000_000_u32.to_be_bytes()).await.expect("sent");
        one.write_all(&vec![0; 200_000]).await.expect("sent");
        stalled.push(one);
    }
    let mut large = request(&CART);
    large.additional_info = Some("x".repeat(500_000));
    let mut client = ThriftClient { stream: connect_from(3, thrift).await };
    let answer = timeout(SOON, client.record_error(&large)).await.expect("an answer, soon");
    assert_eq!(answer, Ok("record_error".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn peer_over_the_memory_limit_waits_and_others_are_served() {
    let app = App::with("memory_limit", "8000000").with("max_report_bytes", "2000000");
    let app = app.start().await;
    let thrift = app.thrift_address();
    // Nearly as much as one address may take, and held.
    let mut holding = Vec::new();
    for bytes in [1_200_000, 500_000] {
        let mut one = connect_from(2, thrift).await;
        one.write_all(&2_000_000_u32.to_be_bytes()).await.expect("sent");
        one.write_all(&vec![0; bytes]).await.expect("sent");
        holding.push(one);
    }
    let memory = app.server.app.running.get().expect("it runs").intake.memory().clone();
    wait_until("the memory is held", async || memory.held() >= 2_500_000).await;
    let mut large = request(&CART);
    large.additional_info = Some("x".repeat(900_000));
    let mut greedy = ThriftClient { stream: connect_from(2, thrift).await };
    let why = timeout(SOON, greedy.record_error(&large)).await.expect("an answer, soon");
    let why = why.expect_err("there is no memory for it");
    assert!(why.contains("could not keep it") && why.contains("memory_limit"), "{why}");
    assert_eq!(report(greedy.stream).await, Ok("record_error".into()), "a small one");
    let mut other = ThriftClient { stream: connect_from(3, thrift).await };
    let answer = timeout(SOON, other.record_error(&large)).await.expect("an answer, soon");
    assert_eq!(answer, Ok("record_error".into()));
    drop(holding);
    wait_until("the memory is given back", async || memory.held() == 0).await;
    wait_until("the refusal is counted", async || {
        let refused = refusals(&app).await;
        refused
            .iter()
            .any(|(why, reports)| why == "over memory_limit for a moment" && *reports == 1)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn report_that_alone_takes_too_much_is_refused_for_good() {
    let app = App::with("memory_limit", "80000").with("max_report_bytes", "20000").start().await;
    let line = flawless_protocol::thrift::StackLine::default();
    let mut hostile = request(&CART);
    hostile.traceback.extend(vec![line; 1_000]);
    let mut client = ThriftClient::connect(app.thrift_address()).await;
    let why = client.record_error(&hostile).await.expect_err("it never fits");
    assert!(why.contains("the server refuses the message"), "a client drops it: {why}");
    assert_eq!(report(client.stream).await, Ok("record_error".into()));
}
