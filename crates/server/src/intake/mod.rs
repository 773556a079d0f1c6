//! Where ingest hands reports over: the one door into the pipeline. Peers take turns at it, so
//! that the flood of one does not make the others wait.
pub mod clients;
pub mod refusals;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flawless_base::clock::Clock;
use flawless_core::Report;
use refusals::{Refusals, Refused};
use tokio::sync::{Notify, oneshot};

use crate::listen::memory::{Held, Memory};
use crate::listen::peer::Peer;
use crate::listen::round_robin::RoundRobin;
use crate::project::redaction::{Received, Redaction};

/// Who sent a report.
#[derive(Debug, Clone)]
pub struct Sender {
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
    /// Its secrets are out already.
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

/// Hands reports to the pipeline. As many wait as there are connections and memory.
#[derive(Debug, Clone)]
pub struct Intake(Arc<Door>);

/// Takes reports out.
#[derive(Debug)]
pub struct IntakeReceiver(Arc<Door>);

#[derive(Debug)]
struct Door {
    clock: Clock,
    memory: Memory,
    redaction: Arc<Redaction>,
    queue: Mutex<Queue>,
    refusals: Refusals,
    /// Rung when something came in.
    wakeup: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: RoundRobin<Incoming>,
    /// Nobody takes anything out any more.
    is_closed: bool,
}

impl Intake {
    /// A door and its inner side.
    pub fn new(clock: Clock, memory: Memory, redaction: Arc<Redaction>) -> (Self, IntakeReceiver) {
        let (queue, refusals, wakeup) = Default::default();
        let door = Arc::new(Door { clock, memory, redaction, queue, refusals, wakeup });
        (Self(door.clone()), IntakeReceiver(door))
    }

    /// Returns when the report is durable, and counted what its client `lost` before it.
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
        // Before it is among others: nobody waits for a slow pattern but its sender.
        let received = self.0.redaction.at_the_door(report, held).await;
        let (Received { report, is_clean }, held) = received.map_err(|error| {
            self.refuse("could not be searched for secrets", error.to_string());
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

    /// Counts something that was refused. `reason` has to come from a closed set.
    pub fn refuse(&self, reason: &'static str, example: String) {
        let last_at = self.0.clock.now();
        self.0.refusals.add(reason, Refused { reports: 1, last_at, example });
        self.0.wakeup.notify_one();
    }

    /// What was refused and the store does not know yet.
    pub fn refusals(&self) -> &Refusals {
        &self.0.refusals
    }

    /// The memory that reports may take.
    pub fn memory(&self) -> &Memory {
        &self.0.memory
    }
}

impl IntakeReceiver {
    /// Returns when something is to be recorded.
    pub async fn wait(&self) {
        while self.0.lock().waiting.is_empty() && self.0.refusals.is_empty() {
            self.0.wakeup.notified().await;
        }
    }

    /// Up to so many reports that take no more than so many bytes together, the largest one may
    /// come alone. One of each peer after the other.
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

    /// What was refused and the store does not know yet.
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
        // Their senders hear that nothing was kept.
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
        Sender { peer, source: peer.to_string().into() }
    }

    /// Hands a report in, and returns when it waits; whether it was kept comes later.
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
        let redaction = Redaction::new(&RedactionConfig::default(), &[], Clock::fixed(7));
        let redaction = Arc::new(redaction.expect("valid rules"));
        Intake::new(Clock::fixed(7), Memory::new(1_000_000), redaction)
    }

    #[tokio::test]
    async fn large_reports_share_no_batch_and_the_largest_has_its_turn() {
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
    async fn nobody_waits_for_a_recorder_that_is_gone() {
        let (intake, receiver) = door();
        let kept = submit(&intake, 1, 10).await;
        drop(receiver);
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), kept).await, Ok(Ok(false)));
        let held = intake.memory().hold(sender(1).peer);
        assert!(intake.submit(Report::default(), sender(1), 0, held).await.is_err());
    }
}
