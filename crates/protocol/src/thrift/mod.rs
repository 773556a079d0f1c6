//! The Thrift service of Flawless 0.4.5: `ping` and `record_error`, binary protocol.
//!
//! A frame, without its length prefix, is one message; so is the body of `POST /thrift`, which is
//! not framed. Replies carry the sequence id of their call. New fields have new ids and are
//! optional, so older and newer clients and servers work together.

mod call;
mod chain;
mod context;
mod fields;
mod process;
mod reply;
mod request;
mod stack_line;
mod web_request;

pub use call::{Call, CallKind, decode_call, decode_call_head, encode_ping, encode_record_error};
pub use chain::ChainedException;
pub use context::{Breadcrumb, Context};
pub use process::Process;
pub use reply::{Reply, ReplyError, decode_reply, encode_reply};
pub use request::RecordErrorRequest;
pub use stack_line::StackLine;
pub use web_request::WebRequest;

/// Bytes of the length prefix before each frame: a big-endian unsigned number.
pub const LENGTH_PREFIX: usize = 4;
