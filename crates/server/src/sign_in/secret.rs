//! Secrets that are given away and kept as hashes only: of sign-ins, links and tokens.
use sha2::{Digest, Sha256};

/// A new secret.
#[derive(Clone)]
pub struct NewSecret {
    /// For who gets it.
    pub text: String,
    /// For the store.
    pub hash: String,
}

const BYTES: usize = 32;

/// 32 random bytes as digits and letters, behind `prefix`.
///
/// # Errors
/// The system gives no random numbers.
pub fn new_secret(prefix: &str) -> Result<NewSecret, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    let text = format!("{prefix}{}", digits(&bytes));
    Ok(NewSecret { hash: hash(&text), text })
}

/// SHA-256 of a secret. It is random enough that a slow hash would protect nothing.
pub fn hash(secret: &str) -> String {
    digits(&Sha256::digest(secret.as_bytes()))
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
