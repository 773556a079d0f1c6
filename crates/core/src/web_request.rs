//! The web request that a program was answering when it failed.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A web request as the client describes it; fields it did not set are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebRequest {
    /// E.g. `GET`.
    pub method: String,
    /// The path, with the query.
    pub path: String,
    /// E.g. `HTTP/1.1`.
    pub protocol: String,
    /// Values by name.
    pub headers: BTreeMap<String, String>,
    /// The start of the body.
    pub body: String,
    /// The address of the client that made the request.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_address: String,
}
