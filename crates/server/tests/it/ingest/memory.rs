//! The memory of reports is bounded by their decoded size, not by their size on the wire, and is
//! given back.
use std::sync::Arc;

use flawless_protocol::thrift::{
    ChainedException, RecordErrorRequest, StackLine, encode_record_error,
};

use crate::harness::{
    ServerProcess, SmtpServer, TestRepository, ThriftClient, free_port, get, request,
    server_options, wait_until,
};

/// Kilobytes, from a line of `/proc/PID/status`.
fn kilobytes(server: &ServerProcess, what: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix(what)).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// 25 kB that grow to many times as much: empty stack lines.
fn empty_lines() -> Vec<u8> {
    let exception = ChainedException {
        traceback: vec![StackLine::default(); 400],
        ..ChainedException::default()
    };
    let report = RecordErrorRequest {
        traceback: vec![StackLine::default(); 5_000],
        chain: vec![exception; 50],
        ..RecordErrorRequest::default()
    };
    let message = encode_record_error(&report, 7).expect("memory");
    assert!((25_000..28_000).contains(&message.len()), "{}", message.len());
    message
}

/// Every stack line has one short variable, which needs a map of its own.
fn lonely_variables() -> Vec<u8> {
    let line = StackLine {
        frame_locals: Some([("a".to_owned(), String::new())].into()),
        before: vec![String::new()],
        ..StackLine::default()
    };
    let report =
        RecordErrorRequest { traceback: vec![line; 1_000], ..RecordErrorRequest::default() };
    encode_record_error(&report, 7).expect("memory")
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_of_growing_reports_stays_bounded_and_is_given_back() {
    let (repository, smtp) = (TestRepository::shop(), SmtpServer::start());
    let folder = tempfile::tempdir().expect("a folder");
    let (port, http_port) = (free_port(), free_port());
    let options = server_options(folder.path(), &repository, &smtp, (port, http_port), 1);
    let server = ServerProcess::start(&options, port).await;
    let health = format!("http://127.0.0.1:{http_port}/check_health");
    assert_eq!(get(&health).await.0, 200);
    for (message, connections) in [(empty_lines(), 2_000), (lonely_variables(), 400)] {
        let message = Arc::new(message);
        let mut clients = Vec::new();
        for _ in 0..connections {
            clients.push(ThriftClient::connect(([127, 0, 0, 1], port).into()).await);
        }
        let sending = clients.into_iter().map(|mut client| {
            let message = message.clone();
            tokio::spawn(async move {
                client.send_frame(&message).await;
                client.read_frame().await.expect("an answer");
            })
        });
        for client in sending.collect::<Vec<_>>() {
            client.await.expect("no panic");
        }
        let most = kilobytes(&server, "VmHWM:");
        assert!(most < 256 * 1024, "{most} kB");
        // The pages of the program itself are not counted.
        wait_until("it is given back", async || kilobytes(&server, "RssAnon:") < 30 * 1024).await;
    }
    let mut client = ThriftClient::connect(([127, 0, 0, 1], port).into()).await;
    let report = request(&[("/srv/app/shop/cart.py", 5, "total", "x")]);
    client.record_error(&report).await.expect("others are served");
}
