//! Listens for HTTP: pages and reports. Connections are bounded in number, and one that does not
//! say what it wants is closed.
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use crate::accept::run_accept;

/// What a connection may do.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// Connections open at once.
    pub max_connections: usize,
    /// For the head of a request to arrive, counted from the end of the one before.
    pub head: Duration,
}

/// Serves connections for ever. Handlers find the peer as [`ConnectInfo`].
pub async fn run_http(listener: TcpListener, router: Router, limits: HttpLimits) {
    let serve = |stream, peer| serve(stream, peer, router.clone(), limits.head);
    run_accept(listener, limits.max_connections, serve).await;
}

async fn serve(stream: TcpStream, peer: SocketAddr, router: Router, head: Duration) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        router.call(request)
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, %peer, "an HTTP connection ended");
    }
}
