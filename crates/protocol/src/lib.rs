//! Converts bytes to values and back: the messages of clients and the replies they expect.
//!
//! Invariant: no sockets and no domain here. Input is hostile: every decoder returns a
//! [`DecodeError`] and never panics, and no length that the input claims is allocated before the
//! bytes are there.

#[cfg(feature = "server")]
pub mod airbrake;
#[cfg(feature = "server")]
pub mod content_encoding;
mod error;
#[cfg(feature = "server")]
pub mod lenient_json;
#[cfg(feature = "server")]
pub mod otlp;
#[cfg(feature = "server")]
pub mod rollbar;
#[cfg(feature = "server")]
pub mod sentry;
#[cfg(feature = "server")]
pub mod source_map;
pub mod text_traceback;
pub mod thrift;

pub use error::DecodeError;
