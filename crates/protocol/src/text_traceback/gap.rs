//! Gaps in a traceback that its reader should know about.
use std::fmt;

/// A part of a traceback that is missing or could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Its end is missing: the exception after its frames, the one raised from it, or the members
    /// of a group.
    CutOff,
    /// Lines were left out; the line of the input with the mark that says so.
    LeftOut(u32),
    /// This line of the input looks like a frame and could not be read.
    Unread(u32),
    /// It has more frames or exceptions than the limits allow.
    TooLong,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutOff => write!(
                f,
                "the traceback is cut off: its end is missing, and maybe the frame that failed"
            ),
            Self::LeftOut(line) => write!(f, "lines were left out of the traceback at line {line}"),
            Self::Unread(line) => {
                write!(f, "line {line} looks like a frame of the traceback and could not be read")
            }
            Self::TooLong => write!(f, "the traceback is too long to be read in full"),
        }
    }
}
