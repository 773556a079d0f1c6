//! Listens for HTTP: pages and reports. Connections are bounded in number, and one that sends no
//! request is closed.
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::ConnectInfo;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};

use super::accept::run_accept;
use super::places::Place;

/// What a connection may do.
#[derive(Debug, Clone, Copy)]
pub struct HttpLimits {
    /// Connections open simultaneously.
    pub max_connections: usize,
    /// Time for the head of a request to arrive, counted from the end of the one before.
    pub head: Duration,
}

/// Largest head of a request. As much is read ahead of a body.
const MAX_HEAD: usize = 32 * 1024;

/// Serves connections forever. Handlers find the peer as [`ConnectInfo`].
pub async fn run_http(listener: TcpListener, router: Router, limits: HttpLimits) {
    let serve = |stream, peer, place| serve(stream, peer, place, router.clone(), limits.head);
    run_accept(listener, limits.max_connections, serve).await;
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    place: Arc<Place>,
    router: Router,
    head: Duration,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let place = place.clone();
        place.talking();
        let mut request = request.map(|body| Arriving { body, place: Some(place.clone()) });
        request.extensions_mut().insert(ConnectInfo(peer));
        let answer = router.call(request);
        async move {
            let answer = answer.await;
            // It is yet to be written; a client that does not read it in time counts as silent.
            place.talking();
            answer
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, %peer, "an HTTP connection ended");
    }
}

/// The body of a request. When it has arrived, or is dropped, the connection counts as working.
struct Arriving {
    body: Incoming,
    place: Option<Arc<Place>>,
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if frame.is_none() || self.body.is_end_stream() {
            self.has_arrived();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Arriving {
    fn has_arrived(&mut self) {
        if let Some(place) = self.place.take() {
            // One that gave its place up is cut off anyway.
            place.working();
        }
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        self.has_arrived();
    }
}
