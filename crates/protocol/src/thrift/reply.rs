//! The answer to a call.
use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TInputProtocol, TMessageIdentifier, TMessageType,
    TOutputProtocol, TType,
};
use thrift::{ApplicationError, ApplicationErrorKind};

use super::call::limits;
use super::fields::{write_field, write_struct};
use crate::DecodeError;

/// The reply to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// The answer to `ping`.
    Pong,
    /// The report is durable.
    Recorded,
    /// The method does not exist.
    UnknownMethod,
    /// The arguments cannot be read.
    Malformed(String),
    /// The project key is wrong or missing.
    Refused(String),
    /// The server could not keep the report.
    Failed(String),
}

/// Among the kinds that every Thrift library knows, the one for "not from this client". Nothing
/// else uses it, not even 0.4.5's server.
const KEY_REFUSED: ApplicationErrorKind = ApplicationErrorKind::UnsupportedClientType;

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// The server could not keep the report: it may accept the same message later.
    #[error("the server could not keep it: {0}")]
    NotKept(String),
    /// The project key is wrong or missing: it accepts no message with this key.
    #[error("the server refuses the project key: {0}")]
    KeyRefused(String),
    /// The server refuses this message permanently.
    #[error("the server refuses the message: {0}")]
    Refused(String),
    /// The bytes are not a reply; most likely the other side is not a Flawless server.
    #[error(transparent)]
    NoReply(#[from] DecodeError),
}

/// Encodes the content of the frame that answers a call of `method` with this sequence id.
///
/// # Errors
/// None in practice: it writes to memory. The type is that of the Thrift library.
pub fn encode_reply(method: &str, sequence: i32, reply: &Reply) -> thrift::Result<Vec<u8>> {
    let failure = match reply {
        Reply::Pong | Reply::Recorded => None,
        Reply::UnknownMethod => {
            Some((ApplicationErrorKind::UnknownMethod, format!("Unknown function {method}")))
        }
        Reply::Malformed(why) => Some((ApplicationErrorKind::ProtocolError, why.clone())),
        Reply::Refused(why) => Some((KEY_REFUSED, why.clone())),
        Reply::Failed(why) => Some((ApplicationErrorKind::InternalError, why.clone())),
    };
    let kind = if failure.is_some() { TMessageType::Exception } else { TMessageType::Reply };
    let mut bytes = Vec::new();
    let mut output = TBinaryOutputProtocol::new(&mut bytes, true);
    output.write_message_begin(&TMessageIdentifier::new(method, kind, sequence))?;
    match failure {
        Some((kind, message)) => thrift::Error::write_application_error_to_out_protocol(
            &ApplicationError::new(kind, message),
            &mut output,
        )?,
        None => write_struct(&mut output, "result", |output| match reply {
            Reply::Pong => write_field(output, 0, TType::Bool, |output| output.write_bool(true)),
            _ => Ok(()),
        })?,
    }
    output.write_message_end()?;
    Ok(bytes)
}

/// Decodes the content of a reply frame for a client: `Ok` is the method that was answered.
///
/// # Errors
/// The bytes are not a reply, or the server answered with an exception.
pub fn decode_reply(frame: &[u8]) -> Result<String, ReplyError> {
    let error = |error| DecodeError::new("thrift reply", error);
    let limits = limits(frame).map_err(error)?;
    let mut input = TBinaryInputProtocol::with_config(frame, true, limits);
    let message = input.read_message_begin().map_err(error)?;
    match message.message_type {
        TMessageType::Reply => Ok(message.name),
        TMessageType::Exception => {
            let failure = thrift::Error::read_application_error_from_in_protocol(&mut input);
            let ApplicationError { kind, message } = failure.map_err(error)?;
            Err(match kind {
                ApplicationErrorKind::InternalError => ReplyError::NotKept(message),
                KEY_REFUSED => ReplyError::KeyRefused(message),
                _ => ReplyError::Refused(message),
            })
        }
        _ => Err(DecodeError::new("thrift reply", "it is not a reply").into()),
    }
}
