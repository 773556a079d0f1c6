//! Something that happened before the exception.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Something that the program noted before the exception; fields it did not set are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breadcrumb {
    /// Milliseconds since 1970 UTC, by the program's clock.
    pub at: Option<i64>,
    /// The kind of event, e.g. `query`.
    pub category: String,
    /// E.g. `info`.
    pub level: String,
    /// The event in words.
    pub message: String,
    /// Printed values by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, String>,
}
