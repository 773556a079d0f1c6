//! A server in a process of its own, so that it can be killed.
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::net::TcpStream;

use super::{SmtpServer, TestRepository, wait_until};

/// Dropping it ends the process.
pub struct ServerProcess(Child);

impl ServerProcess {
    /// Starts with these options and waits until this port is open.
    pub async fn start(options: &[String], port: u16) -> Self {
        Self::start_with(Command::new(env!("CARGO_BIN_EXE_flawless")), options, port).await
    }

    /// The same with a command that starts the program through another one.
    pub async fn start_with(mut command: Command, options: &[String], port: u16) -> Self {
        let child =
            command.arg("start").args(options).stdout(Stdio::null()).spawn().expect("it starts");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        wait_until("the server listens", async || TcpStream::connect(address).await.is_ok()).await;
        Self(child)
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Sends SIGTERM as soon as the server handles it, and expects an orderly end.
    pub async fn stop(mut self) {
        const SIGTERM: u64 = 1 << 14;
        let status = format!("/proc/{}/status", self.id());
        wait_until("the server handles signals", async || {
            let text = std::fs::read_to_string(&status).expect("it runs");
            let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let caught = u64::from_str_radix(caught.expect("a line").trim(), 16);
            caught.expect("a mask") & SIGTERM != 0
        })
        .await;
        let kill = Command::new("kill").arg(self.id().to_string()).status().expect("kill runs");
        assert!(kill.success() && self.0.wait().expect("ended").success());
    }

    /// Sends SIGKILL: the server has no time to save anything.
    pub fn kill(&mut self) {
        self.0.kill().expect("SIGKILL");
        self.0.wait().expect("ended");
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Options of a server that keeps its data in this folder.
pub fn server_options(
    folder: &Path,
    repository: &TestRepository,
    smtp: &SmtpServer,
    (port, http_port): (u16, u16),
    report_error_threshold: u32,
) -> Vec<String> {
    let options = [
        format!("port={port}"),
        format!("http_port={http_port}"),
        format!("data_dir_path={}", folder.join("data").display()),
        format!("repo_dir={}", repository.dir().display()),
        format!("smtp_host={}", smtp.address()),
        format!("report_error_threshold={report_error_threshold}"),
        "auth=off".to_owned(),
        "mails_per_hour=0".to_owned(),
        "log_level=ERROR".to_owned(),
    ];
    options.into_iter().flat_map(|option| ["--set".to_owned(), option]).collect()
}

/// A port that nobody listens on. It is none of those that the system assigns, so that nobody else
/// gets it while a server restarts; tests that run at the same time are processes with other numbers.
pub fn free_port() -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let is_free = |port: &u16| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let mut ports = std::iter::repeat_with(|| {
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        let place = std::process::id().wrapping_mul(16).wrapping_add(taken) % 12_000;
        20_000 + u16::try_from(place).expect("below 12,000")
    });
    ports.find(is_free).expect("one of them is free")
}
