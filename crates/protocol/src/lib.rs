//! Bytes to values and back: what clients send and what they expect as an answer.
//!
//! Invariant: no sockets and no domain here. Input is hostile: every decoder answers a
//! [`DecodeError`] and never panics, and no length that the input claims is allocated before
//! the bytes are there.

mod error;
pub mod text_traceback;
pub mod thrift;

pub use error::DecodeError;
