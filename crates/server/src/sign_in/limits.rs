//! How many links may be requested within an hour, and how many mails with one may be sent.
//! Requests for addresses that may not sign in use up nothing that others need.
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

const HOUR_MS: i64 = 3_600_000;
const PER_ADDRESS: Limit = Limit { an_hour: 5, then_every: 5 * 60_000 };
const PER_PEER: Limit = Limit { an_hour: 20, then_every: 60_000 };
/// For all addresses together that may sign in but are otherwise unknown.
const OF_UNKNOWN: Limit = Limit { an_hour: 200, then_every: 60_000 };

/// A number within an hour, and then one per interval: somebody who uses up what another person may
/// request makes them wait for minutes, but does not lock them out.
#[derive(Debug, Clone, Copy)]
struct Limit {
    an_hour: usize,
    then_every: i64,
}

/// How many requests are remembered.
const KEPT: usize = 5_000;

/// What was granted within the last hour, the oldest first.
#[derive(Debug, Default)]
pub struct Limits {
    asked: Mutex<VecDeque<Granted>>,
    written: Mutex<VecDeque<Granted>>,
}

#[derive(Debug)]
struct Granted {
    at: i64,
    address: String,
    peer: Option<IpAddr>,
    is_known: bool,
}

/// Too many were requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// When the next may be requested.
    pub until: i64,
}

impl Limits {
    /// Grants or refuses the request of a link; `peer` is `None` where its sender is unknown.
    ///
    /// # Errors
    /// There were too many for this address from this peer, or too many from this peer.
    pub fn grant(&self, address: &str, peer: Option<IpAddr>, now: i64) -> Result<(), TooMany> {
        let mut asked = of_this_hour(&self.asked, now);
        let peer = peer.map(network);
        let address = address.to_ascii_lowercase();
        let is_same = |granted: &Granted| granted.address == address && granted.peer == peer;
        check(&asked, PER_ADDRESS, now, is_same)?;
        if peer.is_some() {
            check(&asked, PER_PEER, now, |granted| granted.peer == peer)?;
        }
        keep(&mut asked, Granted { at: now, address, peer, is_known: false });
        Ok(())
    }

    /// Grants or refuses a mail to an address that may sign in. The sender of the request is not
    /// told, because the answer would reveal that the address may. `is_known` says whether the
    /// installation knows the person, and not only the domain.
    ///
    /// # Errors
    /// There were too many for this address, or for all that are not known.
    pub fn grant_mail(&self, address: &str, is_known: bool, now: i64) -> Result<(), TooMany> {
        let mut written = of_this_hour(&self.written, now);
        let address = address.to_ascii_lowercase();
        // Regardless of the sender, so that nobody's mailbox is flooded.
        check(&written, PER_ADDRESS, now, |granted| granted.address == address)?;
        if !is_known {
            check(&written, OF_UNKNOWN, now, |granted| !granted.is_known)?;
        }
        keep(&mut written, Granted { at: now, address, peer: None, is_known });
        Ok(())
    }
}

fn keep(granted: &mut VecDeque<Granted>, new: Granted) {
    if granted.len() >= KEPT {
        granted.pop_front();
    }
    granted.push_back(new);
}

fn of_this_hour(granted: &Mutex<VecDeque<Granted>>, now: i64) -> MutexGuard<'_, VecDeque<Granted>> {
    let mut granted = granted.lock().unwrap_or_else(PoisonError::into_inner);
    // A clock that was ahead locks nobody out.
    granted.iter_mut().for_each(|granted| granted.at = granted.at.min(now));
    while granted.front().is_some_and(|first| first.at <= now - HOUR_MS) {
        granted.pop_front();
    }
    granted
}

fn check(
    granted: &VecDeque<Granted>,
    limit: Limit,
    now: i64,
    counts: impl Fn(&Granted) -> bool,
) -> Result<(), TooMany> {
    let counted: Vec<i64> =
        granted.iter().filter(|granted| counts(granted)).map(|granted| granted.at).collect();
    let (Some(first), Some(last)) = (counted.first(), counted.last()) else { return Ok(()) };
    let next = (last + limit.then_every).min(first + HOUR_MS);
    if counted.len() >= limit.an_hour && now < next {
        return Err(TooMany { until: next });
    }
    Ok(())
}

/// An IPv6 network is one peer, because it has too many addresses to limit one by one.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    #[test]
    fn links_per_address_and_peer_are_limited_then_slow_down() {
        let limits = Limits::default();
        let peer = |last: u8| Some(IpAddr::from([192, 0, 2, last]));
        for at in 0..5 {
            assert_eq!(limits.grant("ann@x.y", peer(1), at), Ok(()));
        }
        let until = 4 + 5 * MINUTE;
        assert_eq!(limits.grant("ANN@x.y", peer(1), 5), Err(TooMany { until }));
        assert_eq!(limits.grant("ann@x.y", peer(1), until), Ok(()));
        assert_eq!(limits.grant("ann@x.y", peer(2), 5), Ok(()), "somebody else asks for her");
        for number in 6..20 {
            assert_eq!(limits.grant(&format!("{number}@x.y"), peer(1), until), Ok(()));
        }
        let next = until + MINUTE;
        assert_eq!(limits.grant("other@x.y", peer(1), until), Err(TooMany { until: next }));
        assert_eq!(limits.grant("other@x.y", peer(1), next), Ok(()));
        // The first is an hour old.
        assert_eq!(limits.grant("ann@x.y", peer(99), HOUR_MS), Ok(()));
        let six = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(network(six("2001:db8::1")), network(six("2001:db8::ffff:2")));
        assert_eq!(network(six("::ffff:192.0.2.1")), six("192.0.2.1"));
    }

    #[test]
    fn requests_of_others_lock_nobody_out() {
        let limits = Limits::default();
        // Somebody requests links for her as fast as they can, from everywhere.
        let mut waited = 0;
        for second in 0..3_600 {
            waited = match limits.grant_mail("ann@x.y", true, second * 1_000) {
                Ok(()) => 0,
                Err(_) => waited + 1,
            };
            assert!(waited <= 5 * 60, "she waits for minutes");
        }
        for number in 0..KEPT + 10 {
            assert_eq!(limits.grant(&format!("{number}@evil.example"), None, 1), Ok(()));
        }
        assert_eq!(limits.asked.lock().expect("lock").len(), KEPT);
        for number in 0..OF_UNKNOWN.an_hour {
            assert_eq!(limits.grant_mail(&format!("{number}@x.y"), false, HOUR_MS), Ok(()));
        }
        assert!(limits.grant_mail("last@x.y", false, HOUR_MS).is_err());
        assert_eq!(limits.grant_mail("last@x.y", false, HOUR_MS + MINUTE), Ok(()));
        assert_eq!(limits.grant_mail("ben@x.y", true, HOUR_MS), Ok(()), "he is known");
    }
}
