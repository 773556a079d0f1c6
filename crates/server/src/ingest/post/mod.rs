//! What all protocols share that post JSON or similar over HTTP: a body that arrives, who sent it, and
//! reports that are handed over.
pub(super) mod browsers;
mod refusal;

use std::net::IpAddr;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Uri, header};
use flawless_core::Report;
use flawless_protocol::content_encoding::decoded;
use flawless_protocol::lenient_json::nodes;
use tokio::time::timeout;

pub(super) use refusal::Refusal;

use super::Answerer;
use super::body::{BodyLimits, CutOff, read_parts};
use super::message::{Message, Unkept};
use super::report_size::memory_of_report;
use super::sender::{KeyProblem, sender_to};
use crate::intake::Sender;
use crate::listen::memory::{Decoding, Held, NoMemory};
use crate::listen::peer::Peer;

/// Where requests with reports arrive.
#[derive(Debug, Clone)]
pub(super) struct Door {
    pub(super) answerer: Answerer,
    pub(super) limits: BodyLimits,
}

/// A request of which the body has arrived.
pub(super) struct Received {
    pub(super) headers: HeaderMap,
    pub(super) uri: Uri,
    pub(super) from: SentFrom,
    message: Message,
    /// More came than is kept.
    pub(super) is_cut: bool,
}

/// Who sent a request.
#[derive(Debug, Clone)]
pub(super) struct SentFrom {
    pub(super) address: IpAddr,
    pub(super) user_agent: String,
}

/// A body without its content encoding, and the memory that it holds.
pub(super) struct Decoded {
    pub(super) bytes: Vec<u8>,
    _held: Held,
}

impl Door {
    /// Reads a request.
    pub(super) async fn receive(&self, request: Request) -> Result<Received, Refusal> {
        let address = self.limits.address(&request);
        let (parts, body) = request.into_parts();
        let user_agent = header_text(&parts.headers, header::USER_AGENT.as_str());
        let read = read(body, self.limits.max_bytes, self.answerer.hold(address));
        let read = timeout(self.limits.time, read).await.unwrap_or(Err(Refusal::TooSlow));
        let from = SentFrom { address, user_agent };
        let (message, is_cut) = read.map_err(|refusal| self.refuse(&from, refusal))?;
        Ok(Received { headers: parts.headers, uri: parts.uri, from, message, is_cut })
    }

    /// Removes the content encoding of a body.
    pub(super) async fn decode(
        &self,
        message: Message,
        headers: &HeaderMap,
        from: &SentFrom,
    ) -> Result<Decoded, Refusal> {
        let Message { bytes, mut held, .. } = message;
        let memory = self.answerer.intake.memory();
        let turn = memory.decoding(from.address.into(), bytes.len()).await;
        let encodings = header_text(headers, header::CONTENT_ENCODING.as_str());
        let bytes = decoded(bytes, &encodings, self.limits.max_bytes)?;
        held.resize(bytes.capacity()).map_err(no_memory)?;
        drop(turn);
        Ok(Decoded { bytes, _held: held })
    }

    /// Counts what is refused, unless somebody else has counted it.
    pub(super) fn refuse(&self, from: &SentFrom, refusal: Refusal) -> Refusal {
        if let Some((reason, detail)) = refusal.counted_as() {
            let example = format!("{detail} {from}");
            self.answerer.intake.refuse(reason, example.trim_start().to_owned());
        }
        refusal
    }

    /// The sender with this key, which has to be one of the project, if the address names one.
    pub(super) fn sender(
        &self,
        key: Option<&str>,
        project: &str,
        from: &SentFrom,
    ) -> Result<Sender, Refusal> {
        let Answerer { projects, intake, .. } = &self.answerer;
        let found = sender_to(projects, intake, key, project, from.address);
        found.map_err(|problem| match problem {
            KeyProblem::Missing => Refusal::NoKey,
            KeyProblem::Unknown | KeyProblem::OtherProject => Refusal::WrongKey(WRONG_KEY),
            known => Refusal::WrongKey(known.why()),
        })
    }

    /// Waits until a JSON document may be decoded.
    pub(super) async fn decoding_json(&self, peer: Peer, document: &[u8]) -> Decoding<'_> {
        let values = nodes(document).saturating_mul(BYTES_OF_A_VALUE);
        self.decoding(peer, document.len().max(values)).await
    }

    /// Waits until something may be decoded that takes as much memory as a message of `bytes`.
    pub(super) async fn decoding(&self, peer: Peer, bytes: usize) -> Decoding<'_> {
        self.answerer.intake.memory().decoding(peer, bytes).await
    }

    /// Hands a report over; once it is recorded this returns. `turn` is the one for decoding it.
    pub(super) async fn submit(
        &self,
        report: Report,
        sender: &Sender,
        turn: Decoding<'_>,
    ) -> Result<(), Refusal> {
        let intake = &self.answerer.intake;
        let mut held = intake.memory().hold(sender.peer);
        let kept = held.resize(memory_of_report(&report));
        drop(turn);
        kept.map_err(no_memory)?;
        let submitted = intake.submit(report, sender.clone(), 0, held).await;
        submitted.map_err(|error| Refusal::Later(error.to_string()))
    }

    /// Notes which client reports: the first of these names that says something.
    pub(super) fn note_client<const N: usize>(&self, names: [&str; N]) {
        let named = names.into_iter().find(|name| !name.trim_matches('/').is_empty());
        self.answerer.clients.note(named.unwrap_or_default());
    }
}

impl Received {
    /// The body as it arrived, and the rest.
    pub(super) fn split(self) -> (Message, HeaderMap, Uri, SentFrom, bool) {
        (self.message, self.headers, self.uri, self.from, self.is_cut)
    }
}

impl std::fmt::Display for SentFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "from {}", self.address)
    }
}

/// A wrong key and a right one for another project are answered alike.
const WRONG_KEY: &str = "the key is not one of this server's for this project";
/// What a value of JSON takes in memory, measured in bytes of a message of which each grows as much
/// as those that decoding reckons with.
const BYTES_OF_A_VALUE: usize = 12;

fn no_memory(error: NoMemory) -> Refusal {
    Refusal::Unkept(Unkept::NoMemory(error))
}

/// A body as far as it is within the limit, and whether there was more.
async fn read(body: Body, most: usize, held: Held) -> Result<(Message, bool), Refusal> {
    let mut message = Message::new(held, most);
    let mut room = Ok(());
    let take = |data: Bytes, _| {
        let fits = data.len().min(most - message.bytes.len());
        if fits == 0 || room.is_err() {
            return;
        }
        room = message.make_room(fits);
        match room {
            Ok(()) => message.bytes.extend_from_slice(&data[..fits]),
            Err(_) => message.bytes = Vec::new(),
        }
    };
    let length = read_parts(body, most, take).await.map_err(|CutOff| Refusal::CutOff)?;
    room.map_err(no_memory)?;
    let is_cut = length > message.bytes.len();
    Ok((message, is_cut))
}

/// The values of a header, separated by commas.
pub(super) fn header_text(headers: &HeaderMap, name: &str) -> String {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}
