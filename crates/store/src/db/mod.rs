//! The database file, its schema, and how SQL is written for it.

pub mod dialect;
pub mod error;
pub mod health;
pub mod history;
pub mod open;
