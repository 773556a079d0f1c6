//! A report: one message from a client, an exception with its traceback.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::chain::ChainedException;
use crate::web_request::WebRequest;

/// One exception with its traceback, and how many occurrences it stands for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The frames, outermost first; the last one is where the exception was raised.
    pub traceback: Vec<Frame>,
    /// Full type path, e.g. `builtins.ZeroDivisionError`; empty when the client sent none.
    pub exception_type: String,
    /// The exception as the client printed it, e.g. `ZeroDivisionError('division by zero')`.
    pub exception_message: String,
    /// The host the program ran on.
    pub hostname: String,
    /// Overrides the configured `report_error_threshold` for this report.
    pub error_threshold: Option<u64>,
    /// Free text of the client, e.g. the web request.
    pub additional_info: String,
    /// How many occurrences this report stands for, at least 1.
    pub error_count: u64,
    /// The revision that was running, as the client names it; `None` when it did not say.
    #[serde(default)]
    pub revision: Option<String>,
    /// Where it runs, e.g. `production`; empty when the client did not say.
    #[serde(default)]
    pub environment: String,
    /// The exceptions that led to this one, nearest first; one that this one only carries is blamed
    /// in its place.
    #[serde(default)]
    pub chain: Vec<ChainedException>,
    /// Notes that were added to the exception.
    #[serde(default)]
    pub notes: Vec<String>,
    /// The web request that was answered.
    #[serde(default)]
    pub request: Option<WebRequest>,
}

/// One line of the stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// Path of the source file as deployed.
    pub path: String,
    /// Line number from 1; 0 when the client sent none or one no file can have.
    pub line: u32,
    /// Plain name of the function.
    pub function: String,
    /// The source line; empty when the client could not read it.
    pub text: String,
    /// Names and printed values of the local variables; `None` when they were not captured.
    pub locals: Option<BTreeMap<String, String>>,
    /// The source lines before `text`, nearest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<String>,
    /// The source lines after `text`, nearest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
}

const MAX_FRAMES: usize = 1_000;
const KEPT_OUTERMOST: usize = 200;
const MAX_CHAIN: usize = 50;
const MAX_CHAIN_FRAMES: usize = 100;
const KEPT_CHAIN_OUTERMOST: usize = 20;
const MAX_NOTES: usize = 50;
const MAX_CONTEXT: usize = 10;
const MAX_HEADERS: usize = 100;
const MAX_NAME: usize = 512;
const MAX_PATH: usize = 4_096;
const MAX_TEXT: usize = 2_000;
const MAX_VALUE: usize = 4_096;
const MAX_MESSAGE: usize = 16 * 1024;
const MAX_INFO: usize = 64 * 1024;
const MAX_BODY: usize = 16 * 1024;
/// How much longer texts are as long as their secrets are not out.
const BEYOND: usize = 1_024;
const MAX_LOCALS: usize = 200;
const MAX_ERROR_COUNT: u64 = 1_000_000_000;

impl Report {
    /// The same report within the sizes the rest of the program counts on: at most 1,000
    /// frames (the outermost 200 and the innermost 800), 200 locals a frame, values of 4 KiB,
    /// a message of 16 KiB, 50 chained exceptions of 100 frames, 50 notes, 100 headers; what is
    /// cut ends in `…`. NUL becomes U+FFFD, a count is 1 to 10⁹.
    ///
    /// Texts stay 1 KiB longer, until [`Report::shorten`]: a secret at the end of what is kept
    /// can only be known when it is whole.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.bound(BEYOND);
        self
    }

    /// Cuts texts to the sizes of [`Report::bounded`]. Doing it twice changes nothing.
    pub fn shorten(&mut self) {
        self.bound(0);
    }

    fn bound(&mut self, beyond: usize) {
        let cut = |text: &mut String, most: usize| cut(text, most + beyond);
        let bound_traceback =
            |frames: &mut _, most, outermost| bound_traceback(frames, most, outermost, beyond);
        let bound_texts = |texts: &mut _, most, bytes| bound_texts(texts, most, bytes + beyond);
        bound_traceback(&mut self.traceback, MAX_FRAMES, KEPT_OUTERMOST);
        cut(&mut self.exception_type, MAX_NAME);
        cut(&mut self.exception_message, MAX_MESSAGE);
        cut(&mut self.hostname, MAX_NAME);
        cut(&mut self.additional_info, MAX_INFO);
        cut(&mut self.environment, MAX_NAME);
        if let Some(revision) = &mut self.revision {
            cut(revision, MAX_NAME);
        }
        bound_texts(&mut self.notes, MAX_NOTES, MAX_VALUE);
        self.chain.truncate(MAX_CHAIN);
        for (index, exception) in self.chain.iter_mut().enumerate() {
            cut(&mut exception.exception_type, MAX_NAME);
            cut(&mut exception.exception_message, MAX_MESSAGE);
            exception.parent = exception.parent.filter(|parent| *parent < index);
            let traceback = &mut exception.traceback;
            bound_traceback(traceback, MAX_CHAIN_FRAMES, KEPT_CHAIN_OUTERMOST);
            bound_texts(&mut exception.notes, MAX_NOTES, MAX_VALUE);
        }
        if let Some(request) = &mut self.request {
            cut(&mut request.method, MAX_NAME);
            cut(&mut request.path, MAX_PATH);
            cut(&mut request.protocol, MAX_NAME);
            bound_map(&mut request.headers, MAX_HEADERS, beyond);
            cut(&mut request.body, MAX_BODY);
        }
        self.error_count = self.error_count.clamp(1, MAX_ERROR_COUNT);
    }
}

/// The frames of which as many are kept as of a chained exception: the outermost and the innermost.
pub(crate) fn ends_of_chained(traceback: &[Frame]) -> impl Iterator<Item = &Frame> {
    let innermost = traceback.len().saturating_sub(MAX_CHAIN_FRAMES - KEPT_CHAIN_OUTERMOST);
    let outermost = KEPT_CHAIN_OUTERMOST.min(innermost);
    traceback[..outermost].iter().chain(&traceback[innermost..])
}

fn bound_traceback(traceback: &mut Vec<Frame>, most: usize, outermost: usize, beyond: usize) {
    if traceback.len() > most {
        let innermost = traceback.len() - (most - outermost);
        traceback.drain(outermost..innermost);
    }
    for frame in traceback {
        cut(&mut frame.path, MAX_PATH + beyond);
        cut(&mut frame.function, MAX_NAME + beyond);
        cut(&mut frame.text, MAX_TEXT + beyond);
        if let Some(locals) = &mut frame.locals {
            bound_map(locals, MAX_LOCALS, beyond);
        }
        // The nearest lines stay.
        let too_many = frame.before.len().saturating_sub(MAX_CONTEXT);
        frame.before.drain(..too_many);
        bound_texts(&mut frame.before, MAX_CONTEXT, MAX_TEXT + beyond);
        bound_texts(&mut frame.after, MAX_CONTEXT, MAX_TEXT + beyond);
    }
}

fn bound_texts(texts: &mut Vec<String>, most: usize, max_bytes: usize) {
    texts.truncate(most);
    texts.iter_mut().for_each(|text| cut(text, max_bytes));
}

fn bound_map(map: &mut BTreeMap<String, String>, most: usize, beyond: usize) {
    if map.keys().any(|name| name.len() > MAX_NAME || name.contains('\0')) {
        *map = std::mem::take(map)
            .into_iter()
            .map(|(mut name, value)| {
                cut(&mut name, MAX_NAME);
                (name, value)
            })
            .collect();
    }
    while map.len() > most {
        map.pop_last();
    }
    for value in map.values_mut() {
        cut(value, MAX_VALUE + beyond);
    }
}

fn cut(text: &mut String, max_bytes: usize) {
    if text.len() > max_bytes {
        let end = (0..=max_bytes).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
        // `truncate` keeps the allocation; a 10 MB string must not live on as 4 KiB of text.
        text.shrink_to_fit();
    }
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_report_is_cut_on_the_outer_side_and_in_its_values() {
        let frame = |n: u32| Frame { line: n, ..Frame::default() };
        let report = Report {
            traceback: (0..100_000).map(frame).collect(),
            exception_message: "é".repeat(1_000_000),
            error_count: u64::MAX,
            ..Report::default()
        }
        .bounded();
        assert!(report.exception_message.len() > MAX_MESSAGE + BEYOND, "its secrets are not out");
        let mut report = report;
        report.shorten();
        assert_eq!(report.traceback.len(), 1_000);
        assert_eq!(report.traceback[0].line, 0);
        assert_eq!(report.traceback[999].line, 99_999, "the innermost frames stay");
        assert!(report.exception_message.len() <= MAX_MESSAGE + '…'.len_utf8());
        assert!(report.exception_message.ends_with('…'));
        assert_eq!(report.error_count, MAX_ERROR_COUNT);
        let shortened = report.clone();
        report.shorten();
        assert_eq!(report, shortened, "once is enough");
    }

    #[test]
    fn locals_are_cut_in_number_name_and_value() {
        let locals = (0..500).map(|n| (format!("v{n:03}"), "x".repeat(10_000)));
        let report = Report {
            traceback: vec![Frame {
                locals: Some(locals.chain([("nul\0".into(), "a\0b".into())]).collect()),
                ..Frame::default()
            }],
            error_count: 0,
            ..Report::default()
        }
        .bounded();
        let locals = report.traceback[0].locals.as_ref().expect("locals");
        assert_eq!(locals.len(), 200);
        assert_eq!(locals["nul\u{fffd}"], "a\u{fffd}b");
        assert!(locals["v001"].len() < 4_200 + BEYOND);
        assert_eq!(report.error_count, 1, "a report stands for at least one occurrence");
    }

    #[test]
    fn chains_notes_context_and_requests_are_cut() {
        let many = |count: usize| vec!["x".repeat(100_000); count];
        let exception = |parent| ChainedException {
            parent: Some(parent),
            traceback: vec![Frame::default(); 5_000],
            notes: many(60),
            ..ChainedException::default()
        };
        let before = (0..20).map(|n| n.to_string()).collect();
        let report = Report {
            traceback: vec![Frame { before, after: many(20), ..Frame::default() }],
            chain: (0..60).map(exception).collect(),
            notes: many(60),
            request: Some(WebRequest {
                headers: (0..500).map(|n| (n.to_string(), "x".repeat(100_000))).collect(),
                body: "x".repeat(100_000),
                ..WebRequest::default()
            }),
            ..Report::default()
        }
        .bounded();
        let frame = &report.traceback[0];
        assert_eq!((frame.before.len(), frame.before[9].as_str()), (10, "19"), "the nearest stay");
        assert_eq!((frame.after.len(), report.notes.len(), report.chain.len()), (10, 50, 50));
        let last = &report.chain[49];
        assert_eq!((last.traceback.len(), last.notes.len(), last.parent), (100, 50, None));
        assert!(serde_json::to_string(&report).expect("text").len() < 20 * 1024 * 1024);
        let request = report.request.expect("a request");
        assert_eq!(request.headers.len(), 100);
        assert!(request.body.len() < 17_000 + BEYOND);
    }

    #[test]
    fn a_report_that_an_earlier_version_stored_is_read() {
        let stored = r#"{"traceback":[{"path":"a.py","line":1,"function":"f","text":"x",
            "locals":null}],"exception_type":"E","exception_message":"m","hostname":"h",
            "error_threshold":null,"additional_info":"","error_count":1}"#;
        let report: Report = serde_json::from_str(stored).expect("a report");
        assert_eq!((report.traceback.len(), report.chain.len()), (1, 0));
        assert_eq!(report.request, None);
    }
}
