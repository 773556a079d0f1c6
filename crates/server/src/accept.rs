//! Takes connections, bounded in number.
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// Serves connections for ever, each in a task of its own.
pub(crate) async fn run_accept<Served>(
    listener: TcpListener,
    max_connections: usize,
    serve: impl Fn(TcpStream, SocketAddr) -> Served,
) where
    Served: Future<Output = ()> + Send + 'static,
{
    let connections = Arc::new(Semaphore::new(max_connections));
    loop {
        // Waiting here leaves further connections in the kernel's queue.
        let Ok(permit) = connections.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, peer)) => {
                // An answer is one small write that must not wait for more.
                let _ = stream.set_nodelay(true);
                let served = serve(stream, peer);
                tokio::spawn(async move {
                    served.await;
                    drop(permit);
                });
            }
            Err(error) => {
                // Out of file handles: connections that end make room.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}
