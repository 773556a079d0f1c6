//! What belongs to one project: its name, keys and settings, and the redaction of its reports.

pub mod keys;
pub mod named;
pub mod redaction;
