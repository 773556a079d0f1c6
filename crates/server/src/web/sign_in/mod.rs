//! Signing in.

pub(crate) mod link;
pub(crate) mod next_page;
pub(crate) mod open_id;
pub(crate) mod show;
