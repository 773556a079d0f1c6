//! The similarity of two files, scored like git's rename detection: both are split into lines, long
//! ones into pieces of 64 bytes, and the bytes of equal pieces are counted.
use std::collections::HashMap;
use std::hash::BuildHasher;

use foldhash::fast::FixedState;

/// The score of two equal files.
pub(super) const MAX_SCORE: u64 = 60_000;
const LONGEST_PIECE: usize = 64;
/// How many bytes git searches for a NUL to decide whether a file is text.
const LOOKED_AT: usize = 8_000;

/// A file's pieces, with the total bytes of each.
#[derive(Debug)]
pub(super) struct Pieces {
    bytes_of: HashMap<u64, u64, FixedState>,
    size: u64,
}

impl Pieces {
    pub(super) fn of(content: &[u8]) -> Self {
        let is_text = memchr::memchr(0, &content[..content.len().min(LOOKED_AT)]).is_none();
        let hasher = FixedState::default();
        let mut bytes_of = HashMap::default();
        let mut piece = Vec::with_capacity(LONGEST_PIECE);
        let mut add = |piece: &mut Vec<u8>| {
            if !piece.is_empty() {
                *bytes_of.entry(hasher.hash_one(piece.as_slice())).or_default() +=
                    piece.len() as u64;
                piece.clear();
            }
        };
        for (at, &byte) in content.iter().enumerate() {
            // Text with other line ends is the same text.
            if is_text && byte == b'\r' && content.get(at + 1) == Some(&b'\n') {
                continue;
            }
            piece.push(byte);
            if byte == b'\n' || piece.len() == LONGEST_PIECE {
                add(&mut piece);
            }
        }
        add(&mut piece);
        Self { bytes_of, size: content.len() as u64 }
    }

    /// 0 to [`MAX_SCORE`]: the share of the larger file that the other one has too.
    pub(super) fn score(&self, other: &Self) -> u64 {
        let (few, many) = if self.bytes_of.len() <= other.bytes_of.len() {
            (&self.bytes_of, &other.bytes_of)
        } else {
            (&other.bytes_of, &self.bytes_of)
        };
        let common: u64 =
            few.iter().map(|(piece, bytes)| *bytes.min(many.get(piece).unwrap_or(&0))).sum();
        common * MAX_SCORE / self.size.max(other.size).max(1)
    }
}

/// The best score that files of these sizes can have.
pub(super) fn highest_score(one: u64, other: u64) -> u64 {
    one.min(other) * MAX_SCORE / one.max(other).max(1)
}

#[cfg(test)]
mod tests {
    use super::{MAX_SCORE, Pieces, highest_score};

    fn score(one: &str, other: &str) -> u64 {
        Pieces::of(one.as_bytes()).score(&Pieces::of(other.as_bytes()))
    }

    #[test]
    fn score_is_the_share_of_common_lines() {
        assert_eq!(score("a\nb\n", "a\nb\n"), MAX_SCORE);
        assert_eq!(score("b\na\n", "a\nb\n"), MAX_SCORE, "in any order");
        assert_eq!(score("a\r\nb\r\n", "a\nb\n"), MAX_SCORE * 4 / 6, "line ends do not count");
        assert_eq!(score("a\nb\nc\nd\n", "a\nb\nx\ny\n"), MAX_SCORE / 2);
        assert_eq!(score("a\n", ""), 0);
        assert_eq!(highest_score(50, 100), MAX_SCORE / 2);
    }
}
