//! Bounds the memory that reports take from their first byte on until they are recorded.
//!
//! Held bytes are counted as they grow, by peer. A peer may hold as much as is still free: one
//! alone half of everything, several less each, so that none takes what the next one needs.
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use super::peer::Peer;
use super::turns::{Turn, Turns};

/// The memory that reports may take, shared by all who handle them.
#[derive(Debug, Clone)]
pub struct Memory(Arc<App>);

#[derive(Debug)]
struct App {
    limit: usize,
    used: Mutex<Used>,
    turns: Turns,
    /// What decoding may take, in KiB. Its holders wait for nothing else meanwhile.
    decoding: Semaphore,
    decoding_most: u32,
}

#[derive(Debug, Default)]
struct Used {
    all: usize,
    /// The most since memory was last given back.
    most: usize,
    peers: HashMap<Peer, usize>,
}

impl App {
    fn lock(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why there is no memory for a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoMemory {
    /// Other reports take it at the moment.
    Now,
    /// It alone takes more than a report may.
    Ever,
}

/// Decoding, in which bytes become values, may take one part of the limit in this many.
const DECODING_PART: usize = 4;
/// How much a byte grows at most when it is decoded: the shortest local variable takes ten bytes on
/// the wire and about 120 in memory.
const GROWTH: usize = 12;
/// Empty stack lines grow more: one byte on the wire becomes a line.
const GROWTH_OF_LINES: usize = 180;
/// What all stack lines of a message take besides their texts; a bounded number of them is kept.
const LINES: usize = 6 * 1024 * KIB;
const KIB: usize = 1024;

impl Memory {
    /// Memory of which nothing is held yet, and at most `limit` bytes may be.
    pub fn new(limit: usize) -> Self {
        let decoding = limit / DECODING_PART;
        let decoding_most = u32::try_from(decoding.div_ceil(KIB)).unwrap_or(u32::MAX);
        // Half of the processors are left for the work after decoding.
        let at_once = available_parallelism().map_or(1, |processors| processors.get() / 2).max(1);
        Self(Arc::new(App {
            limit: limit - decoding,
            used: Mutex::default(),
            turns: Turns::new(at_once),
            decoding: Semaphore::new(decoding_most as usize),
            decoding_most,
        }))
    }

    /// The memory of a report of `peer`, which takes nothing yet.
    pub fn hold(&self, peer: Peer) -> Held {
        Held { app: self.0.clone(), peer, bytes: 0 }
    }

    /// Notes that work on a large report took memory that is not held, and is free again.
    pub fn large_work_is_done(&self) {
        let mut used = self.0.lock();
        used.most = used.most.max(used.all + MUCH);
    }

    /// How much is held.
    pub fn held(&self) -> usize {
        self.0.lock().all
    }

    /// Waits until a message of `peer` may be decoded; peers take turns.
    pub(crate) async fn decoding(&self, peer: Peer, bytes: usize) -> Decoding<'_> {
        let turn = self.0.turns.take(peer).await;
        let lines = bytes.saturating_mul(GROWTH_OF_LINES).min(LINES);
        let most = bytes.saturating_mul(GROWTH).saturating_add(lines).div_ceil(KIB);
        let units = u32::try_from(most).unwrap_or(u32::MAX).min(self.0.decoding_most);
        // It is never closed.
        let memory = self.0.decoding.acquire_many(units).await.ok();
        Decoding { _memory: memory, _turn: turn }
    }
}

/// How often to check whether much was freed.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// The amount that is worth the time that giving it back takes.
const MUCH: usize = 8 * 1024 * KIB;

/// Gives memory that reports no longer take back to the system, forever.
pub async fn run_give_back(memory: Memory) {
    loop {
        tokio::time::sleep(LOOK_AGAIN).await;
        let freed = {
            let mut used = memory.0.lock();
            let freed = used.most - used.all;
            if freed >= MUCH {
                used.most = used.all;
            }
            freed
        };
        if freed >= MUCH {
            // It ends as soon as the allocator is done.
            let _ = tokio::task::spawn_blocking(flawless_heap::give_back).await;
        }
    }
}

/// Permission to decode; drop it when that is done.
#[derive(Debug)]
pub(crate) struct Decoding<'a> {
    _memory: Option<SemaphorePermit<'a>>,
    _turn: Turn,
}

/// Memory that one report takes; given back when dropped.
#[derive(Debug)]
pub struct Held {
    app: Arc<App>,
    peer: Peer,
    bytes: usize,
}

impl Held {
    /// Takes this many bytes from now on. If they are not granted it keeps what it had.
    ///
    /// # Errors
    /// There is not enough for this peer.
    pub(crate) fn resize(&mut self, bytes: usize) -> Result<(), NoMemory> {
        let mut used = self.app.lock();
        let others = used.all - self.bytes;
        let of_peer = used.peers.get(&self.peer).copied().unwrap_or_default();
        let of_peer = of_peer - self.bytes + bytes;
        if bytes > self.bytes {
            let free = self.app.limit.saturating_sub(others + bytes);
            if bytes > self.app.limit / 2 {
                return Err(NoMemory::Ever);
            }
            if of_peer > free {
                return Err(NoMemory::Now);
            }
        }
        used.all = others + bytes;
        used.most = used.most.max(used.all);
        match of_peer {
            0 => used.peers.remove(&self.peer),
            of_peer => used.peers.insert(self.peer, of_peer),
        };
        self.bytes = bytes;
        Ok(())
    }

    /// How much it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Less is always granted.
        let _ = self.resize(0);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn peer(last: u8) -> Peer {
        Peer::from(IpAddr::from([10, 0, 0, last]))
    }

    /// 3,000 bytes besides those for decoding.
    fn memory() -> Memory {
        Memory::new(4_000)
    }

    #[test]
    fn peer_gets_half_and_always_leaves_room_for_another() {
        let memory = memory();
        let mut hog = memory.hold(peer(1));
        hog.resize(1_500).expect("half");
        assert_eq!(hog.resize(1_501), Err(NoMemory::Ever));
        assert_eq!(memory.hold(peer(1)).resize(1), Err(NoMemory::Now));
        let mut other = memory.hold(peer(2));
        other.resize(700).expect("room for another");
        assert_eq!(other.resize(800), Err(NoMemory::Now));
        let mut third = memory.hold(peer(3));
        third.resize(400).expect("and for the next");
        drop(hog);
        third.resize(1_150).expect("what was given back can be had");
        other.resize(0).expect("less is always granted");
        drop((other, third));
        let used = memory.0.used.lock().expect("no panic");
        assert_eq!((used.all, used.peers.len()), (0, 0), "nothing is left behind");
    }

    #[tokio::test]
    async fn largest_message_is_decoded_alone() {
        let memory = memory();
        let decoding = memory.decoding(peer(1), usize::MAX).await;
        assert!(memory.0.decoding.try_acquire().is_err());
        drop(decoding);
        assert!(memory.0.decoding.try_acquire().is_ok());
    }
}
