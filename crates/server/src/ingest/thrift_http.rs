//! Takes the same calls over HTTP, `POST /thrift`: the body is one message without framing.
//!
//! It is no page: it answers under any host name, and the project key in the report is all that
//! counts.
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use flawless_protocol::thrift::{Call, Reply, decode_call, encode_reply};
use http_body_util::BodyExt;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use super::thrift_answer::{Answerer, KeyIs};

/// What a request may do.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Largest body.
    pub max_bytes: usize,
    /// For the whole body to arrive.
    pub time: Duration,
}

/// Bodies up to this size are read at once; of larger ones only so many at a time.
const SMALL_BODY: usize = 64 * 1024;
const LARGE_BODIES_AT_ONCE: usize = 16;
/// So much of a body that is too large is read and thrown away, so that its sender comes to read
/// the answer.
const MAX_THROWN_AWAY: usize = 16 * 1024 * 1024;

const CONTENT_TYPE: &str = "application/x-thrift";

#[derive(Debug, Clone)]
struct Door {
    answerer: Answerer,
    limits: BodyLimits,
    large_bodies: Arc<Semaphore>,
}

/// The one route.
pub fn thrift_router(answerer: Answerer, limits: BodyLimits) -> Router {
    let large_bodies = Arc::new(Semaphore::new(LARGE_BODIES_AT_ONCE));
    let door = Door { answerer, limits, large_bodies };
    Router::new().route("/thrift", post(take)).with_state(door)
}

async fn take(State(door): State<Door>, request: Request) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let peer = peer.map_or_else(String::new, |ConnectInfo(peer)| peer.ip().to_string());
    let client = request.headers().get(header::USER_AGENT);
    let client = client.and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned();
    let mut response = match timeout(door.limits.time, door.read(request)).await {
        // The place among the large ones is given back with the answer.
        Ok(Ok((body, _large))) => door.answer(&body, &peer, &client).await,
        Ok(Err(refusal)) => door.refuse(refusal, &peer),
        Err(_) => door.refuse(Refusal::TooSlow, &peer),
    };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Why a body never became a call.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    TooLarge,
    TooSlow,
    CutOff,
}

impl Door {
    /// The body, and the place among the large ones that it takes.
    async fn read(
        &self,
        request: Request,
    ) -> Result<(Vec<u8>, Option<SemaphorePermit<'_>>), Refusal> {
        let length = request.headers().get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let large = match length {
            Some(length) if length <= SMALL_BODY => None,
            _ => self.large_bodies.acquire().await.ok(),
        };
        Ok((read_body(request.into_body(), self.limits.max_bytes).await?, large))
    }

    fn refuse(&self, refusal: Refusal, peer: &str) -> Response {
        let (status, reason) = match refusal {
            Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "larger than max_report_bytes"),
            Refusal::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too slow to send a report"),
            Refusal::CutOff => (StatusCode::BAD_REQUEST, "cut off within a report"),
        };
        self.answerer.intake.refuse(reason, format!("from {peer}"));
        (status, format!("The body is {reason}.\n")).into_response()
    }

    async fn answer(&self, body: &[u8], peer: &str, client: &str) -> Response {
        let Call { method, sequence, kind } = match decode_call(body) {
            Ok(call) => call,
            Err(error) => {
                let example = format!("{error} from {peer}");
                self.answerer.intake.refuse("not a thrift call", example);
                let text = format!(
                    "The body is no call: {error}. It has to be one message in Thrift's binary \
                     protocol, without framing.\n"
                );
                return (StatusCode::BAD_REQUEST, text).into_response();
            }
        };
        let reply = self.answerer.answer(kind, KeyIs::Required, peer).await;
        if matches!(reply, Reply::Recorded) {
            self.answerer.clients.note(client);
        }
        let status = match reply {
            Reply::Pong | Reply::Recorded => StatusCode::OK,
            Reply::UnknownMethod | Reply::Malformed(_) => StatusCode::BAD_REQUEST,
            Reply::Refused(_) => StatusCode::UNAUTHORIZED,
            Reply::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        match encode_reply(&method, sequence, &reply) {
            Ok(bytes) => (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], bytes).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }
}

/// Grows with the bytes that come, not with what their length promises.
async fn read_body(mut body: Body, max_bytes: usize) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let mut thrown_away = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::CutOff)?;
        let Ok(data) = frame.into_data() else { continue };
        if thrown_away == 0 && bytes.len() + data.len() <= max_bytes {
            bytes.extend_from_slice(&data);
            continue;
        }
        bytes = Vec::new();
        thrown_away += data.len();
        if thrown_away > MAX_THROWN_AWAY {
            break;
        }
    }
    if thrown_away > 0 { Err(Refusal::TooLarge) } else { Ok(bytes) }
}
