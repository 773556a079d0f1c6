//! The keys with which clients prove that they may report: the first is made at the first start,
//! and all are kept in the store.
use std::fmt::Write;
use std::sync::{Arc, PoisonError, RwLock};

use flawless_base::secret::Secret;
use flawless_store::{KeyRow, Store, StoreError};
use subtle::{Choice, ConstantTimeEq};
use url::Url;

/// A project with its keys.
#[derive(Debug, Clone)]
pub struct ProjectKeys {
    /// Grows with each change.
    pub revision: i64,
    pub id: i64,
    pub name: String,
    /// At least one, the oldest first.
    pub keys: Vec<KeyRow>,
}

/// What a report's key is to a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyIs<'a> {
    /// One that works.
    Valid(&'a KeyRow),
    /// One that somebody switched off.
    Disabled(&'a KeyRow),
    /// None of its keys.
    Unknown,
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
        let project = Self::read(store).await?;
        if !project.keys.is_empty() {
            return Ok(project);
        }
        let key = random_key().map_err(KeyError::Random)?;
        let mut tx = store.write().await?;
        // Another process that opened the store at the same time may have been faster: its key
        // counts.
        tx.add_first_key(&key, now).await?;
        tx.commit().await?;
        Ok(Self::read(store).await?)
    }

    async fn read(store: &Store) -> Result<Self, StoreError> {
        // The revision is read first: keys that change in between are read again.
        let revision = store.projects_revision().await?;
        let project = store.project().await?;
        let keys = store.project_keys().await?;
        Ok(Self { revision, id: project.id, name: project.name, keys })
    }

    /// What `key` is. The time it takes does not reveal how much of a key is right.
    pub fn find(&self, key: &str) -> KeyIs<'_> {
        let same = |known: &KeyRow| known.secret.reveal().as_bytes().ct_eq(key.as_bytes());
        let all: Vec<Choice> = self.keys.iter().map(same).collect();
        match all.into_iter().position(bool::from).map(|at| &self.keys[at]) {
            Some(key) if key.disabled_at.is_some() => KeyIs::Disabled(key),
            Some(key) => KeyIs::Valid(key),
            None => KeyIs::Unknown,
        }
    }

    /// The newest key that works: new programs are given this one.
    pub fn newest(&self) -> Option<&Secret> {
        self.keys.iter().rfind(|key| key.disabled_at.is_none()).map(|key| &key.secret)
    }

    /// The address that clients are given, `http(s)://KEY@HOST[:PORT][/PREFIX]/NAME`; `None` when
    /// `base_url` is not a URL, or no key works.
    pub fn dsn(&self, base_url: &str) -> Option<String> {
        let mut url = Url::parse(base_url).ok()?;
        url.set_username(self.newest()?.reveal()).ok()?;
        url.path_segments_mut().ok()?.pop_if_empty().push(&self.name);
        Some(url.into())
    }
}

/// The project in memory.
#[derive(Debug)]
pub struct ProjectCell(RwLock<Arc<ProjectKeys>>);

impl ProjectCell {
    pub fn new(project: ProjectKeys) -> Self {
        Self(RwLock::new(Arc::new(project)))
    }

    /// The project as last read.
    pub fn get(&self) -> Arc<ProjectKeys> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The project as the store has it, when it has changed.
    pub async fn changed(&self, store: &Store) -> Result<Option<ProjectKeys>, StoreError> {
        match store.projects_revision().await? == self.get().revision {
            true => Ok(None),
            false => ProjectKeys::read(store).await.map(Some),
        }
    }

    pub fn set(&self, project: ProjectKeys) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(project);
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

    fn project(keys: &[(&str, Option<i64>)]) -> ProjectKeys {
        let key = |(id, (secret, disabled_at)): (i64, &(&str, Option<i64>))| KeyRow {
            id,
            secret: Secret::new(*secret),
            label: String::new(),
            created_at: 0,
            disabled_at: *disabled_at,
        };
        let keys = (1..).zip(keys).map(key).collect();
        ProjectKeys { revision: 0, id: 1, name: "shop".into(), keys }
    }

    #[test]
    fn project_keys_are_accepted_and_nothing_else() {
        let project = project(&[("aaaa", None), ("bbbb", Some(7)), ("cccc", None)]);
        assert_eq!(project.find("aaaa"), KeyIs::Valid(&project.keys[0]));
        assert_eq!(project.find("bbbb"), KeyIs::Disabled(&project.keys[1]));
        assert_eq!(project.find("cccc"), KeyIs::Valid(&project.keys[2]));
        for wrong in ["", "aaa", "aaab", "aaaaa", "AAAA", "bbbbaaaa"] {
            assert_eq!(project.find(wrong), KeyIs::Unknown, "{wrong}");
        }
        assert!(!format!("{project:?}").contains("aaaa"), "a key is not printed by accident");
    }

    #[test]
    fn dsn_has_the_newest_key_that_works_and_the_address_of_the_pages() {
        let project = project(&[("ff", None), ("0f", None), ("aa", Some(7))]);
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
