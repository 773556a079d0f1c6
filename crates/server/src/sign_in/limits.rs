//! How many links may be asked for within an hour, and how many mails with one may be written.
//! Whoever asks for addresses that may not sign in uses up nothing that others need.
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

const HOUR_MS: i64 = 3_600_000;
const PER_ADDRESS: usize = 5;
const PER_PEER: usize = 20;
const IN_ALL: usize = 200;

/// So many that were asked for are remembered.
const KEPT: usize = 5_000;

/// What was granted within the last hour, the oldest first.
#[derive(Debug, Default)]
pub struct Limits {
    asked: Mutex<VecDeque<Granted>>,
    /// Never more than [`IN_ALL`].
    written: Mutex<VecDeque<Granted>>,
}

#[derive(Debug)]
struct Granted {
    at: i64,
    address: String,
    peer: Option<IpAddr>,
}

/// There were too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// When the next may be asked for.
    pub until: i64,
}

impl Limits {
    /// Grants the asking for a link, or not; `peer` is `None` where nobody knows who asks.
    ///
    /// # Errors
    /// There were too many for this address, or from this peer.
    pub fn grant(&self, address: &str, peer: Option<IpAddr>, now: i64) -> Result<(), TooMany> {
        let mut asked = of_this_hour(&self.asked, now);
        let peer = peer.map(network);
        let address = address.to_ascii_lowercase();
        check(&asked, PER_ADDRESS, |granted| granted.address == address)?;
        if peer.is_some() {
            check(&asked, PER_PEER, |granted| granted.peer == peer)?;
        }
        if asked.len() >= KEPT {
            asked.pop_front();
        }
        asked.push_back(Granted { at: now, address, peer });
        Ok(())
    }

    /// Grants a mail to an address that may sign in, or not. Who asked is not told: the answer
    /// would say that the address is known.
    ///
    /// # Errors
    /// There were too many for this address, or in all.
    pub fn grant_mail(&self, address: &str, now: i64) -> Result<(), TooMany> {
        let mut written = of_this_hour(&self.written, now);
        let address = address.to_ascii_lowercase();
        // Once more: of those that were asked for the oldest may be forgotten.
        check(&written, PER_ADDRESS, |granted| granted.address == address)?;
        check(&written, IN_ALL, |_| true)?;
        written.push_back(Granted { at: now, address, peer: None });
        Ok(())
    }
}

fn of_this_hour(granted: &Mutex<VecDeque<Granted>>, now: i64) -> MutexGuard<'_, VecDeque<Granted>> {
    let mut granted = granted.lock().unwrap_or_else(PoisonError::into_inner);
    while granted.front().is_some_and(|first| first.at <= now - HOUR_MS) {
        granted.pop_front();
    }
    granted
}

fn check(
    granted: &VecDeque<Granted>,
    limit: usize,
    counts: impl Fn(&Granted) -> bool,
) -> Result<(), TooMany> {
    let mut counted = granted.iter().filter(|granted| counts(granted));
    let first = counted.next().map(|first| first.at);
    match first {
        Some(first) if 1 + counted.count() >= limit => Err(TooMany { until: first + HOUR_MS }),
        _ => Ok(()),
    }
}

/// One network of the sixth version is one peer: it has more addresses than anybody can count.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_and_a_peer_get_so_many_links_an_hour() {
        let limits = Limits::default();
        let peer = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        for at in 0..5 {
            assert_eq!(limits.grant("ann@x.y", peer(1), at), Ok(()));
        }
        assert_eq!(limits.grant("ANN@x.y", peer(2), 5), Err(TooMany { until: HOUR_MS }));
        for number in 5..20 {
            assert_eq!(limits.grant(&format!("{number}@x.y"), peer(1), 5), Ok(()));
        }
        assert!(limits.grant("other@x.y", peer(1), 5).is_err());
        // The first is an hour old.
        assert_eq!(limits.grant("ann@x.y", peer(99), HOUR_MS), Ok(()));
        let six = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(network(six("2001:db8::1")), network(six("2001:db8::ffff:2")));
        assert_eq!(network(six("::ffff:192.0.2.1")), six("192.0.2.1"));
    }

    #[test]
    fn mails_are_limited_in_all_and_asking_in_vain_uses_none_of_them_up() {
        let limits = Limits::default();
        for number in 0..KEPT + 10 {
            assert_eq!(limits.grant(&format!("{number}@evil.example"), None, 1), Ok(()));
        }
        assert_eq!(limits.asked.lock().expect("lock").len(), KEPT);
        for number in 0..IN_ALL {
            let address = format!("{}@x.y", number / PER_ADDRESS);
            assert_eq!(limits.grant_mail(&address, 2), Ok(()));
        }
        assert_eq!(limits.grant_mail("last@x.y", 3), Err(TooMany { until: 2 + HOUR_MS }));
        assert_eq!(limits.grant_mail("0@x.y", 2 + HOUR_MS), Ok(()));
    }
}
