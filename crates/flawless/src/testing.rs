//! A server for tests, which keeps what a program reports.
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use flawless_protocol::thrift::{
    CallKind, LENGTH_PREFIX, RecordErrorRequest, Reply, decode_call, encode_reply,
};

use crate::clock;

/// A server on a free port of this machine.
#[derive(Debug)]
pub struct Server {
    dsn: String,
    kept: Arc<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    reports: Mutex<Vec<Report>>,
    arrived: Condvar,
}

/// What was reported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The type of the error, or `panic`.
    pub exception_type: String,
    /// Its message.
    pub message: String,
    /// Path, line and function of each frame, outermost first.
    pub frames: Vec<(String, u32, String)>,
    /// The types and messages of its causes.
    pub causes: Vec<(String, String)>,
    /// How many occurrences it stands for.
    pub occurrences: i64,
    /// The revision.
    pub revision: Option<String>,
    /// The messages of breadcrumbs.
    pub breadcrumbs: Vec<String>,
}

/// Bytes of the largest message that is read.
const MAX_MESSAGE: usize = 16 * 1024 * 1024;

impl Server {
    /// Starts it; it runs until the process ends.
    ///
    /// # Errors
    /// No port is free.
    pub fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let dsn = listener.local_addr()?.to_string();
        let kept = Arc::new(Kept::default());
        let for_all = kept.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = for_all.clone();
                std::thread::spawn(move || kept.serve(stream));
            }
        });
        Ok(Self { dsn, kept })
    }

    /// Its address, for [`crate::Options::dsn`].
    #[must_use]
    pub fn dsn(&self) -> &str {
        &self.dsn
    }

    /// The reports, once there are this many or after `limit`.
    #[must_use]
    pub fn reports(&self, at_least: usize, limit: Duration) -> Vec<Report> {
        let end = clock::now() + limit;
        let mut reports = self.kept.reports.lock().unwrap_or_else(PoisonError::into_inner);
        while reports.len() < at_least {
            let Some(left) = end.checked_duration_since(clock::now()) else { break };
            let waited = self.kept.arrived.wait_timeout(reports, left);
            reports = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        reports.clone()
    }
}

impl Kept {
    fn serve(&self, mut stream: TcpStream) {
        while let Some(message) = read(&mut stream) {
            let Ok(call) = decode_call(&message) else { return };
            let reply = match call.kind {
                CallKind::RecordError(request) => {
                    let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
                    reports.push(report(*request));
                    self.arrived.notify_all();
                    Reply::Recorded
                }
                CallKind::Ping => Reply::Pong,
                _ => Reply::UnknownMethod,
            };
            let Ok(reply) = encode_reply(&call.method, call.sequence, &reply) else { return };
            let length = u32::try_from(reply.len()).unwrap_or(0).to_be_bytes();
            if stream.write_all(&[&length[..], &reply].concat()).is_err() {
                return;
            }
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; LENGTH_PREFIX];
    stream.read_exact(&mut length).ok()?;
    let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
    let mut message = vec![0; length.min(MAX_MESSAGE)];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

fn report(request: RecordErrorRequest) -> Report {
    let frame = |line: flawless_protocol::thrift::StackLine| {
        let number = line.line_number.and_then(|number| u32::try_from(number).ok());
        let (path, function) = (line.filename, line.function_name);
        (path.unwrap_or_default(), number.unwrap_or(0), function.unwrap_or_default())
    };
    let breadcrumbs = request.breadcrumbs.into_iter().map(|it| it.message.unwrap_or_default());
    let causes = request.chain.into_iter().map(|cause| {
        (cause.exception_type.unwrap_or_default(), cause.exception_message.unwrap_or_default())
    });
    Report {
        exception_type: request.exception_type.unwrap_or_default(),
        message: request.exception_message.unwrap_or_default(),
        frames: request.traceback.into_iter().map(frame).collect(),
        causes: causes.collect(),
        occurrences: request.error_count.unwrap_or(1),
        revision: request.revision,
        breadcrumbs: breadcrumbs.collect(),
    }
}
