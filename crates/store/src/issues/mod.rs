//! Issues, and what is counted and kept of them.

pub mod count;
pub mod details;
pub mod facets;
pub mod hours;
pub mod issue;
pub mod known_errors;
pub mod lists;
pub mod matched;
pub mod merge;
pub mod muted;
pub mod resolved;
pub mod samples;
pub mod weeks;
