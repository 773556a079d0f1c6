//! Projects with their keys, and the server's own secrets.

pub mod keys;
pub mod project;
pub mod secrets;
