//! Signs posts by the Standard Webhooks convention. <https://www.standardwebhooks.com>
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flawless_base::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
const KEY_BYTES: usize = 32;

/// A new key, in the form in which it is shown and stored.
pub fn new_signing_key() -> Result<Secret, getrandom::Error> {
    let mut key = [0; KEY_BYTES];
    getrandom::fill(&mut key)?;
    Ok(Secret::new(format!("{PREFIX}{}", STANDARD.encode(key))))
}

/// The headers that prove where a post comes from and when. `None` when the key is invalid.
pub(super) fn headers(
    key: &Secret,
    id: &str,
    at: i64,
    body: &[u8],
) -> Option<[(&'static str, String); 3]> {
    let key = STANDARD.decode(key.reveal().strip_prefix(PREFIX)?).ok()?;
    let timestamp = (at / 1000).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    Some([
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp),
        ("webhook-signature", format!("v1,{signature}")),
    ])
}
