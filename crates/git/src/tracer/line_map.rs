//! Follows one line from a version of a file to an older one, without a whole diff where the
//! answer is certain without it.
//!
//! The lines of the common head and tail of two versions are the same lines to any diff, except
//! that a hunk may afterwards slide over them. A hunk of n changed lines slides over a line only
//! when an equal one stands n lines further on, so a line U which differs from each of the m
//! lines behind it, m being all that may have changed, stops every hunk: whatever lies on the far
//! side of U is certain.
use gix_imara_diff::Hunk;

use super::diff::{hunks, old_line, without_common_tail};
use super::lines::{self, WhiteSpace};

/// How many lines are tried as U, and how many comparisons that may cost.
const MAX_TRIES: usize = 12;
const MAX_COMPARISONS: usize = 4_000;

/// What is known about two versions of a file.
#[derive(Debug)]
pub(super) struct LineMap {
    /// Lines before this one are the same in both.
    head: u32,
    /// Lines of the new version from this one on are those of the old one…
    tail: u32,
    /// …that many lines further down.
    shift: i64,
    /// The whole diff, once it was needed.
    hunks: Option<Box<[Hunk]>>,
}

impl LineMap {
    /// Compares the ends of two versions.
    pub(super) fn new(old: &[u8], new: &[u8], white_space: WhiteSpace) -> Self {
        let ends = Ends::of(old, new);
        let lines_of = |text: &[u8]| i64::from(lines::count(text));
        let (changed_old, changed_new) = (ends.middle(ends.old), ends.middle(ends.new));
        let counts = [lines::count(changed_old) as usize, lines::count(changed_new) as usize];
        let head_lines = lines::count(&new[..ends.head]);
        let head = head_lines - ends.unsure_in_head(counts, white_space);
        let tail = head_lines + counts[1] as u32 + ends.unsure_in_tail(counts, white_space);
        Self { head, tail, shift: lines_of(changed_old) - lines_of(changed_new), hunks: None }
    }

    /// The line of the old version that line `line` of the new one is, from 0: `Some(None)` when
    /// it is new there, `None` when that takes the whole diff.
    pub(super) fn look_up(&self, line: u32) -> Option<Option<u32>> {
        if let Some(hunks) = &self.hunks {
            return Some(old_line(hunks, line));
        }
        if line < self.head {
            return Some(Some(line));
        }
        (line >= self.tail).then(|| u32::try_from(i64::from(line) + self.shift).ok())
    }

    /// The same, with the whole diff when it takes that.
    pub(super) fn find(
        &mut self,
        line: u32,
        old: &[u8],
        new: &[u8],
        white_space: WhiteSpace,
    ) -> Option<u32> {
        if let Some(found) = self.look_up(line) {
            return found;
        }
        old_line(self.hunks(old, new, white_space), line)
    }

    /// The whole diff of the two versions.
    pub(super) fn hunks(&mut self, old: &[u8], new: &[u8], white_space: WhiteSpace) -> &[Hunk] {
        self.hunks.get_or_insert_with(|| hunks(old, new, white_space).into())
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.hunks.as_ref().map_or(0, |hunks| size_of_val(&**hunks))
    }
}

/// What two versions have in common at their ends, in bytes, whole lines only.
struct Ends<'a> {
    /// Both without the tail that no diff looks at.
    old: &'a [u8],
    new: &'a [u8],
    head: usize,
    /// The common tail of `old` and `new`.
    tail: usize,
}

impl<'a> Ends<'a> {
    fn of(old: &'a [u8], new: &'a [u8]) -> Self {
        let (old, new, _) = without_common_tail(old, new);
        let head = common_prefix(old, new);
        let head = memchr::memrchr(b'\n', &old[..head]).map_or(0, |end| end + 1);
        let (rest_old, rest_new) = (&old[head..], &new[head..]);
        let tail = common_suffix(rest_old, rest_new);
        let starts_line = |rest: &[u8]| {
            let before = rest.len() - tail;
            before == 0 || rest[before - 1] == b'\n'
        };
        let tail = if starts_line(rest_old) && starts_line(rest_new) {
            tail
        } else {
            let common = &rest_old[rest_old.len() - tail..];
            memchr::memchr(b'\n', common).map_or(0, |end| tail - end - 1)
        };
        Self { old, new, head, tail }
    }

    fn middle(&self, side: &'a [u8]) -> &'a [u8] {
        &side[self.head..side.len() - self.tail]
    }

    /// How many lines of the head, counted from the change, a hunk may slide over.
    fn unsure_in_head(&self, changed: [usize; 2], white_space: WhiteSpace) -> u32 {
        let head: Vec<&[u8]> = last_lines(&self.old[..self.head], MAX_TRIES + 1);
        let complete = head.len() <= MAX_TRIES;
        let side = |text: &'a [u8], count| lines::each(&text[self.head..]).take(count);
        let middles = [side(self.old, changed[0]), side(self.new, changed[1])];
        let unsure =
            unsure(head.iter().rev().copied().take(MAX_TRIES), middles, changed, white_space);
        match unsure {
            Some(lines) => lines,
            None if complete => head.len() as u32,
            None => lines::count(&self.old[..self.head]),
        }
    }

    /// How many lines of the tail, counted from the change, a hunk may slide over.
    fn unsure_in_tail(&self, changed: [usize; 2], white_space: WhiteSpace) -> u32 {
        let tail = &self.old[self.old.len() - self.tail..];
        let side = |text: &'a [u8], count| {
            last_lines(&text[..text.len() - self.tail], count).into_iter().rev()
        };
        let wanted = changed.map(|count| if count > MAX_COMPARISONS { 0 } else { count });
        let middles = [side(self.old, wanted[0]), side(self.new, wanted[1])];
        let tries = lines::each(tail).take(MAX_TRIES);
        unsure(tries, middles, changed, white_space).unwrap_or_else(|| lines::count(tail))
    }
}

/// How many of the lines `around` a change, the nearest first, a hunk may slide over; `None`
/// when none of them stops it. `middles` are the changed lines of both sides, the nearest first.
fn unsure<'a>(
    around: impl Iterator<Item = &'a [u8]>,
    middles: [impl Iterator<Item = &'a [u8]>; 2],
    changed: [usize; 2],
    white_space: WhiteSpace,
) -> Option<u32> {
    if changed[0] + changed[1] > MAX_COMPARISONS {
        return None;
    }
    let middles = middles.map(Iterator::collect::<Vec<_>>);
    let mut passed: Vec<&[u8]> = Vec::new();
    let mut left = MAX_COMPARISONS;
    for line in around {
        let stops_in = |(middle, count): (&Vec<&[u8]>, usize)| {
            let behind = passed.iter().rev().chain(middle).take(count);
            behind.copied().all(|other| !lines::are_equal(line, other, white_space))
        };
        left = left.checked_sub(changed[0] + changed[1])?;
        if middles.iter().zip(changed).all(stops_in) {
            return Some(passed.len() as u32);
        }
        passed.push(line);
    }
    None
}

/// The last lines of a text, at most `count`, in their order.
fn last_lines(text: &[u8], count: usize) -> Vec<&[u8]> {
    let mut lines = Vec::with_capacity(count.min(64));
    let mut rest = text;
    while !rest.is_empty() && lines.len() < count {
        let start = memchr::memrchr(b'\n', &rest[..rest.len() - 1]).map_or(0, |end| end + 1);
        lines.push(&rest[start..]);
        rest = &rest[..start];
    }
    lines.reverse();
    lines
}

const BLOCK: usize = 256;

fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    let blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK));
    let equal = blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    let rest = one[equal..].iter().zip(&other[equal..]);
    equal + rest.take_while(|(one, other)| one == other).count()
}

fn common_suffix(one: &[u8], other: &[u8]) -> usize {
    let blocks = one.rchunks_exact(BLOCK).zip(other.rchunks_exact(BLOCK));
    let equal = blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    let rest = one[..one.len() - equal].iter().rev().zip(other[..other.len() - equal].iter().rev());
    equal + rest.take_while(|(one, other)| one == other).count()
}
