//! A call from a client.
use thrift::TConfiguration;
use thrift::protocol::{
    TBinaryInputProtocol, TBinaryOutputProtocol, TInputProtocol, TMessageIdentifier, TMessageType,
    TOutputProtocol, TType,
};

use super::fields::{write_field, write_struct};
use super::request::RecordErrorRequest;
use crate::DecodeError;

/// A message that asks for an answer.
#[derive(Debug)]
pub struct Call {
    /// Name of the method as sent; the reply repeats it.
    pub method: String,
    /// The reply repeats it.
    pub sequence: i32,
    /// The method and its arguments.
    pub kind: CallKind,
}

/// The methods of the service.
#[derive(Debug)]
pub enum CallKind {
    /// Asks whether the server is up.
    Ping,
    /// Carries a report.
    RecordError(Box<RecordErrorRequest>),
    /// The method does not exist, and the client is told so.
    Unknown,
    /// The method exists, but its arguments cannot be decoded, and the client is told so.
    Malformed(DecodeError),
}

/// Deep enough for every current field, and for unknown ones of later versions.
const MAX_DEPTH: usize = 32;

/// Decodes the content of one frame. An error means that not even the method and the sequence
/// id could be read, so that no reply is possible.
pub fn decode_call(frame: &[u8]) -> Result<Call, DecodeError> {
    let limits = limits(frame).map_err(no_message)?;
    let mut input = TBinaryInputProtocol::with_config(frame, true, limits);
    let message = read_head(&mut input)?;
    let kind = match message.name.as_str() {
        "ping" => CallKind::Ping,
        "record_error" => match read_record_error(&mut input) {
            Ok(request) => CallKind::RecordError(Box::new(request)),
            Err(error) => CallKind::Malformed(DecodeError::new("record_error", error)),
        },
        _ => CallKind::Unknown,
    };
    Ok(Call { method: message.name, sequence: message.sequence_number, kind })
}

/// Decodes the method and the sequence id from the start of a call: enough for a reply that says
/// why the call was not read.
pub fn decode_call_head(start: &[u8]) -> Result<(String, i32), DecodeError> {
    let limits = limits(start).map_err(no_message)?;
    let message = read_head(&mut TBinaryInputProtocol::with_config(start, true, limits))?;
    Ok((message.name, message.sequence_number))
}

fn read_head(input: &mut dyn TInputProtocol) -> Result<TMessageIdentifier, DecodeError> {
    let message = input.read_message_begin().map_err(no_message)?;
    match message.message_type {
        TMessageType::Call | TMessageType::OneWay => Ok(message),
        _ => Err(no_message("it is not a call")),
    }
}

fn no_message(why: impl std::fmt::Display) -> DecodeError {
    DecodeError::new("thrift message", why)
}

/// Nothing in a frame is larger than the frame.
pub(super) fn limits(frame: &[u8]) -> thrift::Result<TConfiguration> {
    TConfiguration::builder()
        .max_message_size(Some(frame.len()))
        .max_frame_size(Some(frame.len()))
        .max_string_size(Some(frame.len()))
        .max_container_size(Some(frame.len()))
        .max_recursion_depth(Some(MAX_DEPTH))
        .build()
}

fn read_record_error(input: &mut dyn TInputProtocol) -> thrift::Result<RecordErrorRequest> {
    let mut request = RecordErrorRequest::default();
    input.read_struct_begin()?;
    loop {
        let field = input.read_field_begin()?;
        match (field.field_type, field.id) {
            (TType::Stop, _) => break,
            (TType::Struct, Some(1)) => request = RecordErrorRequest::read(input)?,
            (other, _) => input.skip(other)?,
        }
        input.read_field_end()?;
    }
    input.read_struct_end()?;
    Ok(request)
}

/// Encodes the message with which a client sends a report: the content of a frame, or the body of
/// `POST /thrift`.
///
/// # Errors
/// None in practice: it writes to memory. The type is that of the Thrift library.
pub fn encode_record_error(request: &RecordErrorRequest, sequence: i32) -> thrift::Result<Vec<u8>> {
    encode_call("record_error", sequence, |output| {
        write_field(output, 1, TType::Struct, |output| request.write(output))
    })
}

/// Encodes the message with which a client asks whether the server is up.
///
/// # Errors
/// None in practice: it writes to memory. The type is that of the Thrift library.
pub fn encode_ping(sequence: i32) -> thrift::Result<Vec<u8>> {
    encode_call("ping", sequence, |_| Ok(()))
}

fn encode_call(
    method: &str,
    sequence: i32,
    arguments: impl FnOnce(&mut dyn TOutputProtocol) -> thrift::Result<()>,
) -> thrift::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut output = TBinaryOutputProtocol::new(&mut bytes, true);
    output.write_message_begin(&TMessageIdentifier::new(method, TMessageType::Call, sequence))?;
    write_struct(&mut output, "arguments", arguments)?;
    output.write_message_end()?;
    Ok(bytes)
}
