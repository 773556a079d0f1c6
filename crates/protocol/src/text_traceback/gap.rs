//! What a reader of a traceback did not get to see.
use std::fmt;

/// Something of a traceback that was not there or could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// Its end is missing: the exception behind its frames, the one that was raised from it, or
    /// the members of a group.
    CutOff,
    /// Somebody left lines out; the line of the input where a mark says so.
    LeftOut(u32),
    /// This line of the input looks like a frame and could not be read.
    Unread(u32),
    /// It has more frames or exceptions than are read.
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
            Self::TooLong => write!(f, "the traceback is longer than what is read of one"),
        }
    }
}
