//! Judges values that may be secrets according to their name by their own look.

use super::bytes::ByteSet;
use super::names::When;

static CODED: ByteSet = ByteSet::alphanumeric_and(b"+/=-_.~%");
static PLAIN: ByteSet = ByteSet::alphanumeric_and(b"+=-_");
const SHORTEST: usize = 20;
/// Length limit of such a value with its surroundings.
pub(super) const LONGEST: usize = 1_024;
/// Lengths of MD5, SHA-1, SHA-256 and SHA-512 in hexadecimal digits.
const DIGESTS: [usize; 4] = [32, 40, 64, 128];

/// Whether this printed value is a secret under its name's condition. With `is_cut` the text ends
/// within it, so less of a secret may be left.
pub(super) fn fits(when: When, value: &[u8], is_cut: bool) -> bool {
    let is_edge = |byte: &u8| matches!(byte, b'\'' | b'"' | b'\\' | b' ');
    let start = value.iter().position(|byte| !is_edge(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_edge(byte)).map_or(start, |last| last + 1);
    let value = &value[start..end.max(start)];
    // `b'…'`, `sha256=…`, `v1=…`
    let value = value.strip_prefix(b"b'").unwrap_or(value);
    let value = value.rsplit(|byte| *byte == b'=').find(|part| !part.is_empty()).unwrap_or(value);
    let shortest = if is_cut { SHORTEST / 2 } else { SHORTEST };
    match when {
        When::Always => true,
        When::Signature => value.len() >= shortest && (is_digest(value) || is_mixed(value, &CODED)),
        // An object's key is a path, and a cache's key is a digest.
        When::Key => value.len() >= shortest && is_mixed(value, &PLAIN),
        When::Digest => {
            is_digest(value)
                && (DIGESTS.contains(&value.len()) || is_cut && value.len() >= shortest)
        }
    }
}

fn is_digest(value: &[u8]) -> bool {
    value.iter().all(u8::is_ascii_hexdigit) && value.iter().any(u8::is_ascii_digit)
}

/// Digits and letters of both cases, mixed as in no word.
fn is_mixed(value: &[u8], body: &ByteSet) -> bool {
    let has = |is: fn(&u8) -> bool| value.iter().any(is);
    let kind =
        |byte: &u8| (byte.is_ascii_digit(), byte.is_ascii_uppercase(), byte.is_ascii_lowercase());
    let turns = value.windows(2).filter(|pair| kind(&pair[0]) != kind(&pair[1])).count();
    has(u8::is_ascii_digit)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && turns >= value.len() / 3
        && value.iter().all(|byte| body.has(*byte))
}
