//! Sets of bytes, and word boundaries.

/// A set of bytes.
pub(super) struct ByteSet([bool; 256]);

impl ByteSet {
    /// ASCII letters, digits and the given bytes.
    pub(super) const fn alphanumeric_and(others: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut byte = 0;
        while byte < 128 {
            set[byte] = (byte as u8).is_ascii_alphanumeric();
            byte += 1;
        }
        let mut at = 0;
        while at < others.len() {
            set[others[at] as usize] = true;
            at += 1;
        }
        Self(set)
    }

    /// Only the given bytes.
    pub(super) const fn of(bytes: &[u8]) -> Self {
        let mut set = [false; 256];
        let mut at = 0;
        while at < bytes.len() {
            set[bytes[at] as usize] = true;
            at += 1;
        }
        Self(set)
    }

    #[inline]
    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[byte as usize]
    }

    /// The end of the run of these bytes that begins at `from`.
    #[inline]
    pub(super) fn run(&self, text: &[u8], from: usize) -> usize {
        text[from..].iter().position(|byte| !self.has(*byte)).map_or(text.len(), |n| from + n)
    }
}

pub(super) static ALNUM: ByteSet = ByteSet::alphanumeric_and(b"");
pub(super) static SNAKE: ByteSet = ByteSet::alphanumeric_and(b"_");
pub(super) static DASHED: ByteSet = ByteSet::alphanumeric_and(b"_-");
pub(super) static DOTTED: ByteSet = ByteSet::alphanumeric_and(b"_-.");
pub(super) static LOWER_HEX: ByteSet = ByteSet::of(b"0123456789abcdef");
pub(super) static UPPER: ByteSet = ByteSet::of(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
pub(super) static BASE64: ByteSet = ByteSet::alphanumeric_and(b"+/=-_");

/// Whether a word of bytes of this set begins here. The letter of an escape (`\n`) and a percent
/// escape (`%3D`) end the word before them.
pub(super) fn begins(text: &[u8], at: usize, set: &ByteSet) -> bool {
    match text[..at] {
        [] => true,
        [.., last] if !set.has(last) => true,
        [.., b'\\', b'n' | b'r' | b't'] => true,
        [.., b'%', high, low] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit(),
        _ => false,
    }
}
