//! A disk that is really full: no accepted report is lost, refused ones are counted, and the server
//! recovers by itself once there is space.
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{
    ServerProcess, SmallDisk, SmtpServer, TestRepository, ThriftClient, free_port, get, python,
    request, server_options, wait_until,
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_flawless");

struct Setup {
    disk: SmallDisk,
    options: Vec<String>,
    port: u16,
    http_port: u16,
    smtp: SmtpServer,
    _repository: TestRepository,
}

impl Setup {
    fn new() -> Self {
        let disk = SmallDisk::of_megabytes(8);
        let (repository, smtp) = (TestRepository::shop(), SmtpServer::start());
        let (port, http_port) = (free_port(), free_port());
        let options = server_options(disk.path(), &repository, &smtp, (port, http_port), 1);
        Self { disk, options, port, http_port, smtp, _repository: repository }
    }

    async fn start(&self) -> ServerProcess {
        let command = self.disk.command(PROGRAM);
        let server = ServerProcess::start_with(command, &self.options, self.port).await;
        // It listens before it has opened the database.
        assert_eq!(self.health().await.0, 200);
        server
    }

    async fn connect(&self) -> ThriftClient {
        ThriftClient::connect(([127, 0, 0, 1], self.port).into()).await
    }

    async fn health(&self) -> (u16, Value) {
        let url = format!("http://127.0.0.1:{}/check_health.json", self.http_port);
        let (status, text) = get(&url).await;
        (status, serde_json::from_str(&text).expect("JSON"))
    }

    /// Refused reports, as counted in the database.
    fn written_down(&self) -> i64 {
        let script = "import sqlite3, sys
query = \"SELECT COALESCE(SUM(reports), 0) FROM outcome WHERE reason = 'could not be stored'\"
print(sqlite3.connect(sys.argv[1]).execute(query).fetchone()[0])";
        let mut command = self.disk.command(python().to_str().expect("text"));
        command.args(["-c", script]).arg(self.disk.path().join("data/flawless.db"));
        let output = command.output().expect("python runs");
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
    }

    /// What the command `issues` counts.
    fn counted(&self) -> i64 {
        let mut command = self.disk.command(PROGRAM);
        let output = command.args(["issues", "--json"]).args(&self.options).output();
        let output = output.expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let issue = |line| serde_json::from_str::<Value>(line).expect("JSON");
        text.lines().map(|line| issue(line)["error_count"].as_i64().expect("a count")).sum()
    }
}

fn part<'a>(health: &'a Value, name: &str) -> &'a Value {
    let parts = health["parts"].as_array().expect("a list");
    parts.iter().find(|part| part["name"] == name).expect("the part")
}

/// Refused reports, as counted on the page Health.
fn not_stored(health: &Value) -> i64 {
    let kinds = health["outcomes"].as_array().expect("a list");
    let refused = kinds.iter().find(|kind| kind["kind"] == "refused").expect("the kind");
    let reasons = refused["reasons"].as_array().expect("a list");
    let reason = reasons.iter().find(|reason| reason["reason"] == "could not be stored");
    reason.map_or(0, |reason| reason["reports"].as_i64().expect("a number"))
}

/// Twenty values that cannot be compressed; each `n` makes another traceback.
fn large_report(n: u32) -> flawless_protocol::thrift::RecordErrorRequest {
    let function = format!("call_{n}");
    let line = ("/srv/app/shop/cart.py", 5, function.as_str(), "return sum(prices) / len(prices)");
    let mut report = request(&[line]);
    let mut random = u64::from(n) + 1;
    let value = |_| {
        let digit = |_| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'!' + (random >> 57) as u8 % 90)
        };
        (0..4_000).map(digit).collect::<String>()
    };
    let values = (0..20).map(|v| format!("v{v}")).zip((0..20).map(value).collect::<Vec<_>>());
    report.traceback[0].frame_locals = Some(values.collect());
    report
}

#[tokio::test(flavor = "multi_thread")]
async fn full_disk_loses_nothing_and_recovers_once_there_is_space() {
    let setup = Setup::new();
    let mut server = setup.start().await;
    let mut client = setup.connect().await;
    let (mut accepted, mut refused) = (0, 0);
    for n in 0..3 {
        client.record_error(&large_report(n)).await.expect("there is space");
        accepted += 1;
    }
    wait_until("the alert is sent", async || !setup.smtp.mails().is_empty()).await;
    setup.disk.fill();
    // Reports that still fit into the journal of the database are accepted.
    for n in 3.. {
        match client.record_error(&large_report(n)).await {
            Ok(_) => accepted += 1,
            Err(why) => {
                assert!(why.contains("cannot store reports at the moment"), "{why}");
                refused += 1;
            }
        }
        if refused == 20 {
            break;
        }
        assert!(n < 1_000, "the disk is full");
    }
    let (status, health) = setup.health().await;
    assert_eq!((status, not_stored(&health)), (503, refused), "{health}");
    let store = part(&health, "store");
    assert!(store["ok"] == false && store["text"].as_str().expect("text").contains("is full"));
    let (_, page) = get(&format!("http://127.0.0.1:{}/check_health", setup.http_port)).await;
    assert!(page.contains("could not be stored") && page.contains("Reports are refused"), "{page}");

    setup.disk.make_room();
    wait_until("it recovers by itself", async || setup.health().await.0 == 200).await;
    for n in 0..5 {
        client.record_error(&large_report(n)).await.expect("there is space again");
        accepted += 1;
    }
    wait_until("all accepted reports are counted", async || setup.counted() == accepted).await;
    assert_eq!(not_stored(&setup.health().await.1), refused, "counted once each");
    assert_eq!(setup.smtp.mails().len(), 1, "notified once");

    server.kill();
    let _server = setup.start().await;
    assert_eq!(not_stored(&setup.health().await.1), refused, "and they are stored");
    assert_eq!((setup.counted(), setup.smtp.mails().len()), (accepted, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn refusal_is_stored_once_there_is_space_without_other_events() {
    let setup = Setup::new();
    let _server = setup.start().await;
    setup.disk.fill();
    let mut client = setup.connect().await;
    let mut n = 0;
    while client.record_error(&large_report(n)).await.is_ok() {
        n += 1;
    }
    assert_eq!(setup.written_down(), 0);
    setup.disk.make_room();
    wait_until("the refusal is stored", async || setup.written_down() == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn start_on_a_full_disk_says_so_and_accuses_no_sound_database() {
    let setup = Setup::new();
    start_on_full_disk(&setup).await;
    let mut server = setup.start().await;
    setup.connect().await.record_error(&large_report(0)).await.expect("there is space");
    wait_until("the report is counted", async || setup.counted() == 1).await;
    server.kill();
    start_on_full_disk(&setup).await;
    setup.start().await.stop().await;
    start_on_full_disk(&setup).await;
    let _server = setup.start().await;
    assert_eq!(setup.counted(), 1);
}

/// Whether the database can be opened at all depends on its journal; in either case the message is
/// that the disk is full, and a server that runs recovers once there is space.
async fn start_on_full_disk(setup: &Setup) {
    setup.disk.fill();
    let log = tempfile::NamedTempFile::new().expect("a file");
    let mut command = setup.disk.command(PROGRAM);
    command.arg("start").args(&setup.options).stdin(Stdio::null()).stdout(Stdio::null());
    let mut child = command.stderr(log.reopen().expect("a file")).spawn().expect("it starts");
    let said = || std::fs::read_to_string(log.path()).expect("text");
    wait_until("it is said", async || said().contains("the disk that holds data_dir_path is full"))
        .await;
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], setup.port));
    let mut has_ended = None;
    wait_until("the server has ended, or runs", async || {
        has_ended = child.try_wait().expect("a child");
        has_ended.is_some() || tokio::net::TcpStream::connect(address).await.is_ok()
    })
    .await;
    setup.disk.make_room();
    match has_ended {
        Some(status) => assert_eq!(status.code(), Some(1)),
        None => {
            wait_until("it recovers by itself", async || setup.health().await.0 == 200).await;
            child.kill().expect("SIGKILL");
            child.wait().expect("ended");
        }
    }
    assert!(!said().contains("backup") && !said().contains("start from scratch"), "{}", said());
}
