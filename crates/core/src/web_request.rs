//! The web request that a program was answering when it failed.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A web request as the client describes it; what it did not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WebRequest {
    /// E.g. `GET`.
    pub method: String,
    /// With the query.
    pub path: String,
    /// E.g. `HTTP/1.1`.
    pub protocol: String,
    /// Values by name.
    pub headers: BTreeMap<String, String>,
    /// The start of the body.
    pub body: String,
    /// The address of who asked.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub client_address: String,
}
