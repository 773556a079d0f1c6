//! The server as a whole, with real repositories, a real mail server and the older client.
#![expect(clippy::disallowed_methods, reason = "tests start programs and measure time")]
#![allow(unreachable_pub, missing_docs, reason = "nothing here is used from outside")]

mod actions;
mod channel;
mod cli;
mod harness;
mod ingest;
mod laws;
mod mail;
mod notify;
mod pipeline;
mod projects;
mod redaction;
mod rules;
mod sign_in;
mod store;
mod web;
