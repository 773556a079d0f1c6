//! Takes what a client posted: errors become reports, and everything else is counted by its name.
use flawless_protocol::lenient_json::read_json;
use flawless_protocol::sentry::{
    Auth, Dsn, Envelope, Event, Item, Traffic, event_id, lost_errors, older_body,
};

use super::answer::Answer;
use super::convert::{Converted, converted};
use crate::ingest::message::Unkept;
use crate::ingest::post::{Door, Received, Refusal, SentFrom};
use crate::intake::Sender;

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Envelope,
    /// A single event, as older clients send it.
    Event,
}

/// Errors in one envelope. Clients send one.
const MOST_EVENTS: usize = 100;
/// Errors that one client report may claim.
const MOST_LOST: i64 = 1_000_000_000;

/// A request besides its body.
struct Posted<'a> {
    door: &'a Door,
    /// The project in the address.
    project: &'a str,
    auth: Option<Auth>,
    from: SentFrom,
}

/// Takes it; what is answered with success is durable.
pub(super) async fn take(
    door: &Door,
    form: Form,
    project: &str,
    auth: Option<Auth>,
    received: Received,
) -> Answer {
    let (message, headers, _, from, is_cut) = received.split();
    let posted = Posted { door, project, auth, from };
    let taken = async {
        // Nothing is decoded for a stranger whose key is known to be wrong.
        let known = posted.auth.as_ref().map(|auth| posted.sender(Some(&auth.key))).transpose()?;
        let body = door.decode(message, &headers, &posted.from).await?;
        match form {
            Form::Envelope => posted.envelope(known, &body.bytes).await,
            Form::Event => posted.event(known, body.bytes).await,
        }
    };
    match taken.await {
        // What was read whole is kept, but something is missing.
        Ok(_) | Err(Refusal::Malformed(_)) if is_cut => {
            Answer::Refused(door.refuse(&posted.from, Refusal::Unkept(Unkept::TooLarge)))
        }
        Ok(id) => Answer::Taken(id),
        Err(refusal) => Answer::Refused(door.refuse(&posted.from, refusal)),
    }
}

impl Posted<'_> {
    fn sender(&self, key: Option<&str>) -> Result<Sender, Refusal> {
        self.door.sender(key, self.project, &self.from)
    }

    /// Takes an envelope; the id of its event. When one item cannot be read or kept, those before it
    /// were taken all the same.
    async fn envelope(
        &self,
        known: Option<Sender>,
        body: &[u8],
    ) -> Result<Option<String>, Refusal> {
        let envelope =
            Envelope::read(body).map_err(|error| Refusal::Malformed(error.to_string()))?;
        let of_dsn = envelope.field("dsn").and_then(Dsn::read).map(|dsn| dsn.key);
        let sender = match known {
            Some(sender) => sender,
            None => self.sender(of_dsn)?,
        };
        let intake = &self.door.answerer.intake;
        let mut id = envelope.field("event_id").and_then(event_id);
        let mut events = 0;
        let mut problem = None;
        for item in envelope.items() {
            let Item { kind, payload } = match item {
                Ok(item) => item,
                Err(error) => {
                    problem.get_or_insert(Refusal::Malformed(error.to_string()));
                    break;
                }
            };
            match Traffic::of(&kind) {
                Traffic::Event if events < MOST_EVENTS => {
                    let of_envelope = envelope.field("event_id").filter(|_| events == 0);
                    events += 1;
                    match self.submit(&sender, payload, of_envelope).await {
                        Ok(of_event) => id = of_event.or(id),
                        Err(refusal) => drop(problem.get_or_insert(refusal)),
                    }
                }
                Traffic::Event => {
                    let reason = "too many errors in one envelope";
                    intake.refuse_for(sender.project, reason, self.from.to_string());
                }
                Traffic::ClientReport => self.count_lost(&sender, payload).await,
                Traffic::Other(name) => {
                    intake.pass_over(sender.project, name, self.from.to_string());
                }
            }
        }
        match problem {
            Some(problem) => Err(problem),
            None => Ok(id),
        }
    }

    /// Takes a single event; its id.
    async fn event(&self, known: Option<Sender>, body: Vec<u8>) -> Result<Option<String>, Refusal> {
        let sender = match known {
            Some(sender) => sender,
            None => self.sender(None)?,
        };
        let body = older_body(body, self.door.limits.max_bytes)?;
        self.submit(&sender, &body, None).await
    }

    /// Hands the report of an event over, if it is about an error; its id.
    async fn submit(
        &self,
        sender: &Sender,
        payload: &[u8],
        id_of_envelope: Option<&str>,
    ) -> Result<Option<String>, Refusal> {
        let turn = self.door.decoding_json(sender.peer, payload).await;
        let malformed = |why: &str| Refusal::Malformed(format!("event: {why}"));
        let event = read_json(payload).map_err(|error| malformed(&error.to_string()))?;
        if !event.is_object() {
            return Err(malformed("it is not a JSON object"));
        }
        let event = Event::read(&event, id_of_envelope);
        let (id, client) = (event.id.clone(), event.client.clone());
        let report = match converted(event) {
            Converted::Report(report) => *report,
            Converted::NotAnError(name) => {
                let intake = &self.door.answerer.intake;
                intake.pass_over(sender.project, name, self.from.to_string());
                return Ok(id);
            }
        };
        self.door.submit(report, sender, turn).await?;
        let of_auth = self.auth.as_ref().map_or("", |auth| &auth.client);
        self.door.note_client([of_auth, &client, &self.from.user_agent]);
        Ok(id)
    }

    /// Counts the errors that a client says it lost.
    async fn count_lost(&self, sender: &Sender, payload: &[u8]) {
        let turn = self.door.decoding_json(sender.peer, payload).await;
        let lost = read_json(payload).map(|report| lost_errors(&report)).unwrap_or_default();
        drop(turn);
        let intake = &self.door.answerer.intake;
        let lost = i64::try_from(lost).unwrap_or(i64::MAX).min(MOST_LOST);
        if lost > 0 {
            intake.lost(sender.project, lost, self.from.to_string());
        }
        intake.pass_over(sender.project, "client reports", self.from.to_string());
    }
}
