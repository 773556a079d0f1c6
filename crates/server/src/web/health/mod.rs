//! How the server is.

pub(crate) mod show;
