//! Where ingest hands reports over: the only entrance to the pipeline. Peers take turns at it, so
//! that a flood from one does not make the others wait.
pub mod clients;
pub mod refusals;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flawless_base::clock::Clock;
use flawless_core::{OutcomeKind, Report};
use flawless_store::{DEFAULT_PROJECT, ProjectId};
use refusals::{Lost, Refusals, Refused};
use tokio::sync::{Notify, oneshot};

use crate::listen::memory::{Held, Memory};
use crate::listen::peer::Peer;
use crate::listen::round_robin::RoundRobin;
use crate::project::redaction::{Received, Redaction};

/// Who sent a report, and to which project.
#[derive(Debug, Clone)]
pub struct Sender {
    /// The project.
    pub project: ProjectId,
    /// Takes the project's secrets out of it.
    pub redaction: Arc<Redaction>,
    /// Whose turn it is.
    pub peer: Peer,
    /// Whose quota it uses: a key of the project, else the peer.
    pub source: Arc<str>,
}

/// A report whose sender waits until it is durable.
#[derive(Debug)]
pub struct Incoming {
    /// The report, bounded.
    pub report: Box<Report>,
    /// Whether its secrets are removed already.
    pub is_clean: bool,
    /// Who sent it.
    pub sender: Sender,
    /// Occurrences that its client had to drop before it.
    pub lost: u64,
    /// Answered when the report is durable, or cannot be kept.
    pub done: oneshot::Sender<Result<(), NotKept>>,
    /// The memory that it takes.
    pub held: Held,
}

/// The store could not take the report; the client must not be told "ok".
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the server cannot store reports at the moment")]
pub struct NotKept;

/// Hands reports to the pipeline. Connections and memory limit how many wait.
#[derive(Debug, Clone)]
pub struct Intake(Arc<Door>);

/// Takes reports out.
#[derive(Debug)]
pub struct IntakeReceiver(Arc<Door>);

#[derive(Debug)]
struct Door {
    clock: Clock,
    memory: Memory,
    queue: Mutex<Queue>,
    refusals: Refusals,
    /// Notified when something arrives.
    wakeup: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: RoundRobin<Incoming>,
    /// Whether the receiver is gone.
    is_closed: bool,
}

impl Intake {
    /// Both ends of the intake.
    pub fn new(clock: Clock, memory: Memory) -> (Self, IntakeReceiver) {
        let (queue, refusals, wakeup) = Default::default();
        let door = Arc::new(Door { clock, memory, queue, refusals, wakeup });
        (Self(door.clone()), IntakeReceiver(door))
    }

    /// Returns when the report is durable, and what its client `lost` before it is counted.
    ///
    /// # Errors
    /// It could not be kept.
    pub async fn submit(
        &self,
        report: Report,
        sender: Sender,
        lost: u64,
        held: Held,
    ) -> Result<(), NotKept> {
        // Before it is queued, so that only its sender waits for a slow pattern.
        let received = sender.redaction.at_the_door(report, held).await;
        let (Received { report, is_clean }, held) = received.map_err(|error| {
            self.refuse_for(sender.project, "could not be searched for secrets", error.to_string());
            NotKept
        })?;
        let (done, kept) = oneshot::channel();
        let (peer, report) = (sender.peer, Box::new(report));
        let incoming = Incoming { report, is_clean, sender, lost, done, held };
        {
            let mut queue = self.0.lock();
            if queue.is_closed {
                return Err(NotKept);
            }
            queue.waiting.push(peer, incoming);
        }
        self.0.wakeup.notify_one();
        kept.await.unwrap_or(Err(NotKept))
    }

    /// Counts something that was refused before it was known for which project: the first project
    /// counts it. `reason` has to come from a closed set.
    pub fn refuse(&self, reason: &'static str, example: String) {
        self.refuse_for(DEFAULT_PROJECT, reason, example);
    }

    /// Counts something of a project that was refused. `reason` has to come from a closed set.
    pub fn refuse_for(&self, project: ProjectId, reason: &'static str, example: String) {
        self.add(project, OutcomeKind::Refused, reason, example);
    }

    /// Counts something of a project that is not about an error, by its name, which has to come
    /// from a closed set.
    pub fn pass_over(&self, project: ProjectId, name: &'static str, example: String) {
        self.add(project, OutcomeKind::NotAnError, name, example);
    }

    fn add(&self, project: ProjectId, kind: OutcomeKind, reason: &'static str, example: String) {
        let last_at = self.0.clock.now();
        self.0.refusals.add(project, kind, reason, Refused { reports: 1, last_at, example });
        self.0.wakeup.notify_one();
    }

    /// Counts errors that a client lost.
    pub fn lost(&self, project: ProjectId, errors: i64, example: String) {
        let last_at = self.0.clock.now();
        self.0.refusals.add_lost(project, Lost { errors, last_at, example });
        self.0.wakeup.notify_one();
    }

    /// The refusals that the store does not know yet.
    pub fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    /// The memory that reports may take.
    pub fn memory(&self) -> &Memory {
        &self.0.memory
    }
}

impl IntakeReceiver {
    /// Returns when there is something to record.
    pub async fn wait(&self) {
        while self.0.lock().waiting.is_empty() && self.0.refusals.is_empty() {
            self.0.wakeup.notified().await;
        }
    }

    /// Takes at most this many reports with at most this many bytes together; a larger report comes
    /// alone. Peers take turns.
    pub fn take(&self, most: usize, most_bytes: usize) -> Vec<Incoming> {
        let mut queue = self.0.lock();
        let (mut taken, mut bytes) = (Vec::new(), 0);
        while taken.len() < most {
            let Some(next) = queue.waiting.peek() else { break };
            bytes += next.held.bytes();
            if !taken.is_empty() && bytes > most_bytes {
                break;
            }
            taken.extend(queue.waiting.pop());
        }
        taken
    }

    /// The refusals that the store does not know yet.
    pub fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }
}

impl Drop for IntakeReceiver {
    fn drop(&mut self) {
        let waiting = {
            let mut queue = self.0.lock();
            std::mem::replace(&mut *queue, Queue { is_closed: true, ..Queue::default() })
        };
        // Their senders learn that nothing was kept.
        drop(waiting);
    }
}

impl Door {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::*;
    use crate::config::RedactionConfig;

    fn sender(last: u8) -> Sender {
        let peer = Peer::from(IpAddr::from([10, 0, 0, last]));
        let redaction = Redaction::new(&RedactionConfig::default(), Clock::fixed(7));
        let redaction = Arc::new(redaction.expect("valid rules"));
        Sender { project: 1, redaction, peer, source: peer.to_string().into() }
    }

    /// Submits a report, and returns when it waits; whether it was kept comes later.
    async fn submit(intake: &Intake, last: u8, bytes: usize) -> oneshot::Receiver<bool> {
        let (notified, kept) = oneshot::channel();
        let sender = sender(last);
        let mut held = intake.memory().hold(sender.peer);
        held.resize(bytes).expect("memory");
        let intake = intake.clone();
        let submitted = async move {
            let _ = notified.send(intake.submit(Report::default(), sender, 0, held).await.is_ok());
        };
        tokio::spawn(submitted);
        tokio::task::yield_now().await;
        kept
    }

    fn door() -> (Intake, IntakeReceiver) {
        Intake::new(Clock::fixed(7), Memory::new(1_000_000))
    }

    #[tokio::test]
    async fn large_reports_share_no_batch_and_the_largest_gets_its_turn() {
        let (intake, receiver) = door();
        for (last, bytes) in [(1, 900), (2, 50), (3, 60)] {
            drop(submit(&intake, last, bytes).await);
        }
        let sizes = |taken: Vec<Incoming>| -> Vec<usize> {
            taken.iter().map(|incoming| incoming.held.bytes()).collect()
        };
        assert_eq!(sizes(receiver.take(9, 100)), [900]);
        assert_eq!(sizes(receiver.take(9, 100)), [50]);
        assert_eq!(sizes(receiver.take(9, 100)), [60]);
    }

    #[tokio::test]
    async fn sender_does_not_wait_for_a_recorder_that_is_gone() {
        let (intake, receiver) = door();
        let kept = submit(&intake, 1, 10).await;
        drop(receiver);
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), kept).await, Ok(Ok(false)));
        let held = intake.memory().hold(sender(1).peer);
        assert!(intake.submit(Report::default(), sender(1), 0, held).await.is_err());
    }
}
