//! Bodies of HTTP requests: bounded in size, time and memory.
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request};
use http_body_util::BodyExt;
use ipnet::IpNet;

use crate::listen::peer::forwarded_for;

/// Limits of a request body.
#[derive(Debug, Clone)]
pub struct BodyLimits {
    /// Largest body.
    pub max_bytes: usize,
    /// Time for the whole body to arrive.
    pub time: Duration,
    /// Proxies whose statement of the sender's address is trusted.
    pub trusted_proxies: Vec<IpNet>,
}

/// Bytes of a body beyond the limit that are read and discarded, so that its sender gets to read
/// the answer.
const MAX_THROWN_AWAY: usize = 16 * 1024 * 1024;

impl BodyLimits {
    /// The address of the sender.
    pub(super) fn address(&self, request: &Request) -> IpAddr {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(Ipv4Addr::LOCALHOST.into(), |ConnectInfo(peer)| peer.ip());
        let peer = peer.to_canonical();
        let trusts = |hop: IpAddr| {
            let hop = hop.to_canonical();
            self.trusted_proxies.iter().any(|network| network.contains(&hop))
        };
        let forwarded = trusts(peer).then(|| forwarded_for(request.headers(), trusts));
        forwarded.flatten().unwrap_or(peer)
    }
}

/// The connection ended within a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct CutOff;

/// Gives the parts of a body to `take`, and how many bytes there are with it. One that is too large
/// is read further for a while. Returns its length.
pub(super) async fn read_parts(
    mut body: Body,
    most: usize,
    mut take: impl FnMut(Bytes, usize),
) -> Result<usize, CutOff> {
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| CutOff)?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > most + MAX_THROWN_AWAY {
            break;
        }
        take(data, length);
    }
    Ok(length)
}
