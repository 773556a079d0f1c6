//! Projects with their keys and settings, and the server's own secrets.

pub mod artifacts;
pub mod keys;
pub mod project;
pub mod remove;
pub mod secrets;
pub mod settings;
