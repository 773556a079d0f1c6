//! A mail server on loopback that records when each report's mail arrived.
//!
//! Reports are told apart by their host, which both servers write into the subject.
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use anyhow::Result;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Prefix of the hosts of reports whose mail is awaited.
pub(crate) const HOST_PREFIX: &str = "bench-host-";
const LONGEST_LINE: u64 = 64 * 1_024;

type Arrivals = Arc<Mutex<HashMap<String, Instant>>>;

/// Accepts mails on a free port as long as the program runs.
#[derive(Debug)]
pub(crate) struct MailSink {
    /// The port it listens on.
    pub(crate) port: u16,
    arrivals: Arrivals,
}

impl MailSink {
    /// Starts listening.
    pub(crate) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let arrivals = Arrivals::default();
        let sink = Self { port, arrivals: arrivals.clone() };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let arrivals = arrivals.clone();
                // A client that disconnects within a mail has not sent it.
                tokio::spawn(async move { take_mails(stream, &arrivals).await });
            }
        });
        Ok(sink)
    }

    /// When the first mail about the report of a host arrived.
    pub(crate) fn arrival(&self, host: &str) -> Option<Instant> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied()
    }
}

async fn take_mails(stream: TcpStream, arrivals: &Arrivals) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 bench\r\n").await?;
    loop {
        let line = read_line(&mut stream).await?;
        let command = line.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match command.as_str() {
            "" => return Ok(()),
            "EHLO" => b"250-bench\r\n250 8BITMIME\r\n",
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let host = read_mail(&mut stream).await?;
                let now = Instant::now();
                if let Some(host) = host {
                    let mut arrivals = arrivals.lock().unwrap_or_else(PoisonError::into_inner);
                    arrivals.entry(host).or_insert(now);
                }
                b"250 kept\r\n"
            }
            "QUIT" => b"221 bye\r\n",
            _ => b"250 ok\r\n",
        };
        stream.write_all(answer).await?;
    }
}

/// Reads to the end of a mail; returns the host in its header if it is an awaited one.
async fn read_mail(stream: &mut BufReader<TcpStream>) -> Result<Option<String>> {
    let mut host = None;
    let mut in_header = true;
    loop {
        let line = read_line(stream).await?;
        in_header &= !line.trim().is_empty();
        if line.is_empty() || line == ".\r\n" {
            return Ok(host);
        }
        if let Some(start) = line.find(HOST_PREFIX).filter(|_| in_header) {
            host = line[start..].split_whitespace().next().map(str::to_owned);
        }
    }
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = Vec::new();
    stream.take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
    Ok(String::from_utf8_lossy(&line).into_owned())
}
