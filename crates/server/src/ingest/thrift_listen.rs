//! Listens for framed Thrift calls: persistent and one-shot connections, bounded in number,
//! time and memory.
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flawless_protocol::thrift::{Call, LENGTH_PREFIX, Reply, decode_call, encode_reply};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::thrift_answer::{Answerer, KeyIs};
use crate::accept::run_accept;

/// What a connection may do.
#[derive(Debug, Clone, Copy)]
pub struct ThriftLimits {
    /// Largest frame.
    pub max_frame: usize,
    /// Connections open at once.
    pub max_connections: usize,
    /// Between two calls of a connection.
    pub idle: Duration,
    /// From a frame's first byte to its last, and for writing a reply.
    pub frame: Duration,
}

/// Frames up to this size are read at once; of larger ones only so many at a time.
const SMALL_FRAME: usize = 64 * 1024;
const LARGE_FRAMES_AT_ONCE: usize = 16;

/// Serves connections for ever.
pub async fn run_thrift(listener: TcpListener, answerer: Answerer, limits: ThriftLimits) {
    let large_frames = Arc::new(Semaphore::new(LARGE_FRAMES_AT_ONCE));
    let serve = |stream, peer: SocketAddr| {
        let connection = Connection {
            answerer: answerer.clone(),
            limits,
            large_frames: large_frames.clone(),
            peer: peer.ip().to_string(),
        };
        async move { connection.serve(stream).await }
    };
    run_accept(listener, limits.max_connections, serve).await;
}

struct Connection {
    answerer: Answerer,
    limits: ThriftLimits,
    large_frames: Arc<Semaphore>,
    peer: String,
}

/// A frame, and the place among the large ones that it takes until it is answered.
struct FrameBytes {
    bytes: Vec<u8>,
    _large: Option<OwnedSemaphorePermit>,
}

impl Connection {
    async fn serve(&self, stream: TcpStream) {
        let mut stream = BufReader::with_capacity(16 * 1024, stream);
        loop {
            let frame = match self.read_frame(&mut stream).await {
                Ok(Some(frame)) => frame,
                Ok(None) => return,
                Err(reason) => {
                    self.answerer.intake.refuse(reason, format!("from {}", self.peer));
                    return;
                }
            };
            let Some(reply) = self.answer(frame).await else { return };
            let mut bytes = Vec::with_capacity(LENGTH_PREFIX + reply.len());
            bytes.extend_from_slice(&u32::try_from(reply.len()).unwrap_or_default().to_be_bytes());
            bytes.extend_from_slice(&reply);
            let written = timeout(self.limits.frame, stream.get_mut().write_all(&bytes)).await;
            if !matches!(written, Ok(Ok(()))) {
                return;
            }
        }
    }

    /// The next frame; `None` when the connection has ended between two.
    async fn read_frame(
        &self,
        stream: &mut BufReader<TcpStream>,
    ) -> Result<Option<FrameBytes>, &'static str> {
        let mut length = [0; LENGTH_PREFIX];
        let first = timeout(self.limits.idle, stream.read(&mut length)).await;
        let Ok(Ok(read @ 1..)) = first else { return Ok(None) };
        let work = async {
            if stream.read_exact(&mut length[read..]).await.is_err() {
                return Err("cut off within a frame");
            }
            let length = u32::from_be_bytes(length) as usize;
            if length > self.limits.max_frame {
                return Err(sniff(length));
            }
            let large = match length > SMALL_FRAME {
                true => self.large_frames.clone().acquire_owned().await.ok(),
                false => None,
            };
            // Grows with the bytes that come, not with what the length promises.
            let mut bytes = Vec::with_capacity(length.min(SMALL_FRAME));
            match stream.take(length as u64).read_to_end(&mut bytes).await {
                Ok(read) if read == length => Ok(Some(FrameBytes { bytes, _large: large })),
                _ => Err("cut off within a frame"),
            }
        };
        timeout(self.limits.frame, work).await.unwrap_or(Err("too slow to send a frame"))
    }

    /// The reply to a frame; `None` when no reply is possible.
    async fn answer(&self, frame: FrameBytes) -> Option<Vec<u8>> {
        let call = match decode_call(&frame.bytes) {
            Ok(call) => call,
            Err(error) => {
                let example = format!("{error} from {}", self.peer);
                self.answerer.intake.refuse("not a thrift call", example);
                return None;
            }
        };
        let Call { method, sequence, kind } = call;
        let reply = self.answerer.answer(kind, KeyIs::Optional, &self.peer).await;
        if matches!(reply, Reply::Recorded) {
            self.answerer.clients.note("over framed Thrift");
        }
        encode_reply(&method, sequence, &reply).ok()
    }
}

/// What a length that cannot be one most likely is.
fn sniff(length: usize) -> &'static str {
    let start = u32::try_from(length).unwrap_or_default().to_be_bytes();
    match &start {
        b"GET " | b"POST" | b"HEAD" | b"PUT " | b"OPTI" => "HTTP on the thrift port",
        [0x16, 0x03, ..] => "TLS on the thrift port",
        [0x80, 0x01, 0x00, _] => "thrift without framing",
        _ => "larger than max_report_bytes",
    }
}
