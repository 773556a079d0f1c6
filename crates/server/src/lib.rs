//! The Flawless server and its command line. ARCHITECTURE.md walks one report through it.
#![allow(missing_docs, reason = "a comment stands where it says more than the name")]

pub mod actions;
pub mod app;
pub mod attribution;
pub mod channel;
pub mod cli;
pub mod config;
pub mod ingest;
pub mod intake;
pub mod listen;
pub mod mail;
pub mod notify;
pub mod pipeline;
pub mod project;
pub mod query;
pub mod server;
pub mod show;
pub mod sign_in;
pub mod upkeep;
pub mod web;
