//! The error for bytes that cannot be decoded.

/// Bytes that do not follow the protocol.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {why}")]
pub struct DecodeError {
    /// What was being read, e.g. `thrift message`.
    pub what: &'static str,
    /// What is wrong with it.
    pub why: String,
}

impl DecodeError {
    pub(crate) fn new(what: &'static str, why: impl std::fmt::Display) -> Self {
        Self { what, why: why.to_string() }
    }
}
