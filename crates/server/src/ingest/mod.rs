//! Bytes from clients become reports and go through the intake. Nothing here waits for git, a
//! mail server or a page.

mod body;
mod message;
mod message_template;
mod notices;
pub(crate) mod otlp;
mod post;
#[cfg(test)]
mod recordings_tests;
mod report_size;
mod sender;
pub(crate) mod sentry;
pub mod text_report;
pub(crate) mod thrift;

pub use body::BodyLimits;
pub use notices::http::notices_router;
pub use otlp::http::otlp_router;
pub use sentry::http::sentry_router;
pub use thrift::answer::Answerer;
pub use thrift::convert::report_from;
pub use thrift::http::thrift_router;
pub use thrift::listen::{ThriftLimits, run_thrift};
