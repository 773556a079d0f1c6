//! Projects, and secrets of the server.

pub mod project;
pub mod secrets;
