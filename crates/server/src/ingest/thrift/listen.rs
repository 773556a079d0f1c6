//! Listens for framed Thrift calls: persistent and one-shot connections, bounded in number, time
//! and memory.
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use flawless_protocol::thrift::{LENGTH_PREFIX, Reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::answer::{Answer, Answerer, KeyRule};
use crate::ingest::message::{Head, Message, Unkept};
use crate::listen::accept::run_accept;
use crate::listen::places::Place;

/// Limits of connections.
#[derive(Debug, Clone, Copy)]
pub struct ThriftLimits {
    /// Largest frame.
    pub max_frame: usize,
    /// Connections that may be open at the same time.
    pub max_connections: usize,
    /// Time between two calls of a connection.
    pub idle: Duration,
    /// Time from a frame's first byte to its last, and for writing a reply.
    pub frame: Duration,
}

/// Bytes beyond the largest frame that are read and discarded, so that the sender gets to read the
/// answer.
const MAX_PASSED_OVER: usize = 16 * 1024 * 1024;

/// Bytes that are read ahead of a connection. Larger frames bypass this buffer.
const READ_AHEAD: usize = 4 * 1024;

/// Serves connections until the process ends.
pub async fn run_thrift(listener: TcpListener, answerer: Answerer, limits: ThriftLimits) {
    let serve = |stream, peer: SocketAddr, place| {
        let address = peer.ip().to_canonical();
        let connection = Connection { answerer: answerer.clone(), limits, address, place };
        async move { connection.serve(stream).await }
    };
    run_accept(listener, limits.max_connections, serve).await;
}

struct Connection {
    answerer: Answerer,
    limits: ThriftLimits,
    address: IpAddr,
    place: Arc<Place>,
}

/// The content of a frame that has arrived.
enum Arrived {
    Whole(Message),
    Unkept(Head, Unkept),
}

impl Connection {
    async fn serve(&self, stream: TcpStream) {
        let mut stream = BufReader::with_capacity(READ_AHEAD, stream);
        loop {
            let arrived = match self.read_frame(&mut stream).await {
                Ok(Some(arrived)) => arrived,
                Ok(None) => return,
                Err(reason) => {
                    self.answerer.intake.refuse(reason, format!("from {}", self.address));
                    return;
                }
            };
            if !self.place.working() {
                return;
            }
            let Some(Answer { bytes: reply, .. }) = self.answer(arrived).await else { return };
            self.place.talking();
            let mut bytes = Vec::with_capacity(LENGTH_PREFIX + reply.len());
            bytes.extend_from_slice(&u32::try_from(reply.len()).unwrap_or_default().to_be_bytes());
            bytes.extend_from_slice(&reply);
            let written = timeout(self.limits.frame, stream.get_mut().write_all(&bytes)).await;
            if !matches!(written, Ok(Ok(()))) {
                return;
            }
            self.place.silent();
        }
    }

    /// The next frame; `None` when the connection ended between two frames.
    async fn read_frame(
        &self,
        stream: &mut BufReader<TcpStream>,
    ) -> Result<Option<Arrived>, &'static str> {
        let mut length = [0; LENGTH_PREFIX];
        let first = timeout(self.limits.idle, stream.read(&mut length)).await;
        let Ok(Ok(read @ 1..)) = first else { return Ok(None) };
        self.place.talking();
        let work = async {
            if stream.read_exact(&mut length[read..]).await.is_err() {
                return Err("cut off within a frame");
            }
            let length = u32::from_be_bytes(length) as usize;
            if length > self.limits.max_frame.saturating_add(MAX_PASSED_OVER) {
                return Err(sniff(length));
            }
            let arrived = self.read_content(stream, length).await;
            arrived.ok().flatten().ok_or("cut off within a frame").map(Some)
        };
        timeout(self.limits.frame, work).await.unwrap_or(Err("too slow to send a frame"))
    }

    /// The content of a frame; `None` when the connection ends within it.
    async fn read_content(
        &self,
        stream: &mut BufReader<TcpStream>,
        length: usize,
    ) -> std::io::Result<Option<Arrived>> {
        let mut message = Message::new(self.answerer.hold(self.address), length);
        if length > self.limits.max_frame {
            let head = pass_over(stream, message.into_head(), length).await?;
            return Ok(head.map(|head| Arrived::Unkept(head, Unkept::TooLarge)));
        }
        while message.bytes.len() < length {
            if let Err(no_memory) = message.make_room(1) {
                let missing = length - message.bytes.len();
                let head = pass_over(stream, message.into_head(), missing).await?;
                return Ok(head.map(|head| Arrived::Unkept(head, Unkept::NoMemory(no_memory))));
            }
            let missing = length - message.bytes.len();
            if stream.take(missing as u64).read_buf(&mut message.bytes).await? == 0 {
                return Ok(None);
            }
        }
        Ok(Some(Arrived::Whole(message)))
    }

    /// The reply to a frame; `None` when no reply is possible.
    async fn answer(&self, arrived: Arrived) -> Option<Answer> {
        let answer = match arrived {
            Arrived::Whole(message) => {
                self.answerer.answer(message, KeyRule::Optional, self.address).await.ok()?
            }
            Arrived::Unkept(head, why) => {
                self.answerer.answer_unkept(&head, why, self.address).ok()?
            }
        };
        if matches!(answer.reply, Reply::Recorded) {
            self.answerer.clients.note("over framed Thrift");
        }
        Some(answer)
    }
}

/// Reads this many bytes and keeps only the head, so that the sender gets to read the answer;
/// `None` when the connection ends before.
async fn pass_over(
    stream: &mut BufReader<TcpStream>,
    mut head: Head,
    mut missing: usize,
) -> std::io::Result<Option<Head>> {
    let mut piece = [0; 1024];
    while missing > 0 {
        let most = missing.min(piece.len());
        let read = stream.read(&mut piece[..most]).await?;
        if read == 0 {
            return Ok(None);
        }
        head.add(&piece[..read]);
        missing -= read;
    }
    Ok(Some(head))
}

/// What a sender most likely speaks whose length prefix is invalid.
fn sniff(length: usize) -> &'static str {
    let start = u32::try_from(length).unwrap_or_default().to_be_bytes();
    match &start {
        b"GET " | b"POST" | b"HEAD" | b"PUT " | b"OPTI" => "HTTP on the thrift port",
        [0x16, 0x03, ..] => "TLS on the thrift port",
        [0x80, 0x01, 0x00, _] => "thrift without framing",
        _ => Unkept::TooLarge.reason(),
    }
}
