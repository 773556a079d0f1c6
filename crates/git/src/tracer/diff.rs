//! Which lines two versions of a file share, as git's default diff sees it: Myers' algorithm,
//! then hunks slid by the indent heuristic.
//!
//! Equal lines get equal tokens. Lines of the common head and tail that occur nowhere in what
//! changed all get one token: the diff never compares two of them, except in step, where they are
//! equal (`tokens` says when that does not hold).
use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::FixedState;
use gix_imara_diff::{Algorithm, Diff, Hunk, IndentHeuristic, IndentLevel, SliderHeuristic, Token};

use super::ends::Ends;
use super::lines::{self, LineHash};

/// So many lines further on a line of the older version is looked for in the newer one.
const LOOK_AHEAD: usize = 8;
/// The token of lines that occur nowhere in what changed.
const ELSEWHERE: Token = Token(0);

/// What was replaced by what, in lines from 0. `old_changed` are the hashes of the older version's
/// lines that may have changed, `new_hashes` those of all lines of the newer one.
pub(super) fn hunks(ends: &Ends<'_>, old_changed: &[u64], new_hashes: &[u64]) -> Vec<Hunk> {
    diff(ends, tokens(ends, old_changed, new_hashes))
}

/// The same with a token of its own for every line that differs from all others.
#[cfg(test)]
pub(super) fn hunks_of_whole_files(ends: &Ends<'_>, hash: &mut LineHash) -> Vec<Hunk> {
    let mut names = Names::default();
    let sides = [ends.old, ends.new]
        .map(|side| lines::each(side).map(|line| names.name(hash.of(line))).collect());
    diff(ends, sides)
}

fn diff(ends: &Ends<'_>, [before, after]: [Vec<Token>; 2]) -> Vec<Hunk> {
    let mut diff = Diff::default();
    let count = before.iter().chain(&after).map(|token| token.0 + 1).max().unwrap_or(0);
    diff.compute_with(Algorithm::Myers, &before, &after, count);
    let by_indent = ByIndent { ends, before: &before, sides: [None, None] };
    diff.postprocess_with(&before, &after, by_indent);
    diff.hunks().collect()
}

/// The line of the old version that line `line` of the new one is; `None` when it is new.
pub(super) fn old_line(hunks: &[Hunk], line: u32) -> Option<u32> {
    let behind = hunks.partition_point(|hunk| hunk.after.start <= line);
    match behind.checked_sub(1).map(|last| &hunks[last]) {
        None => Some(line),
        Some(hunk) if line < hunk.after.end => None,
        Some(hunk) => Some(line - hunk.after.end + hunk.before.end),
    }
}

/// The line of the new version that line `line` of the old one is; `None` when it is gone.
pub(super) fn new_line(hunks: &[Hunk], line: u32) -> Option<u32> {
    let behind = hunks.partition_point(|hunk| hunk.before.start <= line);
    match behind.checked_sub(1).map(|last| &hunks[last]) {
        None => Some(line),
        Some(hunk) if line < hunk.before.end => None,
        Some(hunk) => Some(line - hunk.before.end + hunk.after.end),
    }
}

/// The hashes of the older version's lines that may have changed. Most of them stand in the newer
/// version too, a little further up or down: their hashes are taken from there.
pub(super) fn old_hashes(ends: &Ends<'_>, new_hashes: &[u64], hash: &mut LineHash) -> Vec<u64> {
    let [old, new] = ends.middles();
    let known = &new_hashes[ends.head_lines as usize..];
    let mut new_lines: Vec<(&[u8], u64)> = lines::each(new).zip(known.iter().copied()).collect();
    new_lines.reverse();
    let mut hash_of = |line: &[u8]| {
        let near = new_lines.iter().rev().take(LOOK_AHEAD);
        match near.clone().position(|(other, _)| *other == line) {
            Some(skipped) => {
                new_lines.truncate(new_lines.len() - skipped);
                new_lines.pop().map_or(0, |(_, hash)| hash)
            }
            None => hash.of(line),
        }
    };
    lines::each(old).map(&mut hash_of).collect()
}

/// Makes the hashes of the older version's lines of those of the newer one.
pub(super) fn follow(ends: &Ends<'_>, old_changed: Vec<u64>, hashes: &mut Vec<u64>) {
    let changed = ends.head_lines as usize..(ends.head_lines + ends.changed[1]) as usize;
    hashes.splice(changed, old_changed);
}

fn tokens(ends: &Ends<'_>, old_middle: &[u64], new_hashes: &[u64]) -> [Vec<Token>; 2] {
    let head = ends.head_lines as usize;
    let (head_hashes, rest) = new_hashes.split_at(head);
    let (new_middle, tail_hashes) = rest.split_at(ends.changed[1] as usize);
    let tail_hashes = &tail_hashes[..lines::count(ends.tail()) as usize];

    let mut names = Names::default();
    for &line in old_middle.iter().chain(new_middle) {
        names.name(line);
    }
    let common =
        |lines: &[u64]| -> Vec<Token> { lines.iter().map(|&line| names.find(line)).collect() };
    let (head_tokens, tail_tokens) = (common(head_hashes), common(tail_hashes));
    let side = |middle: &[u64]| {
        let middle = middle.iter().map(|&line| names.find(line));
        let mut side = Vec::with_capacity(head + middle.len() + tail_tokens.len());
        side.extend_from_slice(&head_tokens);
        side.extend(middle);
        side.extend_from_slice(&tail_tokens);
        side
    };
    let sides = [side(old_middle), side(new_middle)];
    if !compares_out_of_step(ends, &sides) {
        return sides;
    }
    let mut names = Names::default();
    let mut name_all = |middle: &[u64]| -> Vec<Token> {
        let lines = head_hashes.iter().chain(middle).chain(tail_hashes);
        lines.map(|&line| names.name(line)).collect()
    };
    [name_all(old_middle), name_all(new_middle)]
}

/// Whether the common head, as the tokens have it, reaches through all that changed on one side
/// into the tail: then lines of the tails are compared with others than their own.
fn compares_out_of_step(ends: &Ends<'_>, [before, after]: &[Vec<Token>; 2]) -> bool {
    let head = ends.head_lines as usize;
    let pairs = before[head..].iter().zip(&after[head..]);
    let common = pairs.take_while(|(before, after)| before == after).count();
    ends.shift() != 0 && common > 0 && common >= ends.changed[0].min(ends.changed[1]) as usize
}

/// Tokens for the lines that occur in what changed.
struct Names {
    tokens: HashMap<u64, Token, FixedState>,
    /// A bit for each value of the hashes' lowest bits that occurs: most lines need no more than
    /// a look here.
    seen: Box<[u64; 1 << 10]>,
}

impl Default for Names {
    fn default() -> Self {
        Self { tokens: HashMap::default(), seen: Box::new([0; 1 << 10]) }
    }
}

impl Names {
    fn name(&mut self, line: u64) -> Token {
        self.seen[(line >> 6 & 0x3ff) as usize] |= 1 << (line & 63);
        let next = Token(self.tokens.len() as u32 + 1);
        *self.tokens.entry(line).or_insert(next)
    }

    fn find(&self, line: u64) -> Token {
        if self.seen[(line >> 6 & 0x3ff) as usize] & 1 << (line & 63) == 0 {
            return ELSEWHERE;
        }
        self.tokens.get(&line).copied().unwrap_or(ELSEWHERE)
    }
}

/// The indent heuristic over the lines as they stand: where white space is ignored, equal lines
/// may be indented differently, so a line's indent goes by its position and not by its token.
struct ByIndent<'a> {
    ends: &'a Ends<'a>,
    before: &'a [Token],
    /// Positions as tokens, and the indents at them, made when they are first needed.
    sides: [Option<(Vec<Token>, Vec<IndentLevel>)>; 2],
}

impl SliderHeuristic for ByIndent<'_> {
    fn best_slider_end(&mut self, tokens: &[Token], hunk: Range<u32>, earliest_end: u32) -> u32 {
        let is_old = std::ptr::eq(tokens, self.before);
        let text = if is_old { self.ends.old } else { self.ends.new };
        let (positions, indents) = self.sides[usize::from(is_old)].get_or_insert_with(|| {
            let indents: Vec<_> = lines::each(text).map(indent).collect();
            ((0..indents.len() as u32).map(Token).collect(), indents)
        });
        IndentHeuristic::new(|position: Token| indents[position.0 as usize]).best_slider_end(
            positions,
            hunk,
            earliest_end,
        )
    }
}

fn indent(line: &[u8]) -> IndentLevel {
    // A form feed is no white space to git's diff.
    let bytes = line.iter().map(|&byte| if byte == b'\x0c' { b'x' } else { byte });
    IndentLevel::for_ascii_line(bytes, 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracer::lines::WhiteSpace;

    #[test]
    fn lines_are_found_again_before_between_and_behind_changes() {
        let ends = Ends::of(b"a\nb\nc\nd\n", b"x\na\nb\nD\n");
        let mut hash = LineHash::new(WhiteSpace::Counts);
        let hashes: Vec<u64> = lines::each(ends.new).map(|line| hash.of(line)).collect();
        let before = old_hashes(&ends, &hashes, &mut hash);
        let hunks = hunks(&ends, &before, &hashes);
        let mapped: Vec<_> = (0..4).map(|line| old_line(&hunks, line)).collect();
        assert_eq!(mapped, [None, Some(0), Some(1), None]);
        let forward: Vec<_> = (0..4).map(|line| new_line(&hunks, line)).collect();
        assert_eq!(forward, [Some(1), Some(2), None, None]);
    }
}
