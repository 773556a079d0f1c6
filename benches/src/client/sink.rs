//! A server that answers immediately and counts, to check that a client reports what it captured.
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use anyhow::{Result, ensure};
use flawless_protocol::thrift::{
    CallKind, LENGTH_PREFIX, Reply, StackLine, decode_call, encode_reply,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::LOCALS;

const METHOD: &str = "record_error";
/// The position of the sequence id in a call to `METHOD` and in its reply: after version, length
/// and name.
const SEQUENCE: std::ops::Range<usize> = 8 + METHOD.len()..12 + METHOD.len();
const MOST_BYTES: u32 = 16 << 20;

/// A server in a thread of its own, where it runs until the program ends.
#[derive(Debug)]
pub(super) struct Sink {
    pub(super) port: u16,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    frames: u32,
    bytes: u32,
    last: Vec<u8>,
}

/// The reports that have arrived.
#[derive(Debug, Clone, Copy)]
pub(super) struct Got {
    pub(super) reports: f64,
    /// Mean size of a report.
    pub(super) bytes_each: f64,
    /// Frames of the last report that have all the variables.
    pub(super) full_frames_of_last: f64,
}

impl Sink {
    /// Starts it on a free port.
    pub(super) fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let taken = Arc::<Mutex<Taken>>::default();
        let shared = Arc::clone(&taken);
        thread::spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = TcpListener::from_std(listener) else { return };
                while let Ok((stream, _)) = listener.accept().await {
                    let taken = Arc::clone(&shared);
                    // A client that disconnects ends its connection.
                    tokio::spawn(async move { answer(stream, &taken).await });
                }
            });
        });
        Ok(Self { port, taken })
    }

    /// Resets the counts.
    pub(super) fn reset(&self) {
        *lock(&self.taken) = Taken::default();
    }

    /// The reports that have arrived since the last reset.
    pub(super) fn got(&self) -> Got {
        let taken = lock(&self.taken);
        let reports = f64::from(taken.frames);
        Got {
            reports,
            bytes_each: f64::from(taken.bytes) / reports.max(1.0),
            full_frames_of_last: f64::from(full_frames(&taken.last)),
        }
    }
}

fn lock(taken: &Mutex<Taken>) -> MutexGuard<'_, Taken> {
    taken.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(mut stream: TcpStream, taken: &Mutex<Taken>) -> Result<()> {
    stream.set_nodelay(true)?;
    let content = encode_reply(METHOD, 0, &Reply::Recorded)?;
    let mut reply = u32::try_from(content.len())?.to_be_bytes().to_vec();
    reply.extend(content);
    loop {
        let mut length = [0; LENGTH_PREFIX];
        stream.read_exact(&mut length).await?;
        let length = u32::from_be_bytes(length);
        ensure!(length <= MOST_BYTES, "no client sends messages this large");
        let mut frame = vec![0; length as usize];
        stream.read_exact(&mut frame).await?;
        if let Some(sequence) = frame.get(SEQUENCE) {
            reply[LENGTH_PREFIX..][SEQUENCE].copy_from_slice(sequence);
        }
        note(taken, frame);
        stream.write_all(&reply).await?;
    }
}

fn note(taken: &Mutex<Taken>, frame: Vec<u8>) {
    let mut taken = lock(taken);
    taken.frames += 1;
    taken.bytes = taken.bytes.saturating_add(u32::try_from(frame.len()).unwrap_or(u32::MAX));
    taken.last = frame;
}

fn full_frames(frame: &[u8]) -> u32 {
    let Ok(call) = decode_call(frame) else { return 0 };
    let CallKind::RecordError(request) = call.kind else { return 0 };
    let is_full =
        |line: &&StackLine| line.frame_locals.as_ref().is_some_and(|locals| locals.len() >= LOCALS);
    u32::try_from(request.traceback.iter().filter(is_full).count()).unwrap_or(u32::MAX)
}
