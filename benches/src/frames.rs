//! Tracebacks with a known fix: their file format, and when a frame counts as right.
use std::path::Path;

use anyhow::{Context, Result};
use flawless_core::{Frame, Report};
use flawless_protocol::text_traceback::{TextException, TextFrame};
use serde::Deserialize;

/// One traceback and the fix that followed.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    /// OWNER/NAME.
    pub(crate) repo: String,
    /// The revision that failed.
    pub(crate) parent: String,
    pub(crate) fix_commit: String,
    exc_type: Option<String>,
    exc_msg: Option<String>,
    pub(crate) frames: Vec<RecordFrame>,
    hunks: Vec<Hunk>,
    fixed_functions: Vec<(String, String)>,
    /// Pseudonym of the name, pseudonym of the address, number of lines.
    authors: Vec<(String, String, u32)>,
}

/// One of its frames.
#[derive(Debug, Deserialize)]
pub(crate) struct RecordFrame {
    path: String,
    line: Option<u32>,
    function: Option<String>,
    text: Option<String>,
    test: bool,
    /// Ground truth: its file in the repository, `None` for a foreign frame.
    pub(crate) repo_path: Option<String>,
    /// The file that 0.4.5 would choose.
    pub(crate) map_upstream: Option<String>,
    parent_line: Option<u32>,
    qual: Option<String>,
    /// Commit, pseudonyms of the author's name and address, two times.
    b: Option<(String, String, String, i64, i64)>,
    #[serde(default)]
    pub(crate) seen_before: u64,
    #[serde(default)]
    pub(crate) traces_before: u64,
}

#[derive(Debug, Deserialize)]
struct Hunk {
    path: String,
    start: u32,
    end: u32,
    kind: String,
    sub: bool,
}

/// At which levels a frame is right: file, function, line, author.
pub(crate) type Hits = [bool; 4];

/// Reads one record a line.
pub(crate) fn read_records(path: &Path) -> Result<Vec<Record>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    text.lines().map(|line| serde_json::from_str(line).context("a record")).collect()
}

impl Record {
    /// The traceback as a client would have sent it.
    pub(crate) fn report(&self) -> Report {
        let frame = |frame: &RecordFrame| Frame {
            path: frame.path.clone(),
            line: frame.line.unwrap_or_default(),
            function: frame.function.clone().unwrap_or_default(),
            text: frame.text.clone().unwrap_or_default(),
            ..Frame::default()
        };
        Report { traceback: self.frames.iter().map(frame).collect(), ..Report::default() }
    }

    /// The exception as an interpreter would print it; `None` if the record is incomplete.
    pub(crate) fn as_exception(&self) -> Option<TextException> {
        let said = |text: &Option<String>| {
            let text = text.as_deref()?;
            (!text.is_empty() && text == text.trim() && !text.contains(char::is_control))
                .then(|| text.to_owned())
        };
        let frame = |frame: &RecordFrame| {
            let function = said(&frame.function)?;
            let is_name = function.chars().all(|c| c.is_alphanumeric() || "_<>".contains(c));
            is_name.then_some(TextFrame {
                path: frame.path.clone(),
                line: frame.line?,
                function,
                text: said(&frame.text)?,
                ..TextFrame::default()
            })
        };
        let exception_type = said(&self.exc_type)?;
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        let frames: Option<Vec<TextFrame>> = self.frames.iter().map(frame).collect();
        exception_type.chars().all(is_name).then_some(TextException {
            frames: frames.filter(|frames| !frames.is_empty())?,
            exception_type,
            exception_message: said(&self.exc_msg)?,
        })
    }

    /// Whether the fix changed this file.
    pub(crate) fn fixed(&self, path: &str) -> bool {
        let is_test = self.frames.iter().any(|f| f.test && f.repo_path.as_deref() == Some(path));
        !is_test && self.hunks.iter().any(|hunk| hunk.sub && hunk.path == path)
    }

    /// The project's own frames outside tests, from the innermost outwards.
    pub(crate) fn own_frames(&self) -> impl Iterator<Item = usize> {
        (0..self.frames.len()).rev().filter(|&at| self.frames[at].own_path().is_some())
    }

    /// At which levels a frame is right.
    pub(crate) fn hits(&self, at: usize) -> Hits {
        let frame = &self.frames[at];
        let Some(path) = frame.own_path() else { return [false; 4] };
        let mut hunks = self.hunks.iter().filter(|hunk| hunk.sub && hunk.path == path);
        let file = hunks.clone().next().is_some();
        let function = frame.qual.as_deref().is_some_and(|qual| {
            let inner = format!("{qual}.");
            let is_it =
                |fixed: &str| fixed == qual || (qual != "<module>" && fixed.starts_with(&inner));
            self.fixed_functions.iter().any(|(file, fixed)| file == path && is_it(fixed))
        });
        let line = frame.parent_line.is_some_and(|line| {
            hunks.any(|hunk| {
                let end = hunk.end + 3 + u32::from(hunk.kind == "add");
                hunk.start <= line + 3 && line <= end
            })
        });
        let author = frame.b.as_ref().is_some_and(|(_, name, address, ..)| {
            let is_it = |by: &(String, String, u32)| {
                *name == by.0 || (!address.is_empty() && *address == by.1)
            };
            self.authors.iter().any(is_it)
        });
        [file, function, line, author]
    }
}

impl RecordFrame {
    fn own_path(&self) -> Option<&str> {
        self.repo_path.as_deref().filter(|_| !self.test)
    }

    /// Its source line, or an empty text.
    pub(crate) fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// Its deployed path.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}
