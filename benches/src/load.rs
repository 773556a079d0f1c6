//! Sends reports over a number of connections and counts those that were accepted.
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flawless_protocol::thrift::{LENGTH_PREFIX, decode_reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::message::with_id;

/// Parameters of a load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Number of simultaneous connections; each waits for an answer before it sends again.
    pub(crate) connections: usize,
    /// Connections are reused; otherwise each report opens its own.
    pub(crate) kept: bool,
    /// When to stop.
    pub(crate) time: Duration,
    /// Stop early after this many reports.
    pub(crate) most: usize,
}

/// The result of a load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loaded {
    /// Reports that were answered with "ok".
    pub(crate) accepted: usize,
    /// Reports that were not.
    pub(crate) failed: usize,
    /// From the first report to the last answer.
    pub(crate) seconds: f64,
}

/// No load needs more than this.
pub(crate) const MOST_REPORTS: usize = 1_000_000;
/// This many failures end a load.
const MOST_FAILURES: usize = 1_000;
/// Timeout for one answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// Answers are a few bytes.
const LONGEST_ANSWER: usize = 4_096;

/// Sends the messages in turn, again and again, until the time is over.
pub(crate) async fn load(port: u16, messages: Arc<Vec<Vec<u8>>>, load: Load) -> Result<Loaded> {
    let (next, failed) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let start = Instant::now();
    let mut senders = JoinSet::new();
    for _ in 0..load.connections {
        let (messages, next, failed) = (messages.clone(), next.clone(), failed.clone());
        senders.spawn(async move {
            let mut connection = None;
            let mut accepted = 0;
            while start.elapsed() < load.time && failed.load(Ordering::Relaxed) < MOST_FAILURES {
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index >= load.most {
                    break;
                }
                let message = &messages[index % messages.len()];
                match send(port, &mut connection, message).await {
                    Ok(()) => accepted += 1,
                    Err(_) => {
                        failed.fetch_add(1, Ordering::Relaxed);
                        connection = None;
                    }
                }
                if !load.kept {
                    connection = None;
                }
            }
            accepted
        });
    }
    let accepted = senders.join_all().await.iter().sum();
    let seconds = start.elapsed().as_secs_f64();
    Ok(Loaded { accepted, failed: failed.load(Ordering::Relaxed), seconds })
}

/// Sends one frame and waits until it is answered with "ok".
pub(crate) async fn send(
    port: u16,
    connection: &mut Option<TcpStream>,
    message: &[u8],
) -> Result<()> {
    let stream = match connection {
        Some(stream) => stream,
        None => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            connection.insert(stream)
        }
    };
    let exchange = async {
        stream.write_all(&with_id(message)).await?;
        let mut length = [0; LENGTH_PREFIX];
        stream.read_exact(&mut length).await?;
        let length = u32::from_be_bytes(length) as usize;
        ensure!(length <= LONGEST_ANSWER, "an answer of {length} bytes");
        let mut answer = [0; LONGEST_ANSWER];
        stream.read_exact(&mut answer[..length]).await?;
        decode_reply(&answer[..length])?;
        Ok(())
    };
    tokio::time::timeout(PATIENCE, exchange).await.context("no answer")?
}
