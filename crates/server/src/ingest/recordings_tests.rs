//! What real clients send becomes the reports that it should.
use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flawless_core::{ChainedException, Frame, Report};
use flawless_protocol::content_encoding::decoded;
use flawless_protocol::lenient_json::read_json;
use flawless_protocol::sentry::{Envelope, Event, Traffic, lost_errors, older_body};
use serde::Deserialize;

use flawless_protocol::otlp::{self, Signal};

use super::otlp::convert::converted as otlp_converted;
use super::sentry::convert::{Converted, converted};

#[derive(Deserialize)]
struct Recording {
    name: String,
    target: String,
    headers: Vec<(String, String)>,
    body: String,
}

const LIMIT: usize = 4 * 1024 * 1024;

#[test]
fn recordings_of_sentry_become_reports() {
    let recordings = include_bytes!("../../tests/recordings/sentry.jsonl.zst");
    insta::assert_snapshot!(all(recordings, said));
}

#[test]
fn recordings_of_opentelemetry_become_reports() {
    let recordings = include_bytes!("../../tests/recordings/otlp.jsonl.zst");
    insta::assert_snapshot!(all(recordings, said_by_otlp));
}

fn all(recordings: &[u8], said: fn(&Recording) -> Result<Vec<String>, String>) -> String {
    let lines = zstd::decode_all(recordings).expect("compressed");
    let mut all = String::new();
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let recording: Recording = serde_json::from_slice(line).expect("a recording");
        let shown = said(&recording).unwrap_or_else(|why| vec![why]);
        // Control characters would make the snapshot unreadable.
        let shown = shown.join("\n    ").replace(|c: char| c.is_control() && c != '\n', "\u{fffd}");
        writeln!(all, "{}\n    {shown}", recording.name).expect("memory");
    }
    all
}

impl Recording {
    fn header(&self, wanted: &str) -> &str {
        let found = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        found.map_or("", |(_, value)| value)
    }

    fn body(&self) -> Result<Vec<u8>, String> {
        let body = STANDARD.decode(&self.body).expect("base64");
        decoded(body, self.header("content-encoding"), LIMIT).map_err(|error| error.to_string())
    }
}

fn said_by_otlp(recording: &Recording) -> Result<Vec<String>, String> {
    let body = recording.body()?;
    let is_traces = recording.target.contains("traces");
    let signal = if is_traces { Signal::Traces } else { Signal::Logs };
    let read = match recording.header("content-type").contains("json") {
        true => read_json(&body).map(|message| otlp::read_json(&message, signal)),
        false => otlp::read_protobuf(&body, signal),
    };
    let read = read.map_err(|error| error.to_string())?;
    let reports = read.occurrences.into_iter().map(|it| shown(&otlp_converted(it, signal)));
    Ok(reports.chain([format!("{} others", read.others)]).collect())
}

/// What becomes of each item, or why the request is refused.
fn said(recording: &Recording) -> Result<Vec<String>, String> {
    let body = recording.body()?;
    if recording.target.contains("/store") {
        let body = older_body(body, LIMIT).map_err(|error| error.to_string())?;
        return Ok(vec![event(&body, None)]);
    }
    let envelope = Envelope::read(&body).map_err(|error| error.to_string())?;
    let mut shown = Vec::new();
    for item in envelope.items() {
        shown.push(match item {
            Err(error) => error.to_string(),
            Ok(item) => match Traffic::of(&item.kind) {
                Traffic::Event => event(item.payload, envelope.field("event_id")),
                Traffic::Other(name) => name.to_owned(),
                Traffic::ClientReport => {
                    let lost = read_json(item.payload).map(|report| lost_errors(&report));
                    format!("client report: {lost:?} lost")
                }
            },
        });
    }
    // A long list of equal items says as much in one line.
    shown.dedup();
    Ok(shown)
}

fn event(payload: &[u8], id: Option<&str>) -> String {
    let event = match read_json(payload) {
        Ok(event) => Event::read(&event, id),
        Err(error) => return error.to_string(),
    };
    match converted(event) {
        Converted::NotAnError(name) => name.to_owned(),
        Converted::Report(report) => shown(&report),
    }
}

fn shown(report: &Report) -> String {
    let cut = |text: &str| text.chars().take(80).collect::<String>().replace('\n', " / ");
    let exception = |kind: &str, message: &str, traceback: &[Frame]| {
        let last = traceback.last().map_or_else(
            || "no frames".to_owned(),
            |frame| format!("{}:{} {}", cut(&frame.path), frame.line, cut(&frame.function)),
        );
        format!("{} | {} | {last}", cut(kind), cut(message))
    };
    let mut shown = exception(&report.exception_type, &report.exception_message, &report.traceback);
    if let Some(revision) = &report.revision {
        write!(shown, " | {revision}").expect("memory");
    }
    for part in &report.chain {
        let ChainedException { relation, parent, traceback, .. } = part;
        let of = parent.map_or_else(|| "it".to_owned(), |parent| parent.to_string());
        let part = exception(&part.exception_type, &part.exception_message, traceback);
        write!(shown, "\n        {relation:?} of {of}: {part}").expect("memory");
    }
    shown
}
