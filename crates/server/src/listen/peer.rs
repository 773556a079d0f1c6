//! The peers that share places, memory and turns: an IPv4 address, or an IPv6 network of 64 bits,
//! because one machine can have any number of IPv6 addresses.
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;

/// As much of an address as tells two senders apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(IpAddr);

/// The part of an IPv6 address that a provider gives to one customer.
const NETWORK: u128 = !0 << 64;

impl From<IpAddr> for Peer {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) if !address.is_loopback() => {
                Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()
            }
            address => address,
        })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V6(network) if !network.is_loopback() => write!(f, "{network}/64"),
            address => write!(f, "{address}"),
        }
    }
}

/// Where a request comes from, as trusted proxies say: the last hop that is not one of them.
pub(crate) fn forwarded_for(
    headers: &HeaderMap,
    trusts: impl Fn(IpAddr) -> bool,
) -> Option<IpAddr> {
    let lines = headers.get_all("x-forwarded-for").iter();
    let hops: Vec<&str> =
        lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).collect();
    let mut hops = hops.into_iter().rev().map_while(address_of);
    hops.find(|hop| !trusts(*hop)).map(|hop| hop.to_canonical())
}

/// The address in one part of `X-Forwarded-For`; some proxies write its port too.
fn address_of(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|hop| hop.ip());
    let in_brackets = || hop.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    hop.parse().ok().or_else(with_port).or_else(in_brackets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_network_and_ipv4_address_in_any_form_are_one_peer() {
        let peer = |text: &str| Peer::from(text.parse::<IpAddr>().expect("an address"));
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:1"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:192.0.2.7"), peer("192.0.2.7"));
        assert_ne!(peer("192.0.2.7"), peer("192.0.2.8"));
        for (address, shown) in
            [("2001:db8::7", "2001:db8::/64"), ("192.0.2.7", "192.0.2.7"), ("::1", "::1")]
        {
            assert_eq!(peer(address).to_string(), shown);
        }
    }

    #[test]
    fn hop_has_its_address_with_and_without_a_port() {
        for (hop, address) in [
            (" 192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:5678 ", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]:443", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("unknown", None),
            ("192.0.2.1:port", None),
        ] {
            let address = address.map(|address| address.parse().expect("an address"));
            assert_eq!(address_of(hop), address, "{hop:?}");
        }
    }
}
