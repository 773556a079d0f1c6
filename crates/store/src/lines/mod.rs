//! Facts about lines, functions and revisions.

pub mod functions_seen;
pub mod line_facts;
pub mod releases;
pub mod running;
