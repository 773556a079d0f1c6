//! Answers calls, however they came in.
use std::net::IpAddr;
use std::sync::Arc;

use flawless_protocol::DecodeError;
use flawless_protocol::thrift::{
    Call, CallKind, RecordErrorRequest, Reply, decode_call, encode_reply,
};

use super::convert::{lost_count, report_from};
use crate::app::projects::Projects;
use crate::ingest::message::{Head, Message, Unkept};
use crate::ingest::report_size::memory_of_report;
use crate::ingest::sender::sender;
use crate::intake::clients::ClientsSeen;
use crate::intake::{Intake, Sender};
use crate::listen::memory::Held;
use crate::listen::peer::Peer;

/// Whether a report must have a project key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum KeyRule {
    /// Older clients send none; a wrong one is refused.
    Optional,
    /// A report without one is refused.
    Required,
}

/// Answers calls.
#[derive(Debug, Clone)]
pub struct Answerer {
    /// Where reports go.
    pub intake: Intake,
    /// The projects, with the keys that are accepted.
    pub projects: Arc<Projects>,
    /// Which clients reported.
    pub clients: Arc<ClientsSeen>,
}

/// An answer to a call.
#[derive(Debug)]
pub(in crate::ingest) struct Answer {
    pub(in crate::ingest) reply: Reply,
    /// The encoded reply, without framing.
    pub(in crate::ingest) bytes: Vec<u8>,
}

impl Answerer {
    /// Reserves memory for a message from `address` of which nothing has arrived.
    pub(in crate::ingest) fn hold(&self, address: IpAddr) -> Held {
        self.intake.memory().hold(Peer::from(address))
    }

    /// The answer to a message from `address`; `None` when it is not a call. A report that is
    /// answered with success is durable.
    pub(in crate::ingest) async fn answer(
        &self,
        message: Message,
        key_is: KeyRule,
        address: IpAddr,
    ) -> Result<Answer, DecodeError> {
        let Message { bytes, mut held, .. } = message;
        let turn = self.intake.memory().decoding(Peer::from(address), bytes.len()).await;
        let call = decode_call(&bytes).inspect_err(|error| {
            self.intake.refuse("not a thrift call", format!("{error} from {address}"));
        })?;
        drop(bytes);
        let Call { method, sequence, kind } = call;
        let reply = match kind {
            CallKind::Ping => Reply::Pong,
            CallKind::Unknown => Reply::UnknownMethod,
            CallKind::Malformed(error) => {
                self.intake.refuse("malformed request", format!("{error} from {address}"));
                Reply::Malformed(error.to_string())
            }
            CallKind::RecordError(request) => match self.source(&request, key_is, address) {
                Err(refusal) => refusal,
                Ok(sender) => {
                    let lost = lost_count(&request);
                    let report = report_from(*request);
                    let kept = held.resize(memory_of_report(&report));
                    drop(turn);
                    match kept {
                        Err(no_memory) => self.unkept(Unkept::NoMemory(no_memory), address),
                        Ok(()) => match self.intake.submit(report, sender, lost, held).await {
                            Ok(()) => Reply::Recorded,
                            Err(error) => Reply::Failed(error.to_string()),
                        },
                    }
                }
            },
        };
        encoded(&method, sequence, reply)
    }

    /// The answer to a message of which only the head was kept.
    pub(in crate::ingest) fn answer_unkept(
        &self,
        head: &Head,
        why: Unkept,
        address: IpAddr,
    ) -> Result<Answer, DecodeError> {
        let reply = self.unkept(why, address);
        let (method, sequence) = head.decode()?;
        encoded(&method, sequence, reply)
    }

    fn unkept(&self, why: Unkept, address: IpAddr) -> Reply {
        self.intake.refuse(why.reason(), format!("from {address}"));
        match why.may_be_kept_later() {
            true => Reply::Failed(why.why().to_owned()),
            false => Reply::Malformed(why.why().to_owned()),
        }
    }

    /// The sender of a report, or why it is refused.
    fn source(
        &self,
        request: &RecordErrorRequest,
        key_is: KeyRule,
        address: IpAddr,
    ) -> Result<Sender, Reply> {
        let (key, is_optional) = (request.project_key.as_deref(), key_is == KeyRule::Optional);
        sender(&self.projects, &self.intake, key, is_optional, address).map_err(|problem| {
            Reply::Refused(format!(
                "the report needs a project's key in field 10, but {}. The command flawless \
                 projects, run on the server, shows the address with the key.",
                problem.why()
            ))
        })
    }
}

fn encoded(method: &str, sequence: i32, reply: Reply) -> Result<Answer, DecodeError> {
    let bytes = encode_reply(method, sequence, &reply)
        .map_err(|error| DecodeError { what: "thrift reply", why: error.to_string() })?;
    Ok(Answer { reply, bytes })
}
