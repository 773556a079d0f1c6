//! What really differs between databases.

/// Begins a transaction that is going to write, so that two never wait for each other in turn.
pub(super) const BEGIN_WRITE: &str = "BEGIN IMMEDIATE";
