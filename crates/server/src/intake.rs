//! Where ingest hands reports over: the one door into the pipeline.
use std::sync::Arc;

use flawless_core::Report;
use tokio::sync::{mpsc, oneshot};

use crate::redaction::{BrokeOff, Received, Redaction};

/// What comes in.
#[derive(Debug)]
pub enum Incoming {
    /// A report whose sender waits until it is durable.
    Report {
        /// The report, bounded.
        report: Box<Report>,
        /// Its secrets are out already.
        is_clean: bool,
        /// Occurrences that its client had to drop before it.
        lost: u64,
        /// Answered when the report is durable, or cannot be kept.
        done: oneshot::Sender<Result<(), NotKept>>,
    },
    /// Something that never became a report.
    Refused {
        /// From a closed set.
        reason: &'static str,
        /// What it was, short.
        example: String,
    },
}

/// The store could not take the report; the client must not be told "ok".
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the server cannot store reports at the moment")]
pub struct NotKept;

impl From<BrokeOff> for NotKept {
    fn from(_: BrokeOff) -> Self {
        Self
    }
}

/// Hands reports to the pipeline; full when that many wait.
#[derive(Debug, Clone)]
pub struct Intake {
    queue: mpsc::Sender<Incoming>,
    redaction: Arc<Redaction>,
}

/// Takes reports out.
pub type IntakeReceiver = mpsc::Receiver<Incoming>;

/// Reports that wait for the recorder: enough for one large group commit.
const CAPACITY: usize = 1024;

impl Intake {
    /// A door and its inner side.
    pub fn new(redaction: Arc<Redaction>) -> (Self, IntakeReceiver) {
        let (queue, receiver) = mpsc::channel(CAPACITY);
        (Self { queue, redaction }, receiver)
    }

    /// Returns when the report is durable, and counted what its client `lost` before it.
    ///
    /// # Errors
    /// It could not be kept.
    pub async fn submit(&self, report: Report, lost: u64) -> Result<(), NotKept> {
        // Before it is among others: nobody waits for a slow pattern but its sender.
        let Received { report, is_clean } = self.redaction.at_the_door(report).await?;
        let report = Box::new(report);
        let (done, kept) = oneshot::channel();
        self.queue
            .send(Incoming::Report { report, is_clean, lost, done })
            .await
            .map_err(|_| NotKept)?;
        kept.await.unwrap_or(Err(NotKept))
    }

    /// Counts something that was refused. Lost when the recorder is swamped: a flood of
    /// rubbish must not slow reports down.
    pub fn refuse(&self, reason: &'static str, example: String) {
        let _ = self.queue.try_send(Incoming::Refused { reason, example });
    }
}
