//! Turns at something that only a limited number may do simultaneously. Peers take them one after
//! the other, however many of one wait.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::peer::Peer;
use super::round_robin::RoundRobin;

/// Gives turns.
#[derive(Debug)]
pub(crate) struct Turns(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    free: usize,
    waiting: RoundRobin<oneshot::Sender<Turn>>,
}

/// A turn; the next one begins when it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    state: Arc<Mutex<State>>,
    /// Whether dropping it changes nothing, because it was handed on or never given.
    is_void: bool,
}

impl Turns {
    pub(crate) fn new(at_once: usize) -> Self {
        Self(Arc::new(Mutex::new(State { free: at_once, waiting: RoundRobin::default() })))
    }

    /// Waits for a turn of `peer`.
    pub(crate) async fn take(&self, peer: Peer) -> Turn {
        loop {
            let turn = {
                let mut state = lock(&self.0);
                if state.free > 0 {
                    state.free -= 1;
                    return Turn { state: self.0.clone(), is_void: false };
                }
                let (given, turn) = oneshot::channel();
                state.waiting.push(peer, given);
                turn
            };
            // Without an answer nobody has given a turn: try again.
            if let Ok(turn) = turn.await {
                return turn;
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_void {
            return;
        }
        let mut state = lock(&self.state);
        while let Some(next) = state.waiting.pop() {
            let turn = Self { state: self.state.clone(), is_void: false };
            match next.send(turn) {
                Ok(()) => return,
                // The waiting task is gone.
                Err(mut unwanted) => unwanted.is_void = true,
            }
        }
        state.free += 1;
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn peer(last: u8) -> Peer {
        Peer::from(IpAddr::from([10, 0, 0, last]))
    }

    #[tokio::test]
    async fn single_request_goes_before_the_many_of_an_earlier_peer() {
        let turns = Arc::new(Turns::new(1));
        let first = turns.take(peer(1)).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let mut waiting = Vec::new();
        for last in [1, 1, 1, 1, 2] {
            let (turns, order) = (turns.clone(), order.clone());
            waiting.push(tokio::spawn(async move {
                let _turn = turns.take(peer(last)).await;
                order.lock().expect("no panic").push(last);
            }));
            tokio::task::yield_now().await;
        }
        // A task that is aborted while it waits keeps nobody waiting.
        waiting.remove(1).abort();
        tokio::task::yield_now().await;
        drop(first);
        for one in waiting {
            one.await.expect("no panic");
        }
        assert_eq!(*order.lock().expect("no panic"), [1, 2, 1, 1]);
        assert_eq!(lock(&turns.0).free, 1);
    }
}
