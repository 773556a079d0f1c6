//! OpenTelemetry's protocol over HTTP: the exceptions in the events of spans and in log records.
mod json;
mod message;

use std::collections::BTreeMap;
use std::sync::Arc;

use prost::Message;
use serde_json::Value;

use crate::DecodeError;
use message::{AnyValue, KeyValue, LogRecord, Logs, Span, SpanEvent, Traces};

/// What a request holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Spans, with events.
    Traces,
    /// Log records.
    Logs,
}

/// Attributes by name, as text.
pub type Attributes = BTreeMap<String, String>;

/// An exception, or a logged error.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Occurrence {
    /// What is said of the program.
    pub resource: Arc<Attributes>,
    /// What is said of the span.
    pub span: Arc<Attributes>,
    /// What is said of the exception or the log record.
    pub attributes: Attributes,
    /// The span or the logger.
    pub name: Arc<str>,
    /// 32 hexadecimal digits; empty without a trace.
    pub trace_id: String,
    /// The exception's type; empty for a logged error without one.
    pub kind: String,
    /// The exception's message.
    pub message: String,
    /// The exception as its language prints it; it may be cut anywhere.
    pub stacktrace: String,
    /// What was logged.
    pub logged: String,
    /// It ended the program, or nearly.
    pub is_fatal: bool,
}

/// What a request brings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    /// The exceptions and logged errors, at most [`MOST`].
    pub occurrences: Vec<Occurrence>,
    /// Those that were left out.
    pub left_out: usize,
    /// Spans without an exception, or log records that are no errors.
    pub others: usize,
}

/// Occurrences of one request that are read.
pub const MOST: usize = 1_000;
/// How much larger than its bytes a decoded message may be, at most: an empty attribute has two bytes.
pub const GROWTH: usize = 40;
/// Attributes of one occurrence.
const MOST_ATTRIBUTES: usize = 200;
/// The lowest severity of an error, and of a fatal one.
const ERROR: i32 = 17;
const FATAL: i32 = 21;

/// Reads a message in Protocol Buffers.
///
/// # Errors
/// It is malformed.
pub fn read_protobuf(bytes: &[u8], signal: Signal) -> Result<Read, DecodeError> {
    let wrong = |error| DecodeError::new("OTLP message", error);
    Ok(match signal {
        Signal::Traces => of_traces(Traces::decode(bytes).map_err(wrong)?),
        Signal::Logs => of_logs(Logs::decode(bytes).map_err(wrong)?),
    })
}

/// Reads a message in JSON, leniently.
pub fn read_json(message: &Value, signal: Signal) -> Read {
    match signal {
        Signal::Traces => of_traces(json::traces(message)),
        Signal::Logs => of_logs(json::logs(message)),
    }
}

fn of_traces(traces: Traces) -> Read {
    let mut read = Read::default();
    for of_resource in traces.resource_spans {
        let resource = of_resource.resource.map(|it| attributes(it.attributes)).unwrap_or_default();
        let resource = Arc::new(resource);
        for span in of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            read.add_span(span, &resource);
        }
    }
    read
}

fn of_logs(logs: Logs) -> Read {
    let mut read = Read::default();
    for of_resource in logs.resource_logs {
        let resource = of_resource.resource.map(|it| attributes(it.attributes)).unwrap_or_default();
        let resource = Arc::new(resource);
        for scope in of_resource.scope_logs {
            let logger = Arc::from(scope.scope.map(|scope| scope.name).unwrap_or_default());
            for record in scope.log_records {
                read.add_record(record, &logger, &resource);
            }
        }
    }
    read
}

impl Read {
    fn add_span(&mut self, span: Span, resource: &Arc<Attributes>) {
        let Span { trace_id, name, attributes: of_span, events } = span;
        let is_exception = |event: &SpanEvent| event.name == "exception";
        let exceptions: Vec<SpanEvent> = events.into_iter().filter(is_exception).collect();
        if exceptions.is_empty() {
            self.others += 1;
            return;
        }
        let (of_span, name) = (Arc::new(attributes(of_span)), Arc::from(name));
        for event in exceptions {
            if self.is_full() {
                continue;
            }
            self.add(Occurrence {
                resource: resource.clone(),
                span: of_span.clone(),
                attributes: attributes(event.attributes),
                name: Arc::clone(&name),
                trace_id: hexadecimal(&trace_id),
                ..Occurrence::default()
            });
        }
    }

    fn add_record(&mut self, record: LogRecord, logger: &Arc<str>, resource: &Arc<Attributes>) {
        let all = attributes(record.attributes);
        let has_exception = all.keys().any(|name| name.starts_with("exception."));
        if !has_exception && record.severity_number < ERROR {
            self.others += 1;
            return;
        }
        if self.is_full() {
            return;
        }
        self.add(Occurrence {
            resource: resource.clone(),
            attributes: all,
            name: logger.clone(),
            trace_id: hexadecimal(&record.trace_id),
            logged: record.body.map(printed).unwrap_or_default(),
            is_fatal: record.severity_number >= FATAL,
            ..Occurrence::default()
        });
    }

    /// Whether no more are read; another one is counted then.
    fn is_full(&mut self) -> bool {
        let is_full = self.occurrences.len() >= MOST;
        self.left_out += usize::from(is_full);
        is_full
    }

    fn add(&mut self, mut occurrence: Occurrence) {
        let mut take = |name| occurrence.attributes.remove(name).unwrap_or_default();
        let (kind, message) = (take("exception.type"), take("exception.message"));
        let stacktrace = take("exception.stacktrace");
        take("exception.escaped");
        (occurrence.kind, occurrence.message, occurrence.stacktrace) = (kind, message, stacktrace);
        self.occurrences.push(occurrence);
    }
}

fn attributes(pairs: Vec<KeyValue>) -> Attributes {
    let pairs = pairs.into_iter().filter(|pair| !pair.key.is_empty()).take(MOST_ATTRIBUTES);
    pairs.map(|pair| (pair.key, pair.value.map(printed).unwrap_or_default())).collect()
}

fn printed(value: AnyValue) -> String {
    match value.value {
        Some(message::Value::String(text)) => match String::from_utf8(text) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        },
        _ => json::of_value(value).to_string(),
    }
}

/// A trace's id in digits; empty when it has the wrong length or is zero.
fn hexadecimal(id: &[u8]) -> String {
    if id.len() != 16 || id.iter().all(|byte| *byte == 0) {
        return String::new();
    }
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Value {
        let pair =
            |(key, value): &(&str, &str)| json!({"key": key, "value": {"stringValue": value}});
        pairs.iter().map(pair).collect()
    }

    fn traces() -> Value {
        let event = json!({"name": "exception", "attributes": pairs(&[
            ("exception.type", "E"), ("exception.message", "m"), ("exception.stacktrace", "s"),
            ("exception.escaped", "False"), ("order", "7"),
        ])});
        json!({"resourceSpans": [{
            "resource": {"attributes": pairs(&[("service.name", "shop")])},
            "scopeSpans": [{"spans": [
                {"traceId": "10A9C69F1DC83BDE420F5385F50C7BD9", "name": "GET /", "events": [event,
                    {"name": "other"}], "attributes": pairs(&[("http.route", "/")])},
                {"name": "fine"}, null,
            ]}],
        }, {}]})
    }

    #[test]
    fn events_of_spans_become_occurrences() {
        let Read { occurrences, left_out, others } = read_json(&traces(), Signal::Traces);
        assert_eq!((occurrences.len(), left_out, others), (1, 0, 1));
        let of_it = &occurrences[0];
        assert_eq!((&*of_it.kind, &*of_it.message, &*of_it.stacktrace), ("E", "m", "s"));
        assert_eq!((&*of_it.name, &*of_it.trace_id), ("GET /", "10a9c69f1dc83bde420f5385f50c7bd9"));
        assert_eq!(of_it.resource["service.name"], "shop");
        let names = of_it.span.keys().chain(of_it.attributes.keys()).map(String::as_str);
        assert_eq!(names.collect::<Vec<_>>(), ["http.route", "order"]);
    }

    #[test]
    fn errors_of_logs_become_occurrences_with_values_of_every_form() {
        let record = |severity: Value, attributes: &Value| {
            json!({"severityNumber": severity, "attributes": attributes,
                   "body": {"kvlistValue": {"values": [{"key": "n", "value": {"intValue": "7"}}]}}})
        };
        let values = json!([
            {"key": "a", "value": {"intValue": 1007}}, {"key": "b", "value": {"doubleValue": 0.5}},
            {"key": "c", "value": {"arrayValue": {"values": [{"boolValue": true}, {}]}}},
            {"key": "d", "value": {"bytesValue": "AA=="}}, {"key": "e"}, {"value": {}}, 7,
        ]);
        let exception = pairs(&[("exception.type", "E")]);
        let records = [
            record(json!(17), &values),
            record(json!(9), &exception),
            record(json!(9), &json!([])),
            record(json!("SEVERITY_NUMBER_FATAL"), &json!(null)),
        ];
        let logs = json!({"resourceLogs": [{"scopeLogs": [{"scope": {"name": "audit"},
            "logRecords": records}]}]});
        let Read { occurrences, others, .. } = read_json(&logs, Signal::Logs);
        assert_eq!((occurrences.len(), others), (3, 1));
        assert_eq!((&*occurrences[0].logged, &*occurrences[0].name), ("{\"n\":7}", "audit"));
        let shown: Vec<_> = occurrences[0]
            .attributes
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        assert_eq!(shown, ["a=1007", "b=0.5", "c=[true,null]", "d=\"AA==\"", "e="]);
        assert!(occurrences[2].is_fatal && !occurrences[0].is_fatal);
    }

    #[test]
    fn both_forms_say_the_same() {
        let of_json = json::traces(&traces());
        let bytes = of_json.encode_to_vec();
        let read = read_protobuf(&bytes, Signal::Traces).expect("a message");
        assert_eq!(read, read_json(&traces(), Signal::Traces));
        assert!(read_protobuf(&bytes[..bytes.len() - 1], Signal::Traces).is_err());
        assert!(read_protobuf(b"{}", Signal::Logs).is_err());
        assert_eq!(read_protobuf(b"", Signal::Logs).expect("an empty one"), Read::default());
        // Values within values, deeper than anybody's.
        let mut deep = vec![];
        for _ in 0..2_000 {
            let mut outer = vec![0x2a];
            prost::encoding::encode_varint(deep.len() as u64 + 2, &mut outer);
            outer.push(0x0a);
            prost::encoding::encode_varint(deep.len() as u64, &mut outer);
            outer.extend(deep);
            deep = outer;
        }
        assert!(AnyValue::decode(&*deep).is_err());
    }

    #[test]
    fn many_occurrences_are_bounded() {
        let mut many = traces();
        let span = many["resourceSpans"][0]["scopeSpans"][0]["spans"][0].clone();
        many["resourceSpans"][0]["scopeSpans"][0]["spans"] = vec![span; MOST + 5].into();
        let read = read_json(&many, Signal::Traces);
        assert_eq!((read.occurrences.len(), read.left_out), (MOST, 5));
        for odd in [json!(null), json!([]), json!({"resourceSpans": "x"})] {
            assert_eq!(read_json(&odd, Signal::Traces), Read::default(), "{odd}");
        }
    }
}
