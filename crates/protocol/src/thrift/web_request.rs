//! The web request that a program was serving.
use std::collections::BTreeMap;

use thrift::protocol::{TInputProtocol, TOutputProtocol, TType};

use super::fields::{
    read_struct, read_text, read_text_map, write_struct, write_text, write_values,
};

/// A web request as the client describes it, since 0.5.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebRequest {
    /// Field 1, e.g. `GET`.
    pub method: Option<String>,
    /// Field 2, with the query.
    pub path: Option<String>,
    /// Field 3, e.g. `HTTP/1.1`.
    pub protocol: Option<String>,
    /// Field 4, values by name.
    pub headers: BTreeMap<String, String>,
    /// Field 5, the start of the body.
    pub body: Option<String>,
    /// Field 6, the client's address, if the program wants it reported.
    pub client_address: Option<String>,
}

/// Headers that are read; further ones are skipped.
const MAX_HEADERS: usize = 100;

impl WebRequest {
    pub(super) fn read(input: &mut dyn TInputProtocol) -> thrift::Result<Self> {
        let mut request = Self::default();
        read_struct(input, |input, id, field_type| {
            match (id, field_type) {
                (1, TType::String) => request.method = Some(read_text(input)?),
                (2, TType::String) => request.path = Some(read_text(input)?),
                (3, TType::String) => request.protocol = Some(read_text(input)?),
                (4, TType::Map) => {
                    request.headers = read_text_map(input, MAX_HEADERS)?.unwrap_or_default();
                }
                (5, TType::String) => request.body = Some(read_text(input)?),
                (6, TType::String) => request.client_address = Some(read_text(input)?),
                (_, other) => input.skip(other)?,
            }
            Ok(())
        })?;
        Ok(request)
    }

    pub(super) fn write(&self, output: &mut dyn TOutputProtocol) -> thrift::Result<()> {
        write_struct(output, "WebRequest", |output| {
            write_text(output, 1, self.method.as_deref())?;
            write_text(output, 2, self.path.as_deref())?;
            write_text(output, 3, self.protocol.as_deref())?;
            write_values(output, 4, &self.headers)?;
            write_text(output, 5, self.body.as_deref())?;
            write_text(output, 6, self.client_address.as_deref())
        })
    }
}
