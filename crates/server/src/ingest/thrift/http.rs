//! Takes the same calls over HTTP, `POST /thrift`: the body is one message without framing.
//!
//! It is not a page: it answers under any host name, and only the project key in the report counts.
use std::net::IpAddr;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use flawless_protocol::DecodeError;
use flawless_protocol::thrift::Reply;
use tokio::time::timeout;

use super::answer::{Answer, Answerer, KeyRule};
use crate::ingest::body::{BodyLimits, CutOff, read_parts};
use crate::ingest::message::{Head, Message, Unkept};
use crate::ingest::post::browsers::for_senders;
use crate::listen::memory::Held;

const CONTENT_TYPE: &str = "application/x-thrift";

#[derive(Debug, Clone)]
struct Door {
    answerer: Answerer,
    limits: BodyLimits,
}

/// The one route.
pub fn thrift_router(answerer: Answerer, limits: BodyLimits) -> Router {
    Router::new().route("/thrift", post(take)).with_state(Door { answerer, limits })
}

async fn take(State(door): State<Door>, request: Request) -> Response {
    let address = door.limits.address(&request);
    let client = request.headers().get(header::USER_AGENT);
    let client = client.and_then(|name| name.to_str().ok()).unwrap_or_default().to_owned();
    let held = door.answerer.hold(address);
    let read = read_body(request.into_body(), door.limits.max_bytes, held);
    let response = match timeout(door.limits.time, read).await {
        Ok(Ok(arrived)) => door.answer(arrived, address, &client).await,
        Ok(Err(refusal)) => door.refuse(refusal, address),
        Err(_) => door.refuse(Refusal::TooSlow, address),
    };
    for_senders(response)
}

/// Why a body could not be read.
#[derive(Debug, Clone, Copy)]
enum Refusal {
    TooLarge,
    TooSlow,
    CutOff,
}

/// A body that has arrived.
enum Arrived {
    Whole(Message),
    Unkept(Head, Unkept),
}

impl Door {
    fn refuse(&self, refusal: Refusal, address: IpAddr) -> Response {
        let (status, reason) = match refusal {
            Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, Unkept::TooLarge.reason()),
            Refusal::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too slow to send a report"),
            Refusal::CutOff => (StatusCode::BAD_REQUEST, "cut off within a report"),
        };
        self.answerer.intake.refuse(reason, format!("from {address}"));
        (status, format!("The body is {reason}.\n")).into_response()
    }

    async fn answer(&self, arrived: Arrived, address: IpAddr, client: &str) -> Response {
        let answer = match arrived {
            Arrived::Whole(message) => {
                self.answerer.answer(message, KeyRule::Required, address).await
            }
            Arrived::Unkept(head, why) => self.answerer.answer_unkept(&head, why, address),
        };
        let Answer { reply, bytes } = match answer {
            Ok(answer) => answer,
            Err(error) => return no_call(&error),
        };
        if matches!(reply, Reply::Recorded) {
            self.answerer.clients.note(client);
        }
        let status = match reply {
            Reply::Pong | Reply::Recorded => StatusCode::OK,
            Reply::UnknownMethod | Reply::Malformed(_) => StatusCode::BAD_REQUEST,
            Reply::Refused(_) => StatusCode::UNAUTHORIZED,
            Reply::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        (status, [(header::CONTENT_TYPE, CONTENT_TYPE)], bytes).into_response()
    }
}

fn no_call(error: &DecodeError) -> Response {
    let text = format!(
        "The body is not a call: {error}. Send one message in Thrift's binary protocol, \
         without framing.\n"
    );
    (StatusCode::BAD_REQUEST, text).into_response()
}

async fn read_body(body: Body, most: usize, held: Held) -> Result<Arrived, Refusal> {
    let mut arrived = Some(Arrived::Whole(Message::new(held, most)));
    let take = |data: Bytes, length: usize| {
        arrived = arrived.take().map(|arrived| arrived.with(&data, length > most));
    };
    let length = read_parts(body, most, take).await.map_err(|CutOff| Refusal::CutOff)?;
    arrived.filter(|_| length <= most).ok_or(Refusal::TooLarge)
}

impl Arrived {
    fn with(self, data: &[u8], is_too_large: bool) -> Self {
        match self {
            // A body that is too large is read further, but not kept.
            Self::Whole(message) if is_too_large => {
                Self::Unkept(message.into_head(), Unkept::TooLarge)
            }
            Self::Whole(mut message) => match message.make_room(data.len()) {
                Ok(()) => {
                    message.bytes.extend_from_slice(data);
                    Self::Whole(message)
                }
                Err(no_memory) => {
                    let mut head = message.into_head();
                    head.add(data);
                    Self::Unkept(head, Unkept::NoMemory(no_memory))
                }
            },
            Self::Unkept(mut head, why) => {
                head.add(data);
                Self::Unkept(head, why)
            }
        }
    }
}
