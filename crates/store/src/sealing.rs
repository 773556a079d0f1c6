//! Encrypts stored values with a key that is kept elsewhere.
//!
//! Format: a version byte that neither compressed samples nor mails begin with, four bytes that
//! identify the key, the nonce, and the output of XChaCha20-Poly1305. The name of the table is
//! authenticated with it, so that a row cannot be moved to another table.
use std::fmt;
use std::sync::Arc;

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

/// The environment variable that contains the keys.
pub const KEY_VARIABLE: &str = "FLAWLESS_SAMPLE_KEY";

const VERSION: u8 = 1;
const ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const HEAD: usize = 1 + ID_BYTES;

/// Why a value cannot be encrypted or decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Its key is unknown.
    #[error("was encrypted with a key that is not in {KEY_VARIABLE}")]
    UnknownKey,
    /// It was changed, or belongs to another table.
    #[error("was changed after it was encrypted")]
    Changed,
    /// The system provides no random numbers.
    #[error("cannot be encrypted: the system provides no random numbers")]
    Random,
}

/// What is wrong with the keys, in words that never contain a part of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// There is none.
    #[error("there is no key: the environment variable {KEY_VARIABLE} is not set")]
    None,
    /// One is not 64 hexadecimal digits.
    #[error(
        "key {number} in {KEY_VARIABLE} is not 64 hexadecimal digits: it has {length} characters"
    )]
    Malformed {
        /// The position of the key, from 1.
        number: usize,
        /// The length of the key.
        length: usize,
    },
}

#[derive(Clone)]
struct Key {
    id: [u8; ID_BYTES],
    cipher: XChaCha20Poly1305,
}

/// The keys, and whether new rows are encrypted. Prints only the number of keys.
#[derive(Clone, Default)]
pub struct Sealing {
    keys: Arc<[Key]>,
    seals: bool,
}

impl fmt::Debug for Sealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealing")
            .field("keys", &self.keys.len())
            .field("seals", &self.seals)
            .finish()
    }
}

impl Sealing {
    /// Bytes at the start of an encrypted value that identify its key.
    pub const HEAD: usize = HEAD;

    /// Takes keys in the format of [`KEY_VARIABLE`]: the first one encrypts, when `seals`, and all
    /// decrypt.
    ///
    /// # Errors
    /// A key is malformed, or there is none to encrypt with.
    pub fn new(keys: &str, seals: bool) -> Result<Self, KeyProblem> {
        let texts = keys.split(',').map(str::trim).filter(|text| !text.is_empty());
        let read = |(at, text): (usize, &str)| {
            let length = text.chars().count();
            key_of(text).ok_or(KeyProblem::Malformed { number: at + 1, length })
        };
        let keys: Arc<[Key]> = texts.enumerate().map(read).collect::<Result<_, _>>()?;
        if seals && keys.is_empty() {
            return Err(KeyProblem::None);
        }
        Ok(Self { keys, seals })
    }

    /// Whether new rows are encrypted.
    pub fn seals(&self) -> bool {
        self.seals
    }

    /// How many keys there are.
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// Encrypts `plain` for a row of `table`.
    ///
    /// # Errors
    /// The system provides no random numbers.
    pub fn seal(&self, table: &str, plain: Vec<u8>) -> Result<Vec<u8>, SealError> {
        let Some(key) = self.keys.first().filter(|_| self.seals) else { return Ok(plain) };
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SealError::Random)?;
        let payload = Payload { msg: &plain, aad: table.as_bytes() };
        // Fails only for texts of more than 256 GB.
        let sealed = key.cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| SealError::Changed)?;
        Ok([&[VERSION][..], &key.id, &nonce, &sealed].concat())
    }

    /// Whether the key of a value is known, by its first bytes ([`Sealing::HEAD`] of them).
    pub fn knows_key_of(&self, head: &[u8]) -> bool {
        head.first() != Some(&VERSION)
            || self.keys.iter().any(|key| head.get(1..HEAD) == Some(&key.id))
    }

    /// Decrypts the value of a row of `table`; a value that is not encrypted is returned as it is.
    ///
    /// # Errors
    /// The key is unknown, or the value was changed.
    pub fn open(&self, table: &str, stored: Vec<u8>) -> Result<Vec<u8>, SealError> {
        if stored.first() != Some(&VERSION) {
            return Ok(stored);
        }
        let (head, rest) = stored.split_at_checked(HEAD).ok_or(SealError::Changed)?;
        let (nonce, sealed) = rest.split_first_chunk().ok_or(SealError::Changed)?;
        let mut keys = self.keys.iter().filter(|key| key.id == head[1..]).peekable();
        if keys.peek().is_none() {
            return Err(SealError::UnknownKey);
        }
        let nonce = XNonce::from(*nonce as [u8; NONCE_BYTES]);
        let payload = || Payload { msg: sealed, aad: table.as_bytes() };
        keys.find_map(|key| key.cipher.decrypt(&nonce, payload()).ok()).ok_or(SealError::Changed)
    }
}

fn key_of(text: &str) -> Option<Key> {
    let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok());
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let bytes: Vec<u8> = pairs
        .iter()
        .map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?))
        .collect::<Option<_>>()?;
    let bytes: [u8; 32] = bytes.try_into().ok()?;
    let mut id = [0; ID_BYTES];
    id.copy_from_slice(&Sha256::digest([b"flawless key ".as_slice(), &bytes].concat())[..ID_BYTES]);
    Some(Key { id, cipher: XChaCha20Poly1305::new(&bytes.into()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(digit: char) -> String {
        std::iter::repeat_n(digit, 64).collect()
    }

    fn sealing(keys: &str) -> Sealing {
        Sealing::new(keys, true).expect("keys")
    }

    #[test]
    fn sealed_value_is_read_with_its_key_in_its_table_only() {
        let one = sealing(&key('a'));
        let sealed = one.seal("sample", b"values".to_vec()).expect("sealed");
        assert!(!sealed.windows(6).any(|part| part == b"values"));
        assert_ne!(sealed, one.seal("sample", b"values".to_vec()).expect("sealed"), "a nonce");
        assert_eq!(one.open("sample", sealed.clone()), Ok(b"values".to_vec()));
        assert_eq!(one.open("outbox", sealed.clone()), Err(SealError::Changed));
        let other = sealing(&key('b'));
        assert_eq!(other.open("sample", sealed.clone()), Err(SealError::UnknownKey));
        let rotated = sealing(&format!("{}, {}", key('b'), key('A')));
        assert_eq!(rotated.open("sample", sealed.clone()), Ok(b"values".to_vec()));
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 0x10;
            assert_ne!(one.open("sample", changed), Ok(b"values".to_vec()), "byte {at}");
            assert!(one.open("sample", sealed[..at].to_vec()) != Ok(b"values".to_vec()), "{at}");
        }
    }

    #[test]
    fn data_stored_before_there_was_a_key_stays_readable() {
        for plain in [&b""[..], &[0x28, 0xB5, 0x2F, 0xFD, 1], b"From: a@b.c\r\n\r\ntext"] {
            assert_eq!(sealing(&key('a')).open("sample", plain.to_vec()), Ok(plain.to_vec()));
            let off = Sealing::new(&key('a'), false).expect("keys");
            assert_eq!(off.seal("sample", plain.to_vec()), Ok(plain.to_vec()));
        }
    }

    #[test]
    fn invalid_keys_are_refused_and_never_printed() {
        assert_eq!(Sealing::new(" , ", true).expect_err("none"), KeyProblem::None);
        let short = format!("{},{}", key('a'), "c0ffee");
        let error = Sealing::new(&short, false).expect_err("short");
        assert_eq!(error, KeyProblem::Malformed { number: 2, length: 6 });
        assert!(!error.to_string().contains("c0ffee"));
        assert!(Sealing::new(&key('g'), true).is_err());
        assert!(Sealing::new(&key('é'), true).is_err());
        assert!(!format!("{:?}", sealing(&key('a'))).contains("aaaa"));
    }
}
