//! What belongs to one project: its keys, and the redaction of its reports.

pub mod keys;
pub mod redaction;
