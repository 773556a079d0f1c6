//! What is removed, because it is old or because somebody asked for it.

pub mod issue;
pub mod mention;
pub mod person;
pub mod retention;
