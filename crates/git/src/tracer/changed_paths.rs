//! The changed-path filters of a commit-graph: "this commit certainly did not touch this path".
//!
//! A filter is a Bloom filter over the paths, including folders, in which a commit differs from its
//! first parent. Format: git's commit-graph documentation, chunks `BIDX` and `BDAT`.

/// The parameters of a commit-graph's filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FilterSettings {
    /// Version 1 hashes bytes from 0x80 on as negative numbers, version 2 does not.
    pub hash_version: u32,
    /// Bits set for each path.
    pub hashes: u32,
}

/// The hashes of a path and of its folders, as the filters use them.
#[derive(Debug)]
pub(super) struct PathKey {
    /// The file first, then its folders from the innermost out.
    hashes: Vec<(u32, u32)>,
    count: u32,
}

const SEEDS: (u32, u32) = (0x293a_e76f, 0x7e64_6e2c);

impl PathKey {
    /// `None` when the filters cannot answer for `path`.
    pub(super) fn new(path: &[u8], settings: FilterSettings) -> Option<Self> {
        let understood = match settings.hash_version {
            1 => path.is_ascii(),
            2 => true,
            _ => false,
        };
        if !understood || settings.hashes == 0 || settings.hashes > 64 {
            return None;
        }
        let folders = memchr::memrchr_iter(b'/', path).map(|at| &path[..at]);
        let hashes = std::iter::once(path)
            .chain(folders)
            .map(|name| (murmur3(SEEDS.0, name), murmur3(SEEDS.1, name)))
            .collect();
        Some(Self { hashes, count: settings.hashes })
    }

    /// Whether a commit with this filter may have touched the path. An empty filter excludes
    /// nothing.
    pub(super) fn may_be_in(&self, filter: &[u8]) -> bool {
        let bits = filter.len() as u64 * 8;
        let is_set = |(first, step): (u32, u32)| {
            (0..self.count).all(|nth| {
                let bit = u64::from(first.wrapping_add(nth.wrapping_mul(step))) % bits;
                // In range: `bit` is below eight times the length.
                filter[(bit / 8) as usize] & (1 << (bit % 8)) != 0
            })
        };
        filter.is_empty() || self.hashes.iter().all(|&hash| is_set(hash))
    }
}

/// MurmurHash3, 32 bits, after Austin Appleby's public-domain description.
fn murmur3(seed: u32, bytes: &[u8]) -> u32 {
    let mix =
        |block: u32| block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (blocks, rest) = bytes.as_chunks::<4>();
    let mut hash = blocks.iter().fold(seed, |hash, block| {
        (hash ^ mix(u32::from_le_bytes(*block)))
            .rotate_left(13)
            .wrapping_mul(5)
            .wrapping_add(0xe654_6b64)
    });
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |last, &byte| last << 8 | u32::from(byte));
        hash ^= mix(last);
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_gives_the_published_values() {
        assert_eq!(murmur3(0, b""), 0);
        assert_eq!(murmur3(0, b"Hello world!"), 0x627b_0c2c);
        assert_eq!(murmur3(0, b"The quick brown fox jumps over the lazy dog"), 0x2e4f_f723);
    }

    #[test]
    fn odd_filters_say_maybe() {
        let settings = FilterSettings { hash_version: 1, hashes: 7 };
        let key = PathKey::new(b"a/b.py", settings).expect("a plain path");
        assert!(key.may_be_in(&[]));
        assert!(key.may_be_in(&[0xff]));
        assert!(!key.may_be_in(&[0x00]));
        assert!(PathKey::new("ä.py".as_bytes(), settings).is_none());
        assert!(PathKey::new(b"a", FilterSettings { hash_version: 3, hashes: 7 }).is_none());
    }
}
