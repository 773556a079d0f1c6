//! How many links may be asked for within an hour. Only those that were granted are remembered, so
//! there are never more of them than may be granted in all.
use std::collections::VecDeque;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

const HOUR_MS: i64 = 3_600_000;
const PER_ADDRESS: usize = 5;
const PER_PEER: usize = 20;
const IN_ALL: usize = 200;

/// What was granted within the last hour, the oldest first.
#[derive(Debug, Default)]
pub struct Limits(Mutex<VecDeque<Granted>>);

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
    /// Grants a link, or not; `peer` is `None` where nobody knows who asks.
    ///
    /// # Errors
    /// There were too many for this address, from this peer, or in all.
    pub fn grant(&self, address: &str, peer: Option<IpAddr>, now: i64) -> Result<(), TooMany> {
        let mut granted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while granted.front().is_some_and(|first| first.at <= now - HOUR_MS) {
            granted.pop_front();
        }
        let peer = peer.map(network);
        let address = address.to_ascii_lowercase();
        let check = |limit: usize, counts: &dyn Fn(&Granted) -> bool| {
            let mut counted = granted.iter().filter(|granted| counts(granted));
            let first = counted.next().map(|first| first.at);
            match first {
                Some(first) if 1 + counted.count() >= limit => {
                    Err(TooMany { until: first + HOUR_MS })
                }
                _ => Ok(()),
            }
        };
        check(PER_ADDRESS, &|granted| granted.address == address)?;
        if peer.is_some() {
            check(PER_PEER, &|granted| granted.peer == peer)?;
        }
        check(IN_ALL, &|_| true)?;
        granted.push_back(Granted { at: now, address, peer });
        Ok(())
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
    fn an_address_a_peer_and_all_together_get_so_many_links_an_hour() {
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
        for number in 20..200 {
            let at = u8::try_from(2 + number / 20).expect("small");
            assert_eq!(limits.grant(&format!("{number}@x.y"), peer(at), 6), Ok(()));
        }
        assert!(limits.grant("last@x.y", None, 7).is_err());
        // The first is an hour old.
        assert_eq!(limits.grant("ann@x.y", peer(99), HOUR_MS), Ok(()));
        let six = |text: &str| text.parse::<IpAddr>().expect("an address");
        assert_eq!(network(six("2001:db8::1")), network(six("2001:db8::ffff:2")));
        assert_eq!(network(six("::ffff:192.0.2.1")), six("192.0.2.1"));
    }
}
