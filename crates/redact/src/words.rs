//! Splits a name into lower-case words: snake_case, camelCase, kebab-case, dotted.

/// Number of bytes of a name that are examined.
pub(super) const LONGEST: usize = 64;
const MOST: usize = 16;

/// The words of a name. Digits only separate: `oauth2_token` is `oauth`, `token`.
pub(super) struct Words {
    bytes: [u8; LONGEST],
    places: [(u8, u8); MOST],
    count: usize,
}

impl Words {
    /// The words in the first [`LONGEST`] bytes.
    #[inline]
    pub(super) fn of(name: &[u8]) -> Self {
        let mut words = Self { bytes: [0; LONGEST], places: [(0, 0); MOST], count: 0 };
        let name = &name[..name.len().min(LONGEST)];
        let mut start = 0;
        let mut before = Kind::Gap;
        for (at, &byte) in name.iter().enumerate() {
            let kind = Kind::of(byte);
            let cut = match (before, kind) {
                (Kind::Gap, _) => {
                    start = at;
                    false
                }
                (_, Kind::Gap) | (Kind::Lower, Kind::Upper) => true,
                (Kind::Upper, Kind::Upper) => {
                    name.get(at + 1).is_some_and(|next| Kind::of(*next) == Kind::Lower)
                }
                _ => false,
            };
            if cut {
                words.push(start, at);
                start = at;
            }
            words.bytes[at] = byte | (u8::from(kind == Kind::Upper) << 5);
            before = kind;
        }
        if before != Kind::Gap {
            words.push(start, name.len());
        }
        words
    }

    #[inline]
    fn push(&mut self, start: usize, end: usize) {
        if self.count < MOST {
            self.places[self.count] = (start as u8, end as u8);
            self.count += 1;
        }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The word at this index; empty beyond the ends.
    #[inline]
    pub(super) fn get(&self, at: usize) -> &[u8] {
        if at >= self.count {
            return b"";
        }
        let (start, end) = self.places[at];
        &self.bytes[start as usize..end as usize]
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Gap,
    Lower,
    Upper,
}

impl Kind {
    #[inline]
    fn of(byte: u8) -> Self {
        match byte {
            b'A'..=b'Z' => Self::Upper,
            b'a'..=b'z' | 128.. => Self::Lower,
            _ => Self::Gap,
        }
    }
}
