//! A service with webhooks: a real HTTP server that keeps what it gets and answers as told.
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::wait_until;

/// A request that the service got.
#[derive(Debug, Clone)]
pub struct Posted {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Posted {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().expect("text")
    }
}

/// Status, headers, body; `None` for no answer, ever.
type Reply = Option<(u16, Vec<(&'static str, String)>, String)>;

#[derive(Default)]
struct Kept {
    posts: Vec<Posted>,
    replies: VecDeque<Reply>,
}

/// Dropping it stops the service.
pub struct Webhook {
    pub address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    task: JoinHandle<()>,
}

impl Webhook {
    /// Starts a service that accepts everything until a test changes that.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let kept = Arc::<Mutex<Kept>>::default();
        let router = Router::new().fallback(take).with_state(kept.clone());
        let task = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("it serves");
        });
        Self { address, kept, task }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request that has no reply yet gets this one.
    pub fn reply(&self, status: u16, headers: &[(&'static str, String)], body: &str) {
        let reply = Some((status, headers.to_vec(), body.to_owned()));
        self.kept.lock().expect("lock").replies.push_back(reply);
    }

    /// The next request that has no reply yet gets none.
    pub fn hang(&self) {
        self.kept.lock().expect("lock").replies.push_back(None);
    }

    /// The requests so far.
    pub fn posts(&self) -> Vec<Posted> {
        self.kept.lock().expect("lock").posts.clone()
    }

    /// Waits until there are at least `number` requests, and returns them.
    pub async fn wait_for(&self, number: usize) -> Vec<Posted> {
        wait_until("the posts have arrived", async || self.posts().len() >= number).await;
        self.posts()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn take(
    State(kept): State<Arc<Mutex<Kept>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, HeaderMap, String) {
    let path = uri.to_string();
    let reply = {
        let mut kept = kept.lock().expect("lock");
        kept.posts.push(Posted { path, headers, body });
        kept.replies.pop_front()
    };
    let (status, headers, body) = match reply {
        Some(Some(reply)) => reply,
        Some(None) => std::future::pending().await,
        None => (200, Vec::new(), "ok".to_owned()),
    };
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(name, value.parse().expect("a header"));
    }
    (StatusCode::from_u16(status).expect("a status"), map, body)
}
