//! The common start and end of two versions of a file, compared byte by byte, which is much faster
//! than line by line.
use super::lines;

/// git cuts off the common end in blocks of this size before it compares lines. This affects the
/// result: a hunk cannot slide into the part that was cut off.
const TAIL_BLOCK: usize = 1024;

/// Two versions of a file in three parts of whole lines: a common head, a part that may have
/// changed, and a common tail.
#[derive(Debug)]
pub(super) struct Ends<'a> {
    /// The older version without the tail that git's diff ignores.
    pub old: &'a [u8],
    /// The newer version without it.
    pub new: &'a [u8],
    /// Bytes of the common head.
    pub head: usize,
    /// Bytes of the common tail of `old` and `new`.
    pub tail: usize,
    /// Lines of the common head.
    pub head_lines: u32,
    /// Lines between head and tail, in the older version and the newer one.
    pub changed: [u32; 2],
}

impl<'a> Ends<'a> {
    pub(super) fn of(old: &'a [u8], new: &'a [u8]) -> Self {
        let (old, new) = without_common_tail(old, new);
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
        let middle = |rest: &[u8]| lines::count(&rest[..rest.len() - tail]);
        let changed = [middle(rest_old), middle(rest_new)];
        Self { old, new, head, tail, head_lines: lines::count(&old[..head]), changed }
    }

    /// The parts between head and tail in the older version and in the newer one.
    pub(super) fn middles(&self) -> [&'a [u8]; 2] {
        [self.old, self.new].map(|side| &side[self.head..side.len() - self.tail])
    }

    /// The common head.
    pub(super) fn head(&self) -> &'a [u8] {
        &self.old[..self.head]
    }

    /// The common tail, without the part that git's diff ignores.
    pub(super) fn tail(&self) -> &'a [u8] {
        &self.old[self.old.len() - self.tail..]
    }
}

/// Two versions of a file without the tail that git cuts off.
fn without_common_tail<'a>(old: &'a [u8], new: &'a [u8]) -> (&'a [u8], &'a [u8]) {
    let blocks = old.rchunks_exact(TAIL_BLOCK).zip(new.rchunks_exact(TAIL_BLOCK));
    let tail = blocks.take_while(|(old, new)| old == new).count() * TAIL_BLOCK;
    // Only whole lines are cut off: a line that contains the cut is kept.
    let cut = &old[old.len() - tail..];
    let tail = tail - memchr::memchr(b'\n', cut).map_or(tail, |end| end + 1);
    (&old[..old.len() - tail], &new[..new.len() - tail])
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn common_tail_is_cut_off_in_whole_blocks_and_lines() {
        let tail = "tail of the file\n".repeat(200);
        let (old, new) = (format!("a\n{tail}"), format!("b\nb\n{tail}"));
        let (short_old, short_new) = without_common_tail(old.as_bytes(), new.as_bytes());
        let cut = old.len() - short_old.len();
        assert_eq!(cut, new.len() - short_new.len());
        assert!(cut > 2 * TAIL_BLOCK && cut <= 3 * TAIL_BLOCK, "{cut}");
        assert!(short_old.ends_with(b"\n"));
    }

    #[test]
    fn head_and_tail_are_whole_lines() {
        let ends = Ends::of(b"a\nbc\nd\nx", b"a\nbx\nZd\nx");
        assert_eq!((ends.head(), ends.tail()), (&b"a\n"[..], &b"x"[..]));
        assert_eq!(ends.middles(), [&b"bc\nd\n"[..], b"bx\nZd\n"]);
        assert_eq!((ends.head_lines, ends.changed), (1, [2, 2]));
        let inserted = Ends::of(b"a\nb\n", b"a\na\nb\n");
        assert_eq!(inserted.changed, [0, 1]);
    }
}
