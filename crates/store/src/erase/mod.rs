//! What is removed, because it is old or because somebody asked for it.

pub mod issue;
mod look_for;
pub mod mention;
pub mod person;
pub mod retention;
