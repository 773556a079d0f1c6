//! The server as a whole, with real repositories, a real mail server and the older client.
#![expect(clippy::disallowed_methods, reason = "tests start programs and measure their patience")]
#![allow(unreachable_pub, missing_docs, reason = "nothing here is used from outside")]

mod alerts;
mod api_tokens;
mod attribution;
mod bounced;
mod browser;
mod channel_posts;
mod channels;
mod command_line;
mod crash;
mod erased;
mod flood;
mod harness;
mod health;
mod hostile;
mod hostile_pages;
mod http_ingest;
mod ingest;
mod issue_page;
mod line_identity;
mod mail_cases;
mod mail_content;
mod mail_delivery;
mod mended;
mod older_client;
mod pages;
mod people;
mod people_pages;
mod projects;
mod python_client;
mod redacted;
mod rules;
mod sealed;
mod secrets;
mod setup_page;
mod shown;
mod sign_in;
mod sign_in_open_id;
mod sign_in_roles;
mod source_laws;
mod start_errors;
mod week;
mod weekly;
mod which_frame;
