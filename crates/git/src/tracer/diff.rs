//! Which lines two versions of a file share, as git's default diff sees it: Myers' algorithm,
//! common ends cut off before, hunks slid by the indent heuristic after.
use std::collections::HashMap;
use std::ops::Range;

use gix_imara_diff::{Algorithm, Diff, Hunk, IndentHeuristic, IndentLevel, SliderHeuristic, Token};

use super::lines::{self, LineHash, WhiteSpace};

/// git cuts off what is common at the end in blocks of this size before it compares lines. It
/// changes the answer: a hunk cannot slide into what was cut off.
const TAIL_BLOCK: usize = 1024;

/// Two versions of a file without the tail that git cuts off; the number of bytes cut.
pub(super) fn without_common_tail<'a>(old: &'a [u8], new: &'a [u8]) -> (&'a [u8], &'a [u8], usize) {
    let shorter = old.len().min(new.len());
    let mut tail = 0;
    while tail + TAIL_BLOCK <= shorter {
        let block = |text: &'a [u8]| &text[text.len() - tail - TAIL_BLOCK..text.len() - tail];
        if block(old) != block(new) {
            break;
        }
        tail += TAIL_BLOCK;
    }
    // Only whole lines are cut off: the one in which the cut falls stays.
    let cut = &old[old.len() - tail..];
    let kept = memchr::memchr(b'\n', cut).map_or(tail, |end| end + 1);
    tail -= kept;
    (&old[..old.len() - tail], &new[..new.len() - tail], tail)
}

/// What was replaced by what, in lines from 0.
pub(super) fn hunks(old: &[u8], new: &[u8], white_space: WhiteSpace) -> Vec<Hunk> {
    let (old, new, _) = without_common_tail(old, new);
    let mut names = Names { known: HashMap::default(), hash: LineHash::new(white_space) };
    let before = names.of(old);
    let after = names.of(new);
    let mut diff = Diff::default();
    let count = names.known.len() as u32;
    diff.compute_with(Algorithm::Myers, &before, &after, count);
    diff.postprocess_with(
        &before,
        &after,
        ByIndent { old, new, before: &before, sides: [None, None] },
    );
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

/// Numbers for lines: equal ones for equal lines.
struct Names {
    known: HashMap<u64, u32, foldhash::fast::FixedState>,
    hash: LineHash,
}

impl Names {
    fn of(&mut self, text: &[u8]) -> Vec<Token> {
        lines::each(text)
            .map(|line| {
                let next = self.known.len() as u32;
                Token(*self.known.entry(self.hash.of(line)).or_insert(next))
            })
            .collect()
    }
}

/// The indent heuristic over the lines as they stand: where white space is ignored, equal lines
/// may be indented differently, so a line's indent goes by its position and not by its token.
struct ByIndent<'a> {
    old: &'a [u8],
    new: &'a [u8],
    before: &'a [Token],
    /// Positions as tokens, and the indents at them, made when they are first needed.
    sides: [Option<(Vec<Token>, Vec<IndentLevel>)>; 2],
}

impl SliderHeuristic for ByIndent<'_> {
    fn best_slider_end(&mut self, tokens: &[Token], hunk: Range<u32>, earliest_end: u32) -> u32 {
        let is_old = std::ptr::eq(tokens, self.before);
        let text = if is_old { self.old } else { self.new };
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

    #[test]
    fn lines_are_found_again_before_between_and_behind_changes() {
        let (old, new) = (b"a\nb\nc\nd\n", b"x\na\nb\nD\n");
        let hunks = hunks(old, new, WhiteSpace::Counts);
        let mapped: Vec<_> = (0..4).map(|line| old_line(&hunks, line)).collect();
        assert_eq!(mapped, [None, Some(0), Some(1), None]);
    }

    #[test]
    fn only_whole_blocks_and_lines_are_cut_off_at_the_end() {
        let tail = "tail of the file\n".repeat(200);
        let (old, new) = (format!("a\n{tail}"), format!("b\nb\n{tail}"));
        let (short_old, short_new, cut) = without_common_tail(old.as_bytes(), new.as_bytes());
        assert_eq!((old.len() - short_old.len(), new.len() - short_new.len()), (cut, cut));
        assert!(cut > 2 * TAIL_BLOCK && cut < 3 * TAIL_BLOCK + 1, "{cut}");
        assert!(short_old.ends_with(b"\n"));
    }
}
