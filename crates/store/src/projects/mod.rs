//! Projects, and the server's own secrets.

pub mod project;
pub mod secrets;
