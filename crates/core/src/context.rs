//! Facts about the work that a program was doing, under one name.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Facts under one name, as the program gave them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Context {
    /// E.g. `order`.
    pub name: String,
    /// Printed values by name.
    pub values: BTreeMap<String, String>,
}
