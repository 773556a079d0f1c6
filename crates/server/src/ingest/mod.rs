//! Bytes from clients become reports and go through the intake. Nothing here waits for git, a
//! mail server or a page.

mod message;
mod report_size;
mod thrift_answer;
mod thrift_convert;
mod thrift_http;
mod thrift_listen;

pub use thrift_answer::Answerer;
pub use thrift_convert::report_from;
pub use thrift_http::{BodyLimits, thrift_router};
pub use thrift_listen::{ThriftLimits, run_thrift};
