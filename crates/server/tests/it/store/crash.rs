//! `kill -9` under load: no accepted report is lost, nobody is notified twice, and no
//! notification is forgotten.
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::harness::{
    Mail, ServerProcess, SmtpServer, TestRepository, ThriftClient, free_port, on_postgres,
    postgres, request, server_options, wait_until,
};

const ROUNDS: usize = 6;
const CLIENTS: usize = 8;
const LINES: i64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn kill_under_load_loses_nothing_and_notifies_nobody_twice() {
    let repository = TestRepository::empty();
    let mut lines = String::new();
    for line in 1..=LINES {
        // Each line has its own author, who is notified immediately.
        let developer = ("Dev", format!("dev{line}@example.com").leak() as &str);
        lines += &format!("fail({line})\n");
        repository.commit(developer, "2026-06-01", "a line", &[("shop/lines.py", &lines)]);
    }
    let smtp = SmtpServer::start();
    let folder = tempfile::tempdir().expect("a folder");
    let (port, http_port) = (free_port(), free_port());
    let mut options = server_options(folder.path(), &repository, &smtp, (port, http_port), 2);
    if on_postgres() {
        let url = postgres::shared().database().url;
        options.extend(["--set".to_owned(), format!("database_url={url}")]);
    }
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let accepted: Arc<Vec<AtomicI64>> = Arc::new((0..=LINES).map(|_| AtomicI64::new(0)).collect());
    let unanswered = Arc::new(AtomicI64::new(0));

    let sum_of = |accepted: &Vec<AtomicI64>| -> i64 {
        accepted.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    };

    for round in 0..ROUNDS {
        let before = sum_of(&accepted);
        let mut server = ServerProcess::start(&options, port).await;
        let load: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (accepted, unanswered) = (accepted.clone(), unanswered.clone());
                tokio::spawn(async move {
                    // The server may be killed before it has accepted the connection.
                    let Ok(stream) = TcpStream::connect(address).await else { return };
                    let mut connection = ThriftClient { stream };
                    for n in 0.. {
                        let line = (client as i64 * 7 + n) % LINES + 1;
                        let text = format!("fail({line})");
                        let frame = ("/srv/app/shop/lines.py", line, "<module>", text.as_str());
                        if connection.record_error(&request(&[frame])).await.is_err() {
                            unanswered.fetch_add(1, Ordering::Relaxed);
                            break;
                        }
                        accepted[line as usize].fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        // Each line gets its turn, however slow the machine is.
        let enough = before + 2 * LINES;
        wait_until("the server is under load", async || sum_of(&accepted) >= enough).await;
        // Each round kills at another moment: during attribution, composing, sending, counting.
        tokio::time::sleep(Duration::from_millis(60 + 130 * round as u64)).await;
        server.kill();
        for client in load {
            client.await.expect("no panic");
        }
    }

    let _server = ServerProcess::start(&options, port).await;
    let issues = || {
        let output = Command::new(env!("CARGO_BIN_EXE_flawless"))
            .args(["issues", "--json"])
            .args(&options)
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        let count = |issue: serde_json::Value| {
            (
                issue["line_number"].as_i64().expect("a line"),
                issue["error_count"].as_i64().expect("a count"),
            )
        };
        lines.map(count).collect::<HashMap<i64, i64>>()
    };
    let sum = sum_of(&accepted);
    wait_until("everything is attributed", async || {
        let ids: HashSet<String> = smtp.mails().into_iter().map(|mail| mail.message_id).collect();
        ids.len() >= LINES as usize && issues().values().sum::<i64>() >= sum
    })
    .await;
    let counted = issues();
    for (line, accepted) in accepted.iter().enumerate().skip(1) {
        let counted = counted.get(&(line as i64)).copied().unwrap_or_default();
        let accepted = accepted.load(Ordering::Relaxed);
        assert!(counted >= accepted, "line {line}: {accepted} accepted, {counted} counted");
    }
    let extra = counted.values().sum::<i64>() - sum;
    let unanswered = unanswered.load(Ordering::Relaxed);
    assert!(extra <= unanswered, "{extra} more than accepted, {unanswered} were not answered");

    // A kill between the mail server's acceptance of a mail and its answer repeats that one mail,
    // whole and under the same Message-ID, which mail programs show once. Nothing else repeats.
    let mails = smtp.mails();
    let first_line = |mail: &Mail| mail.text.lines().nth(2).unwrap_or_default().to_owned();
    let ids: HashSet<&str> = mails.iter().map(|mail| mail.message_id.as_str()).collect();
    let lines: HashSet<String> = mails.iter().map(first_line).collect();
    assert_eq!((ids.len(), lines.len()), (LINES as usize, LINES as usize), "one mail for a line");
    assert!(
        mails.len() - ids.len() <= ROUNDS,
        "{} repeated in {ROUNDS} kills",
        mails.len() - ids.len()
    );
}
