//! The places for connections, shared by peer: when all are taken, the peer with the most gives
//! one up for a new one. The longest silent one goes first, then one that is slow to send or to
//! read; never one whose report is being recorded.
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flawless_base::clock::since_now;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::peer::Peer;

/// The places of one port.
#[derive(Debug, Clone)]
pub(crate) struct Places(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    most: usize,
    opened: Instant,
    taken: Mutex<Taken>,
    /// Notified when a place was left, or a connection became silent.
    changed: Notify,
}

#[derive(Debug, Default)]
struct Taken {
    count: usize,
    next: u64,
    peers: HashMap<Peer, HashMap<u64, Arc<Connection>>>,
}

#[derive(Debug)]
struct Connection {
    state: AtomicU8,
    /// Milliseconds since the places were opened.
    since: AtomicU64,
    must_go: Notify,
}

/// Between two calls.
const SILENT: u8 = 0;
/// Bytes of a call or an answer are on their way.
const TALKING: u8 = 1;
/// A call is whole, and is being answered.
const WORKING: u8 = 2;
/// It gave its place up.
const GONE: u8 = 3;

/// A connection that takes longer for a call or an answer may have to give its place up.
const SLOW_MS: u64 = 1_000;
/// How long a new connection waits at most before it looks for a place again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

impl Places {
    pub(crate) fn new(most: usize) -> Self {
        let (taken, changed) = Default::default();
        Self(Arc::new(Inner { most, opened: since_now(), taken, changed }))
    }

    /// Waits until there is a place for a connection of `peer`.
    pub(crate) async fn take(&self, peer: Peer) -> Place {
        loop {
            if let Some(place) = self.try_take(peer, self.0.now()) {
                return place;
            }
            let _ = tokio::time::timeout(LOOK_AGAIN, self.0.changed.notified()).await;
        }
    }

    /// Makes a connection give its place up, because the system allows no more.
    pub(crate) fn give_one_up(&self) {
        self.0.lock().free_one(0, self.0.now());
    }

    fn try_take(&self, peer: Peer, now: u64) -> Option<Place> {
        let mut taken = self.0.lock();
        let own = taken.peers.get(&peer).map_or(0, HashMap::len);
        if taken.count >= self.0.most && !taken.free_one(own, now) {
            return None;
        }
        let connection = Arc::new(Connection {
            state: AtomicU8::new(SILENT),
            since: AtomicU64::new(now),
            must_go: Notify::new(),
        });
        let number = taken.next;
        taken.next += 1;
        taken.count += 1;
        taken.peers.entry(peer).or_default().insert(number, connection.clone());
        Some(Place { places: self.0.clone(), peer, number, connection })
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.opened.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Taken {
    /// Makes a connection of a peer with at least this many give its place up.
    fn free_one(&mut self, at_least: usize, now: u64) -> bool {
        let heard_of = |all: &HashMap<u64, Arc<Connection>>| {
            all.values().map(|connection| connection.since.load(Ordering::Relaxed)).min()
        };
        let mut peers: Vec<(Reverse<usize>, Option<u64>, Peer)> = self
            .peers
            .iter()
            .filter(|(_, all)| all.len() >= at_least)
            .map(|(peer, all)| (Reverse(all.len()), heard_of(all), *peer))
            .collect();
        // Of peers with equally many, the one with the longest silent connection goes first.
        peers.sort_unstable_by_key(|(count, since, _)| (*count, *since));
        for (_, _, peer) in peers {
            while let Some((number, connection)) = self.least_active(peer, now) {
                if connection.leave() {
                    self.remove(peer, number);
                    return true;
                }
            }
        }
        false
    }

    fn least_active(&self, peer: Peer, now: u64) -> Option<(u64, Arc<Connection>)> {
        let all = self.peers.get(&peer)?.iter();
        let candidates = all.filter_map(|(number, connection)| {
            let since = connection.since.load(Ordering::Relaxed);
            match connection.state.load(Ordering::Acquire) {
                SILENT => Some((0, since, *number)),
                TALKING if now.saturating_sub(since) >= SLOW_MS => Some((1, since, *number)),
                _ => None,
            }
        });
        let (_, _, number) = candidates.min()?;
        Some((number, self.peers.get(&peer)?.get(&number)?.clone()))
    }

    fn remove(&mut self, peer: Peer, number: u64) {
        let Some(of_peer) = self.peers.get_mut(&peer) else { return };
        self.count -= usize::from(of_peer.remove(&number).is_some());
        if of_peer.is_empty() {
            self.peers.remove(&peer);
        }
    }
}

impl Connection {
    /// Gives its place up, unless it is at work by now.
    fn leave(&self) -> bool {
        let leave = |state| (state == SILENT || state == TALKING).then_some(GONE);
        let left = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, leave).is_ok();
        if left {
            self.must_go.notify_one();
        }
        left
    }

    /// `false` when it gave its place up.
    fn becomes(&self, state: u8, now: u64) -> bool {
        self.since.store(now, Ordering::Relaxed);
        let change = |before| (before != GONE).then_some(state);
        self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, change).is_ok()
    }
}

/// A connection's place; left when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    places: Arc<Inner>,
    peer: Peer,
    number: u64,
    connection: Arc<Connection>,
}

impl Place {
    /// The connection waits for the next call from now on.
    pub(crate) fn silent(&self) {
        self.connection.becomes(SILENT, self.places.now());
        self.places.changed.notify_one();
    }

    /// Bytes of a call, or of an answer, are on their way from now on.
    pub(crate) fn talking(&self) {
        self.connection.becomes(TALKING, self.places.now());
    }

    /// A call is whole and is being answered; `false` when the place was given up before.
    pub(crate) fn working(&self) -> bool {
        self.connection.becomes(WORKING, self.places.now())
    }

    /// Returns when the connection has to give its place up.
    pub(crate) async fn must_go(&self) {
        self.connection.must_go.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.lock().remove(self.peer, self.number);
        self.places.changed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn peer(last: u8) -> Peer {
        Peer::from(IpAddr::from([10, 0, 0, last]))
    }

    fn is_gone(place: &Place) -> bool {
        place.connection.state.load(Ordering::Acquire) == GONE
    }

    #[tokio::test]
    async fn longest_silent_connection_of_the_largest_peer_gives_way() {
        let places = Places::new(4);
        let take = |last, now| places.try_take(peer(last), now).expect("a place");
        let hog: Vec<Place> = (0..3).map(|now| take(1, now)).collect();
        let single = take(2, 0);
        hog[0].connection.becomes(SILENT, 5);
        let newcomer = take(3, 6);
        assert!(is_gone(&hog[1]), "the first was heard of since");
        tokio::time::timeout(Duration::from_secs(10), hog[1].must_go())
            .await
            .expect("it is notified");
        let again = take(1, 7);
        assert!(is_gone(&hog[2]), "its own, though the others are silent too");
        assert!(![&single, &newcomer, &again, &hog[0]].into_iter().any(is_gone));
        drop(hog);
        assert_eq!(places.0.lock().count, 3, "one that went is not counted off twice");
        drop((single, newcomer, again));
        let taken = places.0.lock();
        assert_eq!((taken.count, taken.peers.len()), (0, 0), "nothing is left behind");
    }

    #[tokio::test]
    async fn slow_sender_gives_way_and_a_working_one_does_not() {
        let places = Places::new(2);
        let take = |last, now| places.try_take(peer(last), now);
        let (slow, working) = (take(1, 0).expect("a place"), take(1, 0).expect("a place"));
        slow.connection.becomes(TALKING, 0);
        assert!(working.working());
        assert!(take(2, SLOW_MS - 1).is_none(), "it may just be sending");
        let newcomer = take(2, SLOW_MS).expect("a place");
        assert!(is_gone(&slow) && !slow.working(), "what it sends now is no longer begun");
        assert!(newcomer.working());
        assert!(take(3, 60 * SLOW_MS).is_none(), "both are being answered");
        let waiting = tokio::spawn({
            let places = places.clone();
            async move { places.take(peer(3)).await }
        });
        tokio::task::yield_now().await;
        working.silent();
        waiting.await.expect("a place as soon as there is one");
        assert!(is_gone(&working));
    }

    #[test]
    fn single_peer_may_have_all_places() {
        let places = Places::new(8);
        let all: Vec<Place> = (0..8).filter_map(|_| places.try_take(peer(1), 0)).collect();
        assert_eq!(all.len(), 8);
        all.iter().for_each(|place| assert!(place.working()));
        assert!(places.try_take(peer(1), 9).is_none());
    }
}
