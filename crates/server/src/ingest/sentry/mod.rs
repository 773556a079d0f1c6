//! The protocol of Sentry's clients over HTTP.
mod answer;
pub(super) mod convert;
pub(crate) mod http;
mod take;
