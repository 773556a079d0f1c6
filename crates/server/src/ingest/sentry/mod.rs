//! The protocol of Sentry's clients over HTTP.
mod answer;
mod convert;
pub(crate) mod http;
#[cfg(test)]
mod recordings_tests;
mod take;
