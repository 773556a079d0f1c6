//! Allows connections to public addresses only: a filter between name resolution and connection, so
//! that a name which resolves differently the second time (DNS rebinding) gains nothing.
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// A name that resolves to private addresses only.
#[derive(Debug, thiserror::Error)]
#[error("{name} leads to {address}, which is not public")]
pub(super) struct NotPublic {
    name: String,
    address: IpAddr,
}

/// The system's name resolution.
#[derive(Debug, Clone, Copy)]
pub(super) struct SystemLookup;

impl Resolve for SystemLookup {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

/// The public addresses that another resolver finds.
#[derive(Debug, Clone)]
pub(super) struct PublicOnly<L>(pub L);

impl<L: Resolve> Resolve for PublicOnly<L> {
    fn resolve(&self, name: Name) -> Resolving {
        let asked = name.as_str().to_owned();
        let found = self.0.resolve(name);
        Box::pin(async move {
            let (public, others): (Vec<SocketAddr>, Vec<SocketAddr>) =
                found.await?.partition(|found| is_public(found.ip()));
            match others.first() {
                Some(other) if public.is_empty() => {
                    Err(NotPublic { name: asked, address: other.ip() }.into())
                }
                _ => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether an address is public, by IANA's registries of special-purpose addresses.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // This network; carrier-grade NAT; protocol assignments.
        [0, ..] | [100, 64..=127, ..] | [192, 0, 0, _] => true,
        // 6to4 relays, benchmarking, and reserved addresses.
        [192, 88, 99, _] | [198, 18..=19, ..] | [240..=255, ..] => true,
        _ => false,
    };
    !(special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        // IPv4 addresses: mapped, by NAT64, by 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        // Protocol assignments including Teredo, and documentation.
        [0x2001, 0..0x200, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..0x1000, ..] => false,
        // All global unicast; loopback, local and multicast addresses are outside of it.
        [0x2000..=0x3fff, ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn public_addresses_are_those_of_the_public_internet() {
        for public in [
            "8.8.8.8",
            "100.63.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().expect(public)), "{public}");
        }
        for other in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::808:808",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(other.parse().expect(other)), "{other}");
        }
    }

    /// Returns the next of its lists at each look-up.
    struct Changing(Mutex<Vec<Vec<&'static str>>>);

    impl Resolve for Changing {
        fn resolve(&self, _: Name) -> Resolving {
            let found = self.0.lock().expect("no panic").remove(0);
            let found = found.into_iter().map(|text| SocketAddr::new(text.parse().expect("ip"), 0));
            let found: Addrs = Box::new(found.collect::<Vec<_>>().into_iter());
            Box::pin(async { Ok(found) })
        }
    }

    #[tokio::test]
    async fn name_that_resolves_elsewhere_later_gains_nothing() {
        let first = vec!["8.8.8.8", "10.0.0.1"];
        let lookup = Changing(Mutex::new(vec![first, vec!["127.0.0.1"], vec!["8.8.4.4"]]));
        let filter = PublicOnly(lookup);
        let ask = async || {
            let found = filter.resolve("hooks.example.com".parse().expect("a name")).await;
            found.map(|found| found.map(|found| found.ip().to_string()).collect::<Vec<_>>())
        };
        assert_eq!(ask().await.expect("public"), ["8.8.8.8"], "the private one is left out");
        let refused = ask().await.expect_err("loopback");
        assert!(refused.is::<NotPublic>());
        assert_eq!(
            refused.to_string(),
            "hooks.example.com leads to 127.0.0.1, which is not public"
        );
        assert_eq!(ask().await.expect("public again"), ["8.8.4.4"]);
    }
}
