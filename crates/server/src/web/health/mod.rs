//! The page about the server's health.

pub(crate) mod show;
