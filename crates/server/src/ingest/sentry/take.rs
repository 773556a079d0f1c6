//! Takes what a client posted: errors become reports, and everything else is counted by its name.
use std::net::IpAddr;

use flawless_protocol::content_encoding::decoded;
use flawless_protocol::lenient_json::{nodes, read_json};
use flawless_protocol::sentry::{
    Auth, Dsn, Envelope, Event, Item, Traffic, event_id, lost_errors, older_body,
};

use super::answer::Answer;
use super::convert::{Converted, converted};
use super::http::Arrived;
use crate::ingest::Answerer;
use crate::ingest::message::{Message, Unkept};
use crate::ingest::report_size::memory_of_report;
use crate::ingest::sender::{KeyProblem, sender_to};
use crate::intake::Sender;
use crate::listen::memory::{Decoding, NoMemory};

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Envelope,
    /// A single event, as older clients send it.
    Event,
}

/// A request besides its body.
pub(super) struct Posted<'a> {
    pub(super) form: Form,
    /// The project in the address.
    pub(super) project: &'a str,
    pub(super) auth: Option<Auth>,
    pub(super) user_agent: String,
    /// The value of `Content-Encoding`.
    pub(super) encodings: String,
    pub(super) address: IpAddr,
    /// Bytes of the largest body, decoded.
    pub(super) limit: usize,
}

/// A wrong key and a right one for another project are answered alike.
const WRONG_KEY: &str = "the key is not one of this server's for this project";
/// Errors in one envelope. Clients send one.
const MOST_EVENTS: usize = 100;
/// Errors that one client report may claim.
const MOST_LOST: i64 = 1_000_000_000;

/// Takes it; what is answered with success is durable.
pub(super) async fn take(answerer: &Answerer, posted: Posted<'_>, arrived: Arrived) -> Answer {
    let Arrived { message: Message { bytes, mut held, .. }, is_cut } = arrived;
    // Nothing is decoded for a stranger whose key is known to be wrong.
    let known = posted.auth.as_ref().map(|auth| find_sender(answerer, &posted, Some(&auth.key)));
    let known = match known.transpose() {
        Ok(known) => known,
        Err(answer) => return answer,
    };
    let turn = answerer.intake.memory().decoding(posted.address.into(), bytes.len()).await;
    let body = match decoded(bytes, &posted.encodings, posted.limit) {
        Ok(body) => body,
        Err(error) => {
            return refused(answerer, posted.address, error.into());
        }
    };
    if let Err(error) = held.resize(body.capacity()) {
        return refused(answerer, posted.address, no_memory(error));
    }
    drop(turn);
    let answer = match posted.form {
        Form::Envelope => envelope(answerer, &posted, known, &body).await,
        Form::Event => event(answerer, &posted, known, body).await,
    };
    match answer {
        // What was read whole is kept, but something is missing.
        Ok(_) | Err(Answer::Malformed(_)) if is_cut => {
            refused(answerer, posted.address, Answer::Unkept(Unkept::TooLarge))
        }
        Ok(id) => Answer::Taken(id),
        Err(answer) => refused(answerer, posted.address, answer),
    }
}

fn no_memory(error: NoMemory) -> Answer {
    Answer::Unkept(Unkept::NoMemory(error))
}

/// Counts what is refused, unless somebody else has counted it.
fn refused(answerer: &Answerer, address: IpAddr, answer: Answer) -> Answer {
    let (reason, detail) = match &answer {
        Answer::Malformed(why) => ("malformed request", why.as_str()),
        Answer::UnknownEncoding(why) => ("unknown content encoding", why.as_str()),
        Answer::Unkept(why) => (why.reason(), ""),
        _ => return answer,
    };
    answerer.intake.refuse(reason, format!("{detail} from {address}").trim_start().to_owned());
    answer
}

fn find_sender(
    answerer: &Answerer,
    posted: &Posted<'_>,
    key: Option<&str>,
) -> Result<Sender, Answer> {
    let found =
        sender_to(&answerer.projects, &answerer.intake, key, posted.project, posted.address);
    found.map_err(|problem| match problem {
        KeyProblem::Missing => Answer::NoKey,
        KeyProblem::Unknown | KeyProblem::OtherProject => Answer::WrongKey(WRONG_KEY),
        known => Answer::WrongKey(known.why()),
    })
}

/// Takes an envelope; the id of its event. When one item cannot be read or kept, those before it
/// were taken all the same.
async fn envelope(
    answerer: &Answerer,
    posted: &Posted<'_>,
    known: Option<Sender>,
    body: &[u8],
) -> Result<Option<String>, Answer> {
    let envelope = Envelope::read(body).map_err(|error| Answer::Malformed(error.to_string()))?;
    let of_dsn = envelope.field("dsn").and_then(Dsn::read).map(|dsn| dsn.key);
    let sender = match known {
        Some(sender) => sender,
        None => find_sender(answerer, posted, of_dsn)?,
    };
    let mut id = envelope.field("event_id").and_then(event_id);
    let mut events = 0;
    let mut problem = None;
    for item in envelope.items() {
        let Item { kind, payload } = match item {
            Ok(item) => item,
            Err(error) => {
                problem.get_or_insert(Answer::Malformed(error.to_string()));
                break;
            }
        };
        match Traffic::of(&kind) {
            Traffic::Event if events < MOST_EVENTS => {
                let of_envelope = envelope.field("event_id").filter(|_| events == 0);
                events += 1;
                match submit(answerer, posted, &sender, payload, of_envelope).await {
                    Ok(of_event) => id = of_event.or(id),
                    Err(answer) => drop(problem.get_or_insert(answer)),
                }
            }
            Traffic::Event => {
                let reason = "too many errors in one envelope";
                answerer.intake.refuse_for(sender.project, reason, from(posted));
            }
            Traffic::ClientReport => count_lost(answerer, posted, &sender, payload).await,
            Traffic::Other(name) => {
                answerer.intake.pass_over(sender.project, name, from(posted));
            }
        }
    }
    match problem {
        Some(problem) => Err(problem),
        None => Ok(id),
    }
}

/// Takes a single event; its id.
async fn event(
    answerer: &Answerer,
    posted: &Posted<'_>,
    known: Option<Sender>,
    body: Vec<u8>,
) -> Result<Option<String>, Answer> {
    let sender = match known {
        Some(sender) => sender,
        None => find_sender(answerer, posted, None)?,
    };
    let body = older_body(body, posted.limit)?;
    submit(answerer, posted, &sender, &body, None).await
}

/// Hands the report of an event over, if it is about an error; its id.
async fn submit(
    answerer: &Answerer,
    posted: &Posted<'_>,
    sender: &Sender,
    payload: &[u8],
    id_of_envelope: Option<&str>,
) -> Result<Option<String>, Answer> {
    let intake = &answerer.intake;
    let turn = decoding(answerer, sender, payload).await;
    let event = read_json(payload).map_err(|error| Answer::Malformed(format!("event: {error}")))?;
    if !event.is_object() {
        return Err(Answer::Malformed("event: it is not a JSON object".to_owned()));
    }
    let event = Event::read(&event, id_of_envelope);
    let (id, client) = (event.id.clone(), client_of(posted, &event));
    let report = match converted(event) {
        Converted::Report(report) => *report,
        Converted::NotAnError(name) => {
            intake.pass_over(sender.project, name, from(posted));
            return Ok(id);
        }
    };
    let mut held = intake.memory().hold(sender.peer);
    let kept = held.resize(memory_of_report(&report));
    drop(turn);
    kept.map_err(no_memory)?;
    let submitted = intake.submit(report, sender.clone(), 0, held).await;
    submitted.map_err(|error| Answer::Later(error.to_string()))?;
    answerer.clients.note(&client);
    Ok(id)
}

/// What a value of JSON takes in memory, measured in bytes of a message of which each grows as much
/// as those that decoding reckons with.
const BYTES_OF_A_NODE: usize = 12;

/// Waits until a document may be decoded.
async fn decoding<'a>(answerer: &'a Answerer, sender: &Sender, payload: &[u8]) -> Decoding<'a> {
    let size = payload.len().max(nodes(payload).saturating_mul(BYTES_OF_A_NODE));
    answerer.intake.memory().decoding(sender.peer, size).await
}

/// How the client calls itself.
fn client_of(posted: &Posted<'_>, event: &Event) -> String {
    let of_auth = posted.auth.as_ref().map(|auth| auth.client.clone());
    let names = [of_auth.unwrap_or_default(), event.client.clone(), posted.user_agent.clone()];
    names.into_iter().find(|name| !name.trim_matches('/').is_empty()).unwrap_or_default()
}

/// Counts the errors that a client says it lost.
async fn count_lost(answerer: &Answerer, posted: &Posted<'_>, sender: &Sender, payload: &[u8]) {
    let turn = decoding(answerer, sender, payload).await;
    let lost = read_json(payload).map(|report| lost_errors(&report)).unwrap_or_default();
    drop(turn);
    let lost = i64::try_from(lost).unwrap_or(i64::MAX).min(MOST_LOST);
    if lost > 0 {
        answerer.intake.lost(sender.project, lost, from(posted));
    }
    answerer.intake.pass_over(sender.project, "client reports", from(posted));
}

fn from(posted: &Posted<'_>) -> String {
    format!("from {}", posted.address)
}
