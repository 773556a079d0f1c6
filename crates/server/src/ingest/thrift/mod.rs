//! Reports over Thrift, framed or over HTTP.

pub(crate) mod answer;
pub(crate) mod convert;
pub(crate) mod http;
pub(crate) mod listen;
