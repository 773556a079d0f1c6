//! Secrets of sessions, links and tokens: they are given away, and stored only as hashes.
use flawless_base::hex::hex;
use sha2::{Digest, Sha256};

/// A new secret.
#[derive(Clone)]
pub struct NewSecret {
    /// For its holder.
    pub text: String,
    /// For the store.
    pub hash: String,
}

const BYTES: usize = 32;

/// `prefix`, then 32 random bytes as hexadecimal digits.
pub fn new_secret(prefix: &str) -> Result<NewSecret, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    let text = format!("{prefix}{}", hex(&bytes));
    Ok(NewSecret { hash: hash(&text), text })
}

/// SHA-256 of a secret. Secrets are so random that a slow hash would not protect them better.
pub fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}
