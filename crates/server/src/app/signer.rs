//! Signatures that nobody else can make, for links that work without a sign-in, and for mails.
use flawless_base::hex::hex;
use flawless_base::secret::Secret;
use flawless_store::Store;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::project::keys::{KeyError, random_key};

/// Signs with a key that is made at the first start and never leaves the store.
#[derive(Debug, Clone)]
pub struct Signer(Secret);

/// Bytes of a signature; it is written with twice as many digits.
const SIGNATURE_BYTES: usize = 16;

impl Signer {
    /// Uses the key in the store, and makes one if there is none.
    pub async fn open(store: &Store) -> Result<Self, KeyError> {
        const NAME: &str = "signing";
        if let Some(key) = store.secret(NAME).await? {
            return Ok(Self(key));
        }
        let key = random_key().map_err(KeyError::Random)?;
        let mut tx = store.write().await?;
        tx.add_secret(NAME, &key).await?;
        tx.commit().await?;
        // Another program may have been faster: its key counts.
        Ok(Self(store.secret(NAME).await?.unwrap_or(key)))
    }

    /// The key itself, for the redaction that must remove it.
    pub(crate) fn key(&self) -> &Secret {
        &self.0
    }

    /// A short name that tells this installation from others: eight hexadecimal digits that reveal
    /// nothing about the key.
    pub fn installation(&self) -> String {
        self.sign("installation", &[])[..8].to_owned()
    }

    /// The signature of `parts`, for one purpose: 32 hexadecimal digits.
    pub fn sign(&self, purpose: &str, parts: &[&str]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.reveal().as_bytes())
            .expect("HMAC takes a key of any length");
        for part in std::iter::once(&purpose).chain(parts) {
            // Each after its length, so that different lists never give the same bytes.
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part.as_bytes());
        }
        let bytes = mac.finalize().into_bytes();
        hex(&bytes[..SIGNATURE_BYTES])
    }

    /// Whether `signature` is that of `parts`.
    pub fn verify(&self, purpose: &str, parts: &[&str], signature: &str) -> bool {
        self.sign(purpose, parts).as_bytes().ct_eq(signature.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_valid_for_its_parts_and_purpose_only() {
        let signer = Signer(Secret::new("0123"));
        let signature = signer.sign("mail", &["ab", "c"]);
        assert_eq!(signature.len(), 32);
        assert!(signer.verify("mail", &["ab", "c"], &signature));
        for (purpose, parts) in
            [("mail", ["a", "bc"]), ("mail", ["ab", "d"]), ("unsubscribe", ["ab", "c"])]
        {
            assert!(!signer.verify(purpose, &parts, &signature));
        }
        assert!(!signer.verify("mail", &["ab", "c"], &signature[..31]));
        assert!(!Signer(Secret::new("0124")).verify("mail", &["ab", "c"], &signature));
    }
}
