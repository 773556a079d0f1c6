//! The Flawless server and its command line. ARCHITECTURE.md walks one report through it.

mod accept;
pub mod attribution;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dates;
mod demo;
pub mod frame_paths;
pub mod health;
pub mod http_listen;
pub mod ingest;
pub mod intake;
pub mod issue_details;
pub mod links;
mod logging;
pub mod mail;
pub mod pipeline;
pub mod present;
pub mod project_keys;
pub mod server;
pub mod shown_report;
pub mod state;
pub mod store;
pub mod web;
pub mod week;
