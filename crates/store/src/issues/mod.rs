//! Issues, with their counts and their data.

pub mod count;
mod dependents;
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
pub(crate) mod revision;
pub mod samples;
pub mod weeks;
