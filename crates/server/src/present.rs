//! A traceback as people see it, in mails and on pages alike.
use flawless_core::{ClassifiedFrame, FrameKind, Report};

use crate::issue_details::IssueDetails;
use crate::store::{IssueRow, Sample};

/// Who wrote the line of an issue, by name and address: the author of its commit, be it automation.
pub fn author_of(issue: &IssueRow, details: &IssueDetails) -> String {
    match details.author.clone().or_else(|| issue.developer()) {
        Some(developer) => one_line(&format!("{} <{}>", developer.name, developer.email), 200),
        None => "automation".to_owned(),
    }
}

/// A traceback ready to be printed.
#[derive(Debug)]
pub struct TracebackView {
    /// Full type path; may be empty.
    pub exception_type: String,
    /// As the client printed it.
    pub exception_message: String,
    /// Where the program ran.
    pub hostname: String,
    /// Free text of the client.
    pub additional_info: String,
    /// Outermost first; a cut is a frame of its own.
    pub frames: Vec<FrameView>,
}

/// One frame ready to be printed.
#[derive(Debug, Default)]
pub struct FrameView {
    /// Path as deployed.
    pub path: String,
    /// Line number.
    pub line: u32,
    /// Function.
    pub function: String,
    /// Source line without its indent.
    pub text: String,
    /// What the frame was to the choice, in words.
    pub kind: String,
    /// It is the blamed one.
    pub blamed: bool,
    /// It is in a file of the project.
    pub own: bool,
    /// Names and values; `None` when they were not captured.
    pub locals: Option<Vec<(String, String)>>,
    /// So many frames are left out here; the rest of this one is empty then.
    pub left_out: usize,
}

/// Frames that are printed of a long traceback: the outermost and the innermost.
const SHOWN_OUTERMOST: usize = 10;
const SHOWN_INNERMOST: usize = 60;

impl TracebackView {
    /// The traceback of `sample`, long values cut to `max_value` characters.
    pub fn of(sample: &Sample, max_value: usize) -> Self {
        let Report { traceback, .. } = &sample.report;
        let foreign =
            ClassifiedFrame { repo_path: None, path_rule: None, kind: FrameKind::Foreign };
        let mut frames: Vec<FrameView> = traceback
            .iter()
            .enumerate()
            .map(|(at, frame)| {
                let class = sample.frames.get(at).unwrap_or(&foreign);
                let locals = frame.locals.as_ref().map(|locals| {
                    locals
                        .iter()
                        .map(|(name, value)| (plain(name), cut(value, max_value)))
                        .collect()
                });
                FrameView {
                    path: plain(&frame.path),
                    line: frame.line,
                    function: plain(&frame.function),
                    text: plain(frame.text.trim()),
                    kind: class.kind.to_string(),
                    blamed: sample.blamed_frame == Some(at),
                    own: class.kind.is_own(),
                    locals,
                    left_out: 0,
                }
            })
            .collect();
        if frames.len() > SHOWN_OUTERMOST + SHOWN_INNERMOST + 1 {
            let until = frames.len() - SHOWN_INNERMOST;
            let left_out = until - SHOWN_OUTERMOST;
            let cut = FrameView { left_out, ..FrameView::default() };
            frames.splice(SHOWN_OUTERMOST..until, [cut]);
        }
        Self {
            exception_type: plain(&sample.report.exception_type),
            exception_message: cut(&sample.report.exception_message, max_value.max(4_000)),
            hostname: plain(&sample.report.hostname),
            additional_info: cut(&sample.report.additional_info, max_value.max(8_000)),
            frames,
        }
    }

    /// Frames of the project whose locals were captured; all such frames when none is its own.
    pub fn frames_with_locals(&self) -> impl Iterator<Item = &FrameView> {
        let captured = || self.frames.iter().filter(|frame| frame.locals.is_some());
        let any_own = captured().any(|frame| frame.own);
        captured().filter(move |frame| frame.own || !any_own)
    }
}

/// `text` without characters that change how other text is shown: control characters and marks
/// of writing direction become U+FFFD; line breaks and tabs stay.
pub fn plain(text: &str) -> String {
    let harmful = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(harmful) {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").replace(harmful, "\u{fffd}")
}

/// The same in one line, for headers and titles.
pub fn one_line(text: &str, max: usize) -> String {
    cut(&text.split_whitespace().collect::<Vec<_>>().join(" "), max)
}

fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        Some((end, _)) => plain(&text[..end]) + "…",
        None => plain(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_change_the_text_around_it() {
        assert_eq!(plain("a\u{202e}b\u{1b}[31m\tc\r\nd"), "a\u{fffd}b\u{fffd}[31m\tc\nd");
        assert_eq!(one_line("a\r\nBcc: x\n\n y", 100), "a Bcc: x y");
        assert_eq!(one_line("abcdef", 3), "abc…");
    }

    #[test]
    fn a_long_traceback_is_cut_in_the_middle() {
        let report = Report { traceback: vec![Default::default(); 500], ..Report::default() };
        let sample = Sample { report, frames: [].into(), blamed_frame: None };
        let view = TracebackView::of(&sample, 100);
        assert_eq!(view.frames.len(), 71);
        assert_eq!(view.frames[10].left_out, 430);
    }
}
