//! A report: one message from a client, an exception with its traceback.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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
}

const MAX_FRAMES: usize = 1_000;
const KEPT_OUTERMOST: usize = 200;
const MAX_NAME: usize = 512;
const MAX_PATH: usize = 4_096;
const MAX_TEXT: usize = 2_000;
const MAX_VALUE: usize = 4_096;
const MAX_MESSAGE: usize = 16 * 1024;
const MAX_INFO: usize = 64 * 1024;
const MAX_LOCALS: usize = 200;
const MAX_ERROR_COUNT: u64 = 1_000_000_000;

impl Report {
    /// The same report within the sizes the rest of the program counts on: at most 1,000
    /// frames (the outermost 200 and the innermost 800), 200 locals a frame, values of 4 KiB,
    /// a message of 16 KiB; what is cut ends in `…`. NUL becomes U+FFFD, a count is 1 to 10⁹.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        if self.traceback.len() > MAX_FRAMES {
            let innermost = self.traceback.len() - (MAX_FRAMES - KEPT_OUTERMOST);
            self.traceback.drain(KEPT_OUTERMOST..innermost);
        }
        for frame in &mut self.traceback {
            cut(&mut frame.path, MAX_PATH);
            cut(&mut frame.function, MAX_NAME);
            cut(&mut frame.text, MAX_TEXT);
            if let Some(locals) = &mut frame.locals {
                bound_locals(locals);
            }
        }
        cut(&mut self.exception_type, MAX_NAME);
        cut(&mut self.exception_message, MAX_MESSAGE);
        cut(&mut self.hostname, MAX_NAME);
        cut(&mut self.additional_info, MAX_INFO);
        if let Some(revision) = &mut self.revision {
            cut(revision, MAX_NAME);
        }
        self.error_count = self.error_count.clamp(1, MAX_ERROR_COUNT);
        self
    }
}

fn bound_locals(locals: &mut BTreeMap<String, String>) {
    if locals.keys().any(|name| name.len() > MAX_NAME || name.contains('\0')) {
        *locals = std::mem::take(locals)
            .into_iter()
            .map(|(mut name, value)| {
                cut(&mut name, MAX_NAME);
                (name, value)
            })
            .collect();
    }
    while locals.len() > MAX_LOCALS {
        locals.pop_last();
    }
    for value in locals.values_mut() {
        cut(value, MAX_VALUE);
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
        assert_eq!(report.traceback.len(), 1_000);
        assert_eq!(report.traceback[0].line, 0);
        assert_eq!(report.traceback[999].line, 99_999, "the innermost frames stay");
        assert!(report.exception_message.len() <= MAX_MESSAGE + '…'.len_utf8());
        assert!(report.exception_message.ends_with('…'));
        assert_eq!(report.error_count, MAX_ERROR_COUNT);
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
        assert!(locals["v001"].len() < 4_200);
        assert_eq!(report.error_count, 1, "a report stands for at least one occurrence");
    }
}
