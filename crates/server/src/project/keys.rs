//! The keys with which clients prove that they may report. All are kept in the store.
use std::collections::HashMap;

use flawless_base::hex::hex;
use flawless_base::secret::Secret;
use flawless_store::{KeyRow, StoreError};
use sha2::{Digest, Sha256};

/// The keys of all projects, by their hashes: how long a look-up takes says nothing about a key.
#[derive(Debug, Clone, Default)]
pub struct Keys(HashMap<[u8; 32], Known>);

#[derive(Debug, Clone)]
struct Known {
    key: KeyRow,
    is_archived: bool,
}

/// What a report's key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyIs<'a> {
    /// One that works.
    Valid(&'a KeyRow),
    /// One that somebody switched off.
    Disabled(&'a KeyRow),
    /// One of a project that is archived.
    Archived(&'a KeyRow),
    /// None that this server made.
    Unknown,
}

impl Keys {
    /// Adds a key; `is_archived` says whether its project is.
    pub fn add(&mut self, key: KeyRow, is_archived: bool) {
        self.0.insert(hash(key.secret.reveal()), Known { key, is_archived });
    }

    /// What `key` is.
    pub fn find(&self, key: &str) -> KeyIs<'_> {
        match self.0.get(&hash(key)) {
            None => KeyIs::Unknown,
            Some(Known { key, .. }) if key.disabled_at.is_some() => KeyIs::Disabled(key),
            Some(Known { key, is_archived: true }) => KeyIs::Archived(key),
            Some(Known { key, .. }) => KeyIs::Valid(key),
        }
    }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// The keys of a project that work, of which the last is the newest.
pub fn working(keys: &[KeyRow]) -> impl DoubleEndedIterator<Item = &KeyRow> {
    keys.iter().filter(|key| key.disabled_at.is_none())
}

/// Why a key cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system provides no random numbers.
    #[error("no key can be made: the system provides no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Bytes of a key; it is written with twice as many digits.
const KEY_BYTES: usize = 16;

pub(crate) fn random_key() -> Result<Secret, getrandom::Error> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(Secret::new(hex(&bytes)))
}

#[cfg(test)]
mod tests {
    use flawless_store::ProjectId;

    use super::*;

    fn key(id: i64, project_id: ProjectId, secret: &str, disabled_at: Option<i64>) -> KeyRow {
        let (secret, label) = (Secret::new(secret), String::new());
        KeyRow { id, project_id, secret, label, created_at: 0, disabled_at }
    }

    #[test]
    fn project_keys_are_accepted_and_nothing_else() {
        let mut keys = Keys::default();
        let all = [
            key(1, 1, "aaaa", None),
            key(2, 1, "bbbb", Some(7)),
            key(3, 2, "cccc", None),
            key(4, 3, "dddd", None),
        ];
        for key in all.clone() {
            let is_archived = key.project_id == 3;
            keys.add(key, is_archived);
        }
        assert_eq!(keys.find("aaaa"), KeyIs::Valid(&all[0]));
        assert_eq!(keys.find("bbbb"), KeyIs::Disabled(&all[1]));
        assert_eq!(keys.find("cccc"), KeyIs::Valid(&all[2]));
        assert_eq!(keys.find("dddd"), KeyIs::Archived(&all[3]));
        for wrong in ["", "aaa", "aaab", "aaaaa", "AAAA", "bbbbaaaa"] {
            assert_eq!(keys.find(wrong), KeyIs::Unknown, "{wrong}");
        }
        assert!(!format!("{keys:?}").contains("aaaa"), "a key is not printed by accident");
    }

    #[test]
    fn keys_are_random_digits() {
        let (one, other) = (random_key().expect("random"), random_key().expect("random"));
        assert_ne!(one, other);
        assert_eq!(one.reveal().len(), 32);
        assert!(one.reveal().bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    }
}
