//! Mails: what they say, and how they are delivered.
mod bounced;
pub(crate) mod cases;
mod content;
pub(crate) mod delivery;
mod weekly;
