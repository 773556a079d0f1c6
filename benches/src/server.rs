//! Starts one of the servers, checks that it answers, and stops it.
use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::message::PING;
use crate::options::Contender;
use crate::process::Tree;
use crate::setting::Setting;

const START_PATIENCE: Duration = Duration::from_secs(60);
const STOP_PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropping it kills it and its children.
#[derive(Debug)]
pub(crate) struct Server {
    contender: Contender,
    child: Child,
    /// Port for reports.
    pub(crate) port: u16,
    /// Port for pages.
    pub(crate) http_port: u16,
    /// Milliseconds from the start of the process to the first answer.
    pub(crate) start_ms: f64,
}

impl Server {
    /// Starts the server with the data in `data` and returns when it answers.
    pub(crate) fn start(
        setting: &Setting,
        contender: Contender,
        data: &Path,
        threshold: u32,
    ) -> Result<Self> {
        fs::create_dir_all(data)?;
        let (port, http_port) = free_ports()?;
        let options = [
            ("port", port.to_string()),
            ("http_port", http_port.to_string()),
            ("data_dir_path", data.display().to_string()),
            ("repo_dir", setting.code.folder.display().to_string()),
            ("smtp_host", format!("127.0.0.1:{}", setting.sink.port)),
            ("report_error_threshold", threshold.to_string()),
        ];
        let mut command = match contender {
            Contender::Ours | Contender::Postgres => {
                ours(setting, &options, setting.database_url(contender, data)?)
            }
            Contender::Peer => peer(setting, &options, data)?,
        };
        let output = File::create(data.with_extension("output"))?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let start = Instant::now();
        let child = command.spawn().context("a server cannot be started")?;
        let mut server = Self { contender, child, port, http_port, start_ms: 0.0 };
        while ping(port).is_err() {
            let ended = server.child.try_wait()?;
            ensure!(
                ended.is_none() && start.elapsed() < START_PATIENCE,
                "a server does not answer; it wrote to {}",
                data.with_extension("output").display()
            );
            thread::sleep(Duration::from_micros(500));
        }
        server.start_ms = start.elapsed().as_secs_f64() * 1e3;
        Ok(server)
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its process tree.
    pub(crate) fn tree(&self) -> Tree {
        Tree::of(self.child.id())
    }

    /// Stops the server in its regular way, so that it saves its data.
    pub(crate) fn stop(mut self) -> Result<()> {
        let tree = self.tree();
        tree.signal(match self.contender {
            Contender::Ours | Contender::Postgres => "TERM",
            // Only SIGINT makes 0.4.5 save.
            Contender::Peer => "INT",
        });
        let start = Instant::now();
        while tree.runs() && start.elapsed() < STOP_PATIENCE {
            self.child.try_wait()?;
            thread::sleep(Duration::from_millis(10));
        }
        tree.kill();
        self.child.wait()?;
        ensure!(start.elapsed() < STOP_PATIENCE, "a server did not stop when it was asked to");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.tree().kill();
            let _ = self.child.wait();
        }
    }
}

fn ours(setting: &Setting, options: &[(&str, String)], database: Option<String>) -> Command {
    let mut command = Command::new(&setting.program);
    command.args(["start", "--set", "host=127.0.0.1", "--set", "auth=off"]);
    // Subjects by which the measures recognize mails, and one mail per report.
    command.args(["--set", "subject_style=classic", "--set", "mails_per_hour=0"]);
    for (name, value) in options {
        command.arg("--set").arg(format!("{name}={value}"));
    }
    if let Some(url) = database {
        command.arg("--set").arg(format!("database_url={url}"));
    }
    command
}

fn peer(setting: &Setting, options: &[(&str, String)], data: &Path) -> Result<Command> {
    let mut text = String::from("[flawless]\n");
    for (name, value) in options {
        text += &format!("{name} = {value}\n");
    }
    text += &format!("log_file = {}\n", data.join("flawless.log").display());
    let config = data.join("flawless.cfg");
    fs::write(&config, text)?;
    let mut command = Command::new(&setting.peer_python);
    command.arg("-W").arg("ignore").arg(&setting.peer_server).arg(config);
    Ok(command)
}

/// Two currently unused ports.
fn free_ports() -> Result<(u16, u16)> {
    let one = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok((one.local_addr()?.port(), other.local_addr()?.port()))
}

fn ping(port: u16) -> Result<()> {
    let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(PING)?;
    Ok(stream.read_exact(&mut [0; 4])?)
}
