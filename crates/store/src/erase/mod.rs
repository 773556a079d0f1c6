//! Deletes data because it is old or because somebody requested it.

pub mod issue;
mod look_for;
pub mod mention;
pub mod person;
pub mod retention;
