//! Reports over HTTP: who may send them, from where, and what happens to other requests.
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use flawless_base::clock::Clock;
use flawless_protocol::thrift::{
    RecordErrorRequest, ReplyError, decode_reply, encode_ping, encode_record_error,
};
use flawless_server::ingest::{Answerer, BodyLimits, thrift_router};
use flawless_server::intake::Intake;
use flawless_server::intake::clients::ClientsSeen;
use flawless_server::listen::http::{HttpLimits, run_http};
use flawless_server::listen::memory::Memory;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::harness::{App, BEN, NOW, ThriftClient, new_projects, request, wait_until};
use crate::ingest::thrift::refusals;

const CART: [(&str, i64, &str, &str); 1] =
    [("/srv/app/shop/cart.py", 5, "total", "return sum(prices) / len(prices)")];

fn key(app: &App) -> String {
    app.server.app.now().project.keys[0].secret.reveal().to_owned()
}

fn report_with(key: &str) -> RecordErrorRequest {
    RecordErrorRequest { project_key: Some(key.to_owned()), ..request(&CART) }
}

async fn post(app: &App, body: Vec<u8>) -> (u16, Vec<u8>) {
    let url = format!("http://{}/thrift", app.server.http_address);
    let request = reqwest::Client::new().post(url).header("content-type", "application/x-thrift");
    // A host name under which no page would be served.
    let answer = request.header("host", "errors.example.com").body(body).send().await;
    let answer = answer.expect("the server answers");
    let status = answer.status().as_u16();
    if status == 200 {
        assert_eq!(answer.headers()["content-type"], "application/x-thrift");
    }
    (status, answer.bytes().await.expect("a body").to_vec())
}

fn message(request: &RecordErrorRequest) -> Vec<u8> {
    encode_record_error(request, 7).expect("memory")
}

#[tokio::test]
async fn report_with_the_project_key_is_stored_and_mailed() {
    let app = App::start().await;
    let (status, reply) = post(&app, message(&report_with(&key(&app)))).await;
    assert_eq!((status, decode_reply(&reply).expect("accepted").as_str()), (200, "record_error"));
    assert_eq!(app.one_mail().await.to, BEN.1);
    let (status, reply) = post(&app, encode_ping(1).expect("memory")).await;
    assert_eq!((status, decode_reply(&reply).expect("pong").as_str()), (200, "ping"));
}

#[tokio::test]
async fn report_without_the_right_key_is_refused_and_counted() {
    let app = App::start().await;
    let right = key(&app);
    let wrong = [None, Some(String::new()), Some("0".repeat(32)), Some(right[..31].to_owned())];
    for project_key in wrong {
        let report = RecordErrorRequest { project_key, ..request(&CART) };
        let (status, reply) = post(&app, message(&report)).await;
        assert_eq!(status, 401);
        let refused = decode_reply(&reply).expect_err("refused");
        assert!(matches!(refused, ReplyError::KeyRefused(_)), "{refused}");
        assert!(refused.to_string().contains("flawless projects"), "{refused}");
    }
    let expected = [("no project key".to_owned(), 2), ("wrong project key".to_owned(), 2)];
    wait_until("both refusals are counted", async || refusals(&app).await == expected).await;
    let (_, page) = app.get("/check_health").await;
    assert!(page.contains("wrong project key") && !page.contains(&right), "{page}");
    assert!(app.mails().await.is_empty());
}

#[tokio::test]
async fn older_port_takes_reports_without_a_key_but_not_a_wrong_one() {
    let app = App::start().await;
    let mut client = ThriftClient::connect(app.thrift_address()).await;
    let refused = client.record_error(&report_with("nonsense")).await.expect_err("refused");
    assert!(refused.contains("project key"), "{refused}");
    for taken in [report_with(&key(&app)), report_with(""), request(&CART)] {
        assert_eq!(client.record_error(&taken).await, Ok("record_error".into()));
    }
}

#[tokio::test]
async fn body_that_is_not_a_call_is_refused_and_counted() {
    let app = App::with("max_report_bytes", "100000").start().await;
    let whole = message(&report_with(&key(&app)));
    let framed = [&u32::try_from(whole.len()).expect("short").to_be_bytes()[..], &whole].concat();
    for body in [Vec::new(), b"{}".to_vec(), framed] {
        let (status, text) = post(&app, body).await;
        assert_eq!(status, 400);
        assert!(String::from_utf8_lossy(&text).contains("without framing"));
    }
    let (status, reply) = post(&app, whole[..whole.len() - 60].to_vec()).await;
    assert_eq!(status, 400);
    assert!(matches!(decode_reply(&reply), Err(ReplyError::Refused(_))));
    let mut large = report_with(&key(&app));
    large.additional_info = Some("x".repeat(3_000_000));
    let (status, text) = post(&app, message(&large)).await;
    assert_eq!(status, 413, "the sender can read the reason");
    assert!(String::from_utf8_lossy(&text).contains("max_report_bytes"));
    assert_eq!(app.get("/thrift").await.0, 405);
    let expected = [
        ("larger than max_report_bytes".to_owned(), 1),
        ("malformed request".to_owned(), 1),
        ("not a thrift call".to_owned(), 3),
    ];
    wait_until("all refusals are counted", async || refusals(&app).await == expected).await;
}

#[tokio::test]
async fn report_that_cannot_be_stored_is_to_be_sent_again() {
    let app = App::start().await;
    app.server.app.store.close().await;
    let (status, reply) = post(&app, message(&report_with(&key(&app)))).await;
    assert_eq!(status, 503);
    assert!(matches!(decode_reply(&reply), Err(ReplyError::NotKept(_))));
    let url = format!("http://{}/thrift", app.server.http_address);
    let answer = reqwest::Client::new().post(url).body(message(&report_with(&key(&app)))).send();
    assert_eq!(answer.await.expect("an answer").headers()["retry-after"], "5");
}

#[tokio::test]
async fn other_machines_may_report_but_not_see_the_pages() {
    let app = App::start().await;
    let url = format!("http://{}/", app.server.http_address);
    let page = reqwest::Client::new().get(url).header("host", "errors.example.com").send();
    assert_eq!(page.await.expect("an answer").status().as_u16(), 403);
    let (status, _) = post(&app, message(&report_with(&key(&app)))).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn reports_dropped_by_clients_are_counted_by_day_and_shown() {
    let app = App::start().await;
    let (_, page) = app.get("/check_health").await;
    assert!(!page.contains("had to drop"), "{page}");
    for lost_count in [Some(40), Some(2), Some(0), Some(-9), None] {
        app.report(&RecordErrorRequest { lost_count, ..request(&CART) }).await;
    }
    app.settle().await;
    app.clock.advance(86_400_000);
    app.report(&RecordErrorRequest { lost_count: Some(500), ..request(&CART) }).await;
    app.settle().await;
    let losses = app.server.app.store.losses_since(NOW).await.expect("store");
    let losses: Vec<_> = losses.iter().map(|row| (row.occurrences, row.example.as_str())).collect();
    assert_eq!(losses, [(500, "web-01"), (42, "web-01")]);
    let (status, page) = app.get("/check_health").await;
    for expected in ["had to drop", "2026-11-22", "2026-11-23", ">500<", ">42<", "web-01"] {
        assert!(page.contains(expected), "{expected} is missing in {page}");
    }
    assert_eq!(status, 200, "reports lost by a client are not a fault of the server");
}

/// A server for reports only, with short timeouts.
async fn impatient() -> (SocketAddr, flawless_server::intake::IntakeReceiver) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let clock = Clock::system();
    let (intake, incoming) = Intake::new(clock.clone(), Memory::new(1_000_000));
    let clients = Arc::new(ClientsSeen::new(clock.clone()));
    let folder = tempfile::tempdir().expect("a folder");
    let projects = new_projects(&folder, &clock).await;
    let answerer = Answerer { intake, projects, clients };
    let time = Duration::from_millis(100);
    let router: Router =
        thrift_router(answerer, BodyLimits { max_bytes: 1_000, time, trusted_proxies: Vec::new() });
    tokio::spawn(run_http(listener, router, HttpLimits { max_connections: 1, head: time }));
    (address, incoming)
}

#[tokio::test]
async fn slow_and_idle_connections_are_cut_off() {
    let (address, _incoming) = impatient().await;
    let half = b"POST /thrift HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\nhalf";
    let starts = [&b""[..], b"POST /thr", b"POST /thrift HTTP/1.1\r\nHost: x\r\n", half];
    for start in starts {
        // Only one connection is allowed: the next is served because this one was cut off.
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(start).await.expect("sent");
        let mut answer = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer));
        closed.await.expect("cut off").ok();
        let is_timeout = answer.starts_with(b"HTTP/1.1 408");
        assert_eq!(is_timeout, start.ends_with(b"half"), "{:?}", String::from_utf8_lossy(&answer));
    }
}
