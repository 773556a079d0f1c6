//! Follows one line from a version of a file to an older one, without a complete diff where the
//! answer is certain without it.
//!
//! The lines of the common head and tail of two versions are the same lines in any diff, except
//! that a hunk may afterwards slide over them. A hunk of n changed lines slides over a line only
//! when an equal one is n lines further on. Let m be the number of lines that may have changed: a
//! line U that differs from each of the m lines after it stops every hunk, so everything beyond U
//! is certain.
use gix_imara_diff::Hunk;

use super::diff::old_line;
use super::ends::Ends;
use super::lines::{self, WhiteSpace};

/// How many lines are tried as U, and the limit of comparisons for that.
const MAX_TRIES: usize = 12;
const MAX_COMPARISONS: usize = 4_000;

/// What is known about two versions of a file. The ends are compared when a line is there.
#[derive(Debug)]
pub(super) struct LineMap {
    head_lines: u32,
    changed: [u32; 2],
    /// Lines before this one are the same in both.
    head: Option<u32>,
    /// Lines of the new version from this one on are those of the old one, shifted.
    tail: Option<u32>,
    /// The complete diff, once it was needed.
    pub(super) hunks: Option<Box<[Hunk]>>,
}

impl LineMap {
    pub(super) fn new(ends: &Ends<'_>) -> Self {
        let Ends { head_lines, changed, .. } = *ends;
        Self { head_lines, changed, head: None, tail: None, hunks: None }
    }

    /// The line of the old version that corresponds to line `line` of the new one, from 0:
    /// `Some(None)` when it is new, `None` when that is not known.
    pub(super) fn look_up(&self, line: u32) -> Option<Option<u32>> {
        if let Some(hunks) = &self.hunks {
            return Some(old_line(hunks, line));
        }
        if self.head.is_some_and(|head| line < head) {
            return Some(Some(line));
        }
        let is_in_tail = self.tail.is_some_and(|tail| line >= tail);
        is_in_tail.then(|| (line + self.changed[0]).checked_sub(self.changed[1]))
    }

    /// The same, after comparing the two versions at the end that contains the line.
    pub(super) fn look_at(
        &mut self,
        line: u32,
        ends: &Ends<'_>,
        white_space: WhiteSpace,
    ) -> Option<Option<u32>> {
        let tail_from = self.head_lines + self.changed[1];
        if line < self.head_lines && self.head.is_none() {
            self.head = Some(self.head_lines - unsure_in_head(ends, white_space));
        } else if line >= tail_from && self.tail.is_none() {
            self.tail = Some(tail_from + unsure_in_tail(ends, white_space));
        }
        self.look_up(line)
    }

    /// Approximate memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.hunks.as_ref().map_or(0, |hunks| size_of_val(&**hunks))
    }
}

/// How many lines of the head, counted from the change, a hunk may slide over.
fn unsure_in_head(ends: &Ends<'_>, white_space: WhiteSpace) -> u32 {
    let head = last_lines(ends.head()).take(MAX_TRIES);
    unsure(head, ends.middles().map(lines::each), ends.changed, white_space)
        .unwrap_or(ends.head_lines)
}

/// How many lines of the tail, counted from the change, a hunk may slide over.
fn unsure_in_tail(ends: &Ends<'_>, white_space: WhiteSpace) -> u32 {
    let tail = lines::each(ends.tail()).take(MAX_TRIES);
    unsure(tail, ends.middles().map(last_lines), ends.changed, white_space)
        .unwrap_or_else(|| lines::count(ends.tail()))
}

/// How many of the lines `around` a change, the nearest first, a hunk may slide over; `None`
/// when none of those given stops it. `middles` are the changed lines of both sides, the nearest
/// first.
fn unsure<'a>(
    around: impl Iterator<Item = &'a [u8]>,
    middles: [impl Iterator<Item = &'a [u8]>; 2],
    changed: [u32; 2],
    white_space: WhiteSpace,
) -> Option<u32> {
    let comparisons = (changed[0] + changed[1]) as usize;
    if comparisons > MAX_COMPARISONS {
        return None;
    }
    let middles = middles.map(Iterator::collect::<Vec<_>>);
    let mut passed: Vec<&[u8]> = Vec::new();
    let mut left = MAX_COMPARISONS;
    for line in around {
        let stops_in = |(middle, count): (&Vec<&[u8]>, u32)| {
            let behind = passed.iter().rev().chain(middle).take(count as usize);
            behind.copied().all(|other| !lines::are_equal(line, other, white_space))
        };
        left = left.checked_sub(comparisons)?;
        if middles.iter().zip(changed).all(stops_in) {
            return Some(passed.len() as u32);
        }
        passed.push(line);
    }
    None
}

/// The lines of a text, each with its end, the last one first.
fn last_lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let before = rest.len().checked_sub(1)?;
        let start = memchr::memrchr(b'\n', &rest[..before]).map_or(0, |end| end + 1);
        let line;
        (rest, line) = rest.split_at(start);
        Some(line)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use gix_hash::ObjectId;
    use gix_object::Kind;

    use crate::tracer::diff::hunks;
    use crate::tracer::line_names::LineNames;
    use crate::tracer::objects::Object;

    /// Lines that mostly occur more than once, some of them equal except for white space, sometimes
    /// followed by a long block that ends the common tail of a kilobyte.
    fn text() -> impl Strategy<Value = Vec<String>> {
        let common = prop::sample::select(vec![
            "\n", "a\n", " a\n", "b\n", "\tb\n", "}\n", "  }\n", "x = 1\n", "x=1\n", "\r\n",
            "c\r\n",
        ]);
        let line = prop_oneof![
            8 => common.prop_map(str::to_owned),
            2 => (0..40u32).prop_map(|n| format!("    line_{n}(arg)\n")),
            1 => (0..3u32).prop_map(|n| format!("block {n} of many lines\n").repeat(60)),
        ];
        prop::collection::vec(line, 0..40)
    }

    /// An edited copy: pieces are removed, repeated, replaced.
    fn edits() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
        let edit = (0..60usize, 0..6usize, prop::collection::vec(text(), 0..2), any::<bool>());
        (text(), prop::collection::vec(edit, 1..4)).prop_map(|(old, edits)| {
            let mut new = old.clone();
            for (at, length, other, repeat) in edits {
                let from = at.min(new.len());
                let to = (from + length).min(new.len());
                let block: Vec<String> = match other.into_iter().next() {
                    Some(other) => other.into_iter().take(4).collect(),
                    None if repeat => [&new[from..to], &new[from..to]].concat(),
                    None => Vec::new(),
                };
                new.splice(from..to, block);
            }
            (old, new)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn certain_lines_agree_with_the_diff_of_the_whole_files(
            (old, new) in edits(),
            ignored in any::<bool>(),
            unended in any::<bool>(),
        ) {
            let white_space = if ignored { WhiteSpace::Ignored } else { WhiteSpace::Counts };
            let (old, mut new) = (old.concat(), new.concat());
            if unended && new.ends_with('\n') {
                new.pop();
            }
            let ends = Ends::of(old.as_bytes(), new.as_bytes());
            let mut names = LineNames::new(white_space);
            let newer = names.of_text(new.as_bytes());
            let changed = names.of_older(&ends, &newer);
            let whole = hunks(&ends, &changed, &newer);
            let (blob, older) = (ObjectId::Sha1([1; 20]), ObjectId::Sha1([2; 20]));
            let object = Object { kind: Kind::Blob, data: new.clone().into_bytes() };
            let mut followed = LineNames::new(white_space);
            let made = followed.hunks_in(&mut LineMap::new(&ends), &ends, (blob, older), &object).to_vec();
            prop_assert_eq!(&made, &whole);
            // Names that are carried along must equal those computed from scratch.
            let mut older_names = newer.clone();
            let from = ends.head_lines as usize;
            older_names.splice(from..from + ends.changed[1] as usize, changed);
            prop_assert_eq!(older_names, names.of_text(old.as_bytes()));
            let mut map = LineMap::new(&ends);
            for line in 0..lines::count(new.as_bytes()) {
                if let Some(found) = map.look_at(line, &ends, white_space) {
                    prop_assert_eq!(found, old_line(&whole, line), "line {}", line);
                }
            }
        }
    }
}
