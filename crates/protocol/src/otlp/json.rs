//! The same messages in JSON: numbers may be texts, ids are hexadecimal digits, and a field of an
//! unexpected type counts as absent.
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::{Value as Json, json};

use super::message::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, LogRecord, Logs, Resource, ResourceLogs,
    ResourceSpans, Scope, ScopeLogs, ScopeSpans, Span, SpanEvent, Traces, Value,
};

pub(super) fn traces(message: &Json) -> Traces {
    let scope = |scope: &Json| ScopeSpans { spans: each(scope, "spans", span) };
    let of_resource = |it: &Json| ResourceSpans {
        resource: Some(resource(it)),
        scope_spans: each(it, "scopeSpans", scope),
    };
    Traces { resource_spans: each(message, "resourceSpans", of_resource) }
}

pub(super) fn logs(message: &Json) -> Logs {
    let scope = |it: &Json| ScopeLogs {
        scope: it.get("scope").map(|scope| Scope { name: text(scope, "name") }),
        log_records: each(it, "logRecords", record),
    };
    let of_resource = |it: &Json| ResourceLogs {
        resource: Some(resource(it)),
        scope_logs: each(it, "scopeLogs", scope),
    };
    Logs { resource_logs: each(message, "resourceLogs", of_resource) }
}

fn each<T>(of: &Json, name: &str, read: impl Fn(&Json) -> T) -> Vec<T> {
    let list = of.get(name).and_then(Json::as_array).into_iter().flatten();
    list.filter(|value| value.is_object()).map(read).collect()
}

fn text(of: &Json, name: &str) -> String {
    of.get(name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

fn resource(of: &Json) -> Resource {
    let resource = of.get("resource").unwrap_or(&Json::Null);
    Resource { attributes: attributes(resource) }
}

fn attributes(of: &Json) -> Vec<KeyValue> {
    each(of, "attributes", pair)
}

fn pair(pair: &Json) -> KeyValue {
    KeyValue { key: text(pair, "key"), value: pair.get("value").map(value) }
}

fn span(span: &Json) -> Span {
    let event =
        |event: &Json| SpanEvent { name: text(event, "name"), attributes: attributes(event) };
    Span {
        trace_id: id(&text(span, "traceId")),
        name: text(span, "name"),
        attributes: attributes(span),
        events: each(span, "events", event),
    }
}

fn record(record: &Json) -> LogRecord {
    LogRecord {
        severity_number: severity(record.get("severityNumber")),
        body: record.get("body").map(value),
        attributes: attributes(record),
        trace_id: id(&text(record, "traceId")),
    }
}

/// A number, as text too, or the name of one.
fn severity(severity: Option<&Json>) -> i32 {
    let number = severity.and_then(whole).and_then(|number| i32::try_from(number).ok());
    number.unwrap_or_else(|| match severity.and_then(Json::as_str).unwrap_or_default() {
        name if name.starts_with("SEVERITY_NUMBER_FATAL") => super::FATAL,
        name if name.starts_with("SEVERITY_NUMBER_ERROR") => super::ERROR,
        _ => 0,
    })
}

fn whole(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn id(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    pairs.map(byte).collect::<Option<_>>().unwrap_or_default()
}

fn value(value: &Json) -> AnyValue {
    let Some((name, of)) = value.as_object().and_then(|fields| fields.iter().next()) else {
        return AnyValue { value: None };
    };
    let value = match &**name {
        "stringValue" => of.as_str().map(|text| Value::String(text.as_bytes().to_vec())),
        "boolValue" => of.as_bool().map(Value::Bool),
        "intValue" => whole(of).map(Value::Int),
        "doubleValue" => of.as_f64().or_else(|| of.as_str()?.parse().ok()).map(Value::Double),
        "arrayValue" => Some(Value::Array(ArrayValue { values: each(of, "values", self::value) })),
        "kvlistValue" => Some(Value::List(KeyValueList { values: each(of, "values", pair) })),
        "bytesValue" => {
            of.as_str().and_then(|text| BASE64_STANDARD.decode(text).ok()).map(Value::Bytes)
        }
        _ => None,
    };
    AnyValue { value }
}

/// A value as JSON, for people.
pub(super) fn of_value(value: AnyValue) -> Json {
    match value.value {
        None => Json::Null,
        Some(Value::String(text)) => Json::String(String::from_utf8_lossy(&text).into_owned()),
        Some(Value::Bool(is_it)) => Json::Bool(is_it),
        Some(Value::Int(number)) => json!(number),
        Some(Value::Double(number)) => json!(number),
        Some(Value::Bytes(bytes)) => Json::String(BASE64_STANDARD.encode(bytes)),
        Some(Value::Array(list)) => list.values.into_iter().map(of_value).collect(),
        Some(Value::List(list)) => {
            let pair = |pair: KeyValue| (pair.key, pair.value.map_or(Json::Null, of_value));
            list.values.into_iter().map(pair).collect::<serde_json::Map<_, _>>().into()
        }
    }
}
