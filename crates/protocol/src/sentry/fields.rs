//! Reads fields leniently: one that is of another type than expected does not lose the event.
use std::collections::BTreeMap;

use serde_json::Value;

/// A text; numbers and booleans as they are written. `None` when it is absent, null or empty.
pub(crate) fn text(of: &Value, name: &str) -> Option<String> {
    of.get(name).and_then(as_text).filter(|text| !text.is_empty())
}

/// A scalar as a text.
pub(crate) fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(bool) => Some(bool.to_string()),
        _ => None,
    }
}

/// Any value as a text: lists and maps as JSON, null as an empty text.
pub(crate) fn printed(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        value => as_text(value).unwrap_or_else(|| value.to_string()),
    }
}

/// A number, also when it is written as a text.
pub(crate) fn number(of: &Value, name: &str) -> Option<f64> {
    match of.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|number: &f64| number.is_finite()),
        _ => None,
    }
}

/// A boolean.
pub(crate) fn boolean(of: &Value, name: &str) -> Option<bool> {
    match of.get(name)? {
        Value::Bool(bool) => Some(*bool),
        _ => None,
    }
}

/// A list, which may also be in an object under `values`, or be a single object. Nulls are left
/// out.
pub(crate) fn list<'a>(of: &'a Value, name: &str) -> Vec<&'a Value> {
    let of = match of.get(name) {
        Some(object @ Value::Object(fields)) => match fields.get("values") {
            Some(values) => values,
            None if fields.is_empty() => return Vec::new(),
            None => return vec![object],
        },
        Some(other) => other,
        None => return Vec::new(),
    };
    match of {
        Value::Array(values) => values.iter().filter(|value| !value.is_null()).collect(),
        object @ Value::Object(_) => vec![object],
        _ => Vec::new(),
    }
}

/// Facts of one kind that are read, more than any kind keeps.
const MOST_FACTS: usize = 2_000;

/// Names and printed values: of an object, or of a list of pairs. Those without a value are left
/// out.
pub(crate) fn map(of: &Value) -> BTreeMap<String, String> {
    let printed = |name: String, value: &Value| (!value.is_null()).then(|| (name, printed(value)));
    match of {
        Value::Object(fields) => {
            let fields = fields.iter().take(MOST_FACTS);
            fields.filter_map(|(name, value)| printed(name.clone(), value)).collect()
        }
        Value::Array(pairs) => {
            let pair = |pair: &Value| match pair.as_array().map(Vec::as_slice) {
                Some([name, value]) => printed(as_text(name)?, value),
                _ => None,
            };
            pairs.iter().take(MOST_FACTS).filter_map(pair).collect()
        }
        _ => BTreeMap::new(),
    }
}
