//! Accepts connections, bounded in number.
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use super::peer::Peer;
use super::places::{Place, Places};

/// Serves connections forever, each in a task of its own that ends when its place is needed.
pub(crate) async fn run_accept<Served>(
    listener: TcpListener,
    max_connections: usize,
    serve: impl Fn(TcpStream, SocketAddr, Arc<Place>) -> Served,
) where
    Served: Future<Output = ()> + Send + 'static,
{
    let places = Places::new(max_connections);
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // An answer is one small write that must not wait for more.
                let _ = stream.set_nodelay(true);
                // Waiting here leaves further connections in the kernel's queue.
                let place = Arc::new(places.take(Peer::from(peer.ip())).await);
                let served = serve(stream, peer, place.clone());
                tokio::spawn(async move {
                    tokio::select! {
                        () = served => {}
                        () = place.must_go() => {}
                    }
                });
            }
            Err(error) => {
                // The file descriptors ran out before the places.
                tracing::warn!(%error, "a connection could not be accepted");
                places.give_one_up();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
