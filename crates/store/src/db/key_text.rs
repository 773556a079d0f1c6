//! Bounds texts that are in an index: an entry of PostgreSQL's indexes has at most 2.7 kB, and a
//! longer one would make the report that brings it impossible to store.
use std::borrow::Cow;

use flawless_base::hex::hex;
use sha2::{Digest, Sha256};

/// Bytes of a text that is a key, or a part of one.
pub(crate) const LONGEST_KEY: usize = 1_000;

/// The text itself, or if it is too long its beginning and its hash. Doing it twice changes nothing.
pub(crate) fn key_text(text: &str) -> Cow<'_, str> {
    if text.len() <= LONGEST_KEY {
        return Cow::Borrowed(text);
    }
    let beginning = beginning(text, LONGEST_KEY - 100);
    Cow::Owned(format!("{beginning}…{}", hash(text)))
}

/// The beginning of a text, at most this many bytes of it.
pub(crate) fn beginning(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// SHA-256 in hexadecimal digits.
pub(crate) fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_stays_distinct_and_is_shortened_once() {
        let text = |end: char| "é".repeat(2_000) + &end.to_string();
        let (a, b) = (text('a'), text('b'));
        let short = key_text(&a);
        assert!(short.len() <= LONGEST_KEY && short.starts_with('é'));
        assert_ne!(short, key_text(&b));
        assert_eq!(key_text(&short), short);
        assert_eq!(key_text("short"), "short");
    }
}
