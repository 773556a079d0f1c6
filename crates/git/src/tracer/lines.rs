//! Lines as git counts and compares them: they end only at LF, and "white space" is space, tab, CR
//! and LF.
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// Whether white space counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WhiteSpace {
    /// Lines that differ only in white space are the same line (`git blame -w`).
    Ignored,
    /// They are different lines.
    Counts,
}

pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The number of lines of a text; the last one need not end.
pub(crate) fn count(text: &[u8]) -> u32 {
    let ends = memchr::memchr_iter(b'\n', text).count();
    (ends + usize::from(text.last().is_some_and(|&last| last != b'\n'))) as u32
}

/// The lines of a text, each with its end.
pub(super) fn each(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// Line `number`, from 0, with its end.
pub(super) fn nth(text: &[u8], number: u32) -> Option<&[u8]> {
    let start = match number.checked_sub(1) {
        None => 0,
        Some(ends_before) => memchr::memchr_iter(b'\n', text).nth(ends_before as usize)? + 1,
    };
    let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
    Some(memchr::memchr(b'\n', rest).map_or(rest, |end| &rest[..=end]))
}

/// Whether two lines are the same line.
pub(super) fn are_equal(one: &[u8], other: &[u8], white_space: WhiteSpace) -> bool {
    if white_space == WhiteSpace::Counts {
        return one == other;
    }
    let mut one = one.iter().filter(|byte| !is_space(**byte));
    let mut other = other.iter().filter(|byte| !is_space(**byte));
    loop {
        match (one.next(), other.next()) {
            (None, None) => return true,
            (one, other) if one == other => {}
            _ => return false,
        }
    }
}

/// Hashes a line: equal lines have equal hashes.
pub(super) struct LineHash {
    white_space: WhiteSpace,
    state: FixedState,
    stripped: Vec<u8>,
}

impl LineHash {
    pub(super) fn new(white_space: WhiteSpace) -> Self {
        Self { white_space, state: FixedState::default(), stripped: Vec::new() }
    }

    pub(super) fn of(&mut self, line: &[u8]) -> u64 {
        if self.white_space == WhiteSpace::Counts {
            return self.state.hash_one(line);
        }
        // Every byte is written, and counts only if it is kept: this avoids a branch per byte.
        if self.stripped.len() < line.len() {
            self.stripped.resize(line.len(), 0);
        }
        let mut length = 0;
        for &byte in line {
            self.stripped[length] = byte;
            length += usize::from(!is_space(byte));
        }
        self.state.hash_one(&self.stripped[..length])
    }
}
