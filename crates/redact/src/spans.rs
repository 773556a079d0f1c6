//! Replaces the found spans by the mark.
//!
//! An existing mark is never split: a span inside one is left alone, and a span that overlaps one
//! includes it. So each replacement removes real characters, and repeating it ends.

use std::ops::Range;

use memchr::memmem;

use super::SCRUBBED;

/// The text with every span replaced, or `None` if nothing but marks would be replaced.
pub(super) fn replace(text: &str, found: &[Range<usize>]) -> Option<String> {
    if found.is_empty() {
        return None;
    }
    let marks = memmem::find_iter(text.as_bytes(), SCRUBBED).map(|at| (at, SCRUBBED.len(), true));
    let mut pieces: Vec<(usize, usize, bool)> = marks
        .chain(found.iter().filter(|span| !span.is_empty()).map(|s| (s.start, s.len(), false)))
        .collect();
    pieces.sort_unstable();

    let mut out = String::with_capacity(text.len());
    let mut kept = 0;
    let mut changed = false;
    let mut pieces = pieces.into_iter().peekable();
    while let Some((start, length, is_mark)) = pieces.next() {
        let mut end = start + length;
        let mut marked = if is_mark { length } else { 0 };
        while let Some((next, length, is_mark)) = pieces.next_if(|(next, ..)| *next <= end) {
            end = end.max(next + length);
            marked += if is_mark { length } else { 0 };
        }
        if marked < end - start {
            out.push_str(&text[kept..start]);
            out.push_str(SCRUBBED);
            kept = end;
            changed = true;
        }
    }
    out.push_str(&text[kept..]);
    changed.then_some(out)
}
