//! Something that happened before the exception.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Something that the program noted before the exception; what it did not say is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Breadcrumb {
    /// Milliseconds since 1970 in UTC, by the program's clock.
    pub at: Option<i64>,
    /// What kind of thing it was, e.g. `query`.
    pub category: String,
    /// E.g. `info`.
    pub level: String,
    /// In words.
    pub message: String,
    /// Printed values by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<String, String>,
}
