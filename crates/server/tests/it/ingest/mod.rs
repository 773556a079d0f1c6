//! Reports as they arrive, from every kind of client.
mod client_programs;
mod flood;
mod hostile;
mod http;
mod memory;
mod notices;
mod older_client;
mod otlp;
mod places;
mod python_client;
mod quotas;
mod sent_again;
mod sentry;
mod sentry_cli;
mod sentry_languages;

mod source_maps;
mod thrift;
