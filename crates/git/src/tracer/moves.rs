//! Moved code: when the commit that introduced a line also removed the same line elsewhere, it did
//! not write the line but moved it.
//!
//! White space does not count. Lines move together: the line and its neighbours that were added and
//! removed side by side must have some letters and digits, so that a `return` or a brace is not
//! mistaken for one that was removed anywhere.
use std::ops::Range;

use gix_object::Kind;

use super::Place;
use super::commits::{Commit, tree_and_parents, tree_of};
use super::diff::hunks;
use super::ends::Ends;
use super::error::TraceError;
use super::line_names::LineNames;
use super::lines::{self, LineHash, WhiteSpace};
use super::objects::Reader;
use super::trees::{Changed, changed_files, find};
use super::walk::Walk;

/// Minimum of letters and digits in a moved piece.
const MIN_LETTERS: usize = 20;
/// A commit that touched more files rearranged everything: it is not worth searching.
const MAX_FILES: usize = 400;

/// The place in a parent of `origin.commit` where the same line was removed.
pub(super) fn moved_from(walk: &mut Walk<'_>, origin: &Place) -> Result<Option<Place>, TraceError> {
    let graph = walk.graph;
    let commit = Commit::new(origin.commit, graph);
    let (tree, parents) = tree_and_parents(commit, graph, &mut walk.reader)?;
    let Some(found) = find(tree, &origin.path, None, &mut walk.reader)? else { return Ok(None) };
    let content = walk.reader.read(&found.blob, Kind::Blob)?;
    let Some(line) = origin.line.checked_sub(1) else { return Ok(None) };
    let new = Side::of(&content.data);
    if line as usize >= new.lines.len() || letters(new.lines[line as usize]) == 0 {
        return Ok(None);
    }
    for parent in parents {
        let parent_tree = tree_of(parent, graph, &mut walk.reader)?;
        let mut changed = changed_files(parent_tree, Some(tree), &mut walk.reader)?;
        if changed.len() > MAX_FILES {
            continue;
        }
        // The same file first: of two equal pieces its own is nearer.
        changed.sort_by_key(|changed| changed.file.path != origin.path);
        let mut best: Option<(usize, Place)> = None;
        for file in &changed {
            walk.check()?;
            let found = in_file(file, &new, line as usize, &mut walk.reader)?;
            if let Some((letters, at)) = found
                && best.as_ref().is_none_or(|(most, _)| letters > *most)
            {
                let path = file.file.path.clone();
                best = Some((letters, Place { commit: parent.id, path, line: at as u32 + 1 }));
            }
        }
        if let Some((_, place)) = best {
            return Ok(Some(place));
        }
    }
    Ok(None)
}

/// The lines of one version, with hashes that ignore white space.
struct Side<'a> {
    lines: Vec<&'a [u8]>,
    hashes: Vec<u64>,
}

impl<'a> Side<'a> {
    fn of(content: &'a [u8]) -> Self {
        let mut hash = LineHash::new(WhiteSpace::Ignored);
        let lines: Vec<&[u8]> = lines::each(content).collect();
        let hashes = lines.iter().map(|line| hash.of(line)).collect();
        Self { lines, hashes }
    }
}

/// The place where the line was removed from a file, and how many letters and digits moved with it.
fn in_file(
    file: &Changed,
    new: &Side<'_>,
    line: usize,
    reader: &mut Reader<'_>,
) -> Result<Option<(usize, usize)>, TraceError> {
    let old = reader.read(&file.file.blob, Kind::Blob)?;
    let side = Side::of(&old.data);
    if !side.hashes.contains(&new.hashes[line]) {
        return Ok(None);
    }
    let removed: Vec<Range<usize>> = match file.new {
        None => std::iter::once(0..side.lines.len()).collect(),
        Some(blob) => {
            let after = reader.read(&blob, Kind::Blob)?;
            let ends = Ends::of(&old.data, &after.data);
            let mut names = LineNames::new(WhiteSpace::Ignored);
            let newer = names.of_text(&after.data);
            let hunks = hunks(&ends, &names.of_older(&ends, &newer), &newer);
            hunks.iter().map(|hunk| hunk.before.start as usize..hunk.before.end as usize).collect()
        }
    };
    let mut best = None;
    for range in removed {
        for at in range.clone().filter(|&at| side.hashes[at] == new.hashes[line]) {
            let moved = letters_moved(&side, at, &range, new, line);
            if moved >= MIN_LETTERS && best.is_none_or(|(most, _)| moved > most) {
                best = Some((moved, at));
            }
        }
    }
    Ok(best)
}

/// The letters and digits of the equal lines around line `at` of `old` and `line` of `new`.
fn letters_moved(
    old: &Side<'_>,
    at: usize,
    removed: &Range<usize>,
    new: &Side<'_>,
    line: usize,
) -> usize {
    let equal = |at: usize, line: usize| old.hashes[at] == new.hashes[line];
    let up = (removed.start..at).rev().zip((0..line).rev()).take_while(|&(a, b)| equal(a, b));
    let down = (at..removed.end).zip(line..new.lines.len()).take_while(|&(a, b)| equal(a, b));
    up.chain(down).map(|(at, _)| letters(old.lines[at])).sum()
}

fn letters(line: &[u8]) -> usize {
    line.iter().filter(|byte| byte.is_ascii_alphanumeric() || **byte >= 0x80).count()
}
