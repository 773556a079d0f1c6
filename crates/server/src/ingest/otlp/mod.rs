//! OpenTelemetry's protocol over HTTP.
pub(super) mod convert;
pub(crate) mod http;
