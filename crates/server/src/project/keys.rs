//! The keys with which clients prove that they may report: created at the first start, kept in the
//! store, shown by `flawless projects`.
use std::fmt::Write;

use flawless_base::secret::Secret;
use flawless_store::{Store, StoreError};
use subtle::{Choice, ConstantTimeEq};
use url::Url;

/// A project with its keys.
#[derive(Debug, Clone)]
pub struct ProjectKeys {
    pub id: i64,
    pub name: String,
    /// At least one, the oldest first.
    pub keys: Vec<Secret>,
}

/// Why the keys cannot be read or made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system provides no random numbers.
    #[error("no project key can be made: the system provides no random numbers: {0}")]
    Random(getrandom::Error),
}

/// Bytes of a key; it is written with twice as many digits.
const KEY_BYTES: usize = 16;

impl ProjectKeys {
    /// Reads the keys in the store; makes the first one when there is none.
    pub async fn open(store: &Store, now: i64) -> Result<Self, KeyError> {
        let mut keys = store.project_keys().await?;
        if keys.is_empty() {
            let key = random_key().map_err(KeyError::Random)?;
            let mut tx = store.write().await?;
            // Another process that opened the store at the same time may have been faster: its key
            // counts.
            tx.add_first_key(&key, now).await?;
            tx.commit().await?;
            keys = store.project_keys().await?;
        }
        let project = store.project().await?;
        Ok(Self { id: project.id, name: project.name, keys })
    }

    /// The position of `key` among the keys. The time it takes does not reveal how much of a key is
    /// right.
    pub fn accept(&self, key: &str) -> Option<usize> {
        let same = |known: &Secret| known.reveal().as_bytes().ct_eq(key.as_bytes());
        let all: Vec<Choice> = self.keys.iter().map(same).collect();
        all.into_iter().position(bool::from)
    }

    /// The address that clients are given, `http(s)://KEY@HOST[:PORT][/PREFIX]/NAME`; `None` when
    /// `base_url` is not a URL.
    pub fn dsn(&self, base_url: &str) -> Option<String> {
        let mut url = Url::parse(base_url).ok()?;
        url.set_username(self.keys.first()?.reveal()).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().push(&self.name);
        Some(url.into())
    }
}

pub(crate) fn random_key() -> Result<Secret, getrandom::Error> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes)?;
    let mut key = String::with_capacity(2 * KEY_BYTES);
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    Ok(Secret::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(keys: &[&str]) -> ProjectKeys {
        let keys = keys.iter().map(|key| Secret::new(*key)).collect();
        ProjectKeys { id: 1, name: "shop".into(), keys }
    }

    #[test]
    fn project_keys_are_accepted_and_nothing_else() {
        let project = project(&["aaaa", "bbbb"]);
        assert_eq!((project.accept("aaaa"), project.accept("bbbb")), (Some(0), Some(1)));
        for wrong in ["", "aaa", "aaab", "aaaaa", "AAAA", "bbbbaaaa"] {
            assert_eq!(project.accept(wrong), None, "{wrong}");
        }
        assert!(!format!("{project:?}").contains("aaaa"), "a key is not printed by accident");
    }

    #[test]
    fn dsn_is_made_of_the_address_of_the_pages() {
        let project = project(&["0f", "ff"]);
        for (base, expected) in [
            ("http://127.0.0.1:8080", "http://0f@127.0.0.1:8080/shop"),
            ("https://errors.example.com", "https://0f@errors.example.com/shop"),
            ("https://example.com:8443/flawless/", "https://0f@example.com:8443/flawless/shop"),
            ("http://[::1]:8080", "http://0f@[::1]:8080/shop"),
        ] {
            assert_eq!(project.dsn(base).as_deref(), Some(expected));
        }
        assert_eq!(project.dsn("no address"), None);
    }

    #[test]
    fn keys_are_random_digits() {
        let (one, other) = (random_key().expect("random"), random_key().expect("random"));
        assert_ne!(one, other);
        assert_eq!(one.reveal().len(), 32);
        assert!(one.reveal().bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    }
}
