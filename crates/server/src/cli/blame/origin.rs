//! Where in the input a traceback is, and which parts of it are missing.
use flawless_protocol::text_traceback::TextTraceback;

pub(super) struct Origin {
    /// Which of the input's tracebacks it is, from 1, and of how many.
    pub(super) number: usize,
    pub(super) count: usize,
    /// The line of the input where it begins, from 1.
    pub(super) line: u32,
    /// What could not be read, because of which the wrong person may be named.
    pub(super) warnings: Vec<String>,
}

impl Origin {
    pub(super) fn of(traceback: &TextTraceback, number: usize, count: usize) -> Self {
        let warnings = traceback.gaps.iter().map(ToString::to_string).collect();
        Self { number, count, line: traceback.line, warnings }
    }

    /// The first line of an answer: the exception, and which of the tracebacks it is when there
    /// are several.
    pub(super) fn heading(&self, exception_type: &str) -> String {
        let name = if exception_type.is_empty() { "Traceback" } else { exception_type };
        match self.count {
            1 => name.to_owned(),
            count => {
                format!("{name} (traceback {} of {count}, from line {})", self.number, self.line)
            }
        }
    }
}
