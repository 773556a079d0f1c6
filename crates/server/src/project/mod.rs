//! What one project has: its keys, and the redaction of what comes in.

pub mod keys;
pub mod redaction;
