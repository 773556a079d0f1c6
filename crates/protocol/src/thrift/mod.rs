//! The Thrift service of Flawless 0.4.5: `ping` and `record_error`, binary protocol.
//!
//! A frame (without its length prefix) is one message. Replies carry the sequence id of their
//! call. New fields have new ids and are optional, so older and newer ends mix.

mod call;
mod reply;
mod request;

pub use call::{Call, CallKind, decode_call, encode_record_error};
pub use reply::{Reply, decode_reply, encode_reply};
pub use request::{RecordErrorRequest, StackLine};

/// Bytes of the length prefix before each frame: a big-endian unsigned number.
pub const LENGTH_PREFIX: usize = 4;
