//! Waiting reports, and the outcomes of the others.

pub mod losses;
pub mod module_sets;
pub mod outcomes;
pub mod pending;
pub mod quotas;
pub mod recorded_ids;
