//! The lines that two versions of a file share, according to git's default diff: Myers' algorithm,
//! then hunks slid by the indent heuristic. Equal lines have equal tokens.
use std::ops::Range;

use gix_imara_diff::{Algorithm, Diff, Hunk, IndentHeuristic, IndentLevel, SliderHeuristic, Token};

use super::ends::Ends;
use super::lines;

/// The changed hunks, in lines from 0. `old_changed` are the tokens of the older version's lines
/// between head and tail, `newer` those of all lines of the newer one.
pub(super) fn hunks(ends: &Ends<'_>, old_changed: &[Token], newer: &[Token]) -> Vec<Hunk> {
    let (head, rest) = newer.split_at(ends.head_lines as usize);
    let behind = &rest[ends.changed[1] as usize..];
    let tail = &behind[..lines::count(ends.tail()) as usize];
    let before = [head, old_changed, tail].concat();
    let after = &newer[..newer.len() - (behind.len() - tail.len())];

    let mut diff = Diff::default();
    let count = before.iter().chain(after).map(|token| token.0 + 1).max().unwrap_or(0);
    diff.compute_with(Algorithm::Myers, &before, after, count);
    diff.postprocess_with(&before, after, ByIndent { ends, before: &before, sides: [None, None] });
    diff.hunks().collect()
}

/// The line of the old version that corresponds to line `line` of the new one; `None` when it is
/// new.
pub(super) fn old_line(hunks: &[Hunk], line: u32) -> Option<u32> {
    let behind = hunks.partition_point(|hunk| hunk.after.start <= line);
    match behind.checked_sub(1).map(|last| &hunks[last]) {
        None => Some(line),
        Some(hunk) if line < hunk.after.end => None,
        Some(hunk) => Some(line - hunk.after.end + hunk.before.end),
    }
}

/// The line of the new version that corresponds to line `line` of the old one; `None` when it is
/// gone.
pub(super) fn new_line(hunks: &[Hunk], line: u32) -> Option<u32> {
    let behind = hunks.partition_point(|hunk| hunk.before.start <= line);
    match behind.checked_sub(1).map(|last| &hunks[last]) {
        None => Some(line),
        Some(hunk) if line < hunk.before.end => None,
        Some(hunk) => Some(line - hunk.before.end + hunk.after.end),
    }
}

/// The indent heuristic over the actual lines: if white space is ignored, equal lines may be
/// indented differently, so a line's indent depends on its position and not on its token.
struct ByIndent<'a> {
    ends: &'a Ends<'a>,
    before: &'a [Token],
    /// Positions as tokens, and the indents at them, computed when first needed.
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
    // A form feed is not white space for git's diff.
    let bytes = line.iter().map(|&byte| if byte == b'\x0c' { b'x' } else { byte });
    IndentLevel::for_ascii_line(bytes, 8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tracer::line_names::LineNames;
    use crate::tracer::lines::WhiteSpace;

    #[test]
    fn lines_are_found_before_between_and_after_changes() {
        let ends = Ends::of(b"a\nb\nc\nd\n", b"x\na\nb\nD\n");
        let mut names = LineNames::new(WhiteSpace::Counts);
        let newer = names.of_text(ends.new);
        let hunks = hunks(&ends, &names.of_older(&ends, &newer), &newer);
        let mapped: Vec<_> = (0..4).map(|line| old_line(&hunks, line)).collect();
        assert_eq!(mapped, [None, Some(0), Some(1), None]);
        let forward: Vec<_> = (0..4).map(|line| new_line(&hunks, line)).collect();
        assert_eq!(forward, [Some(1), Some(2), None, None]);
    }
}
