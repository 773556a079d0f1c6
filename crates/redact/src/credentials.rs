//! Credentials after `Bearer` and `Basic`.

use std::ops::Range;

use super::bytes::{ALNUM, ByteSet, begins};

static TOKEN: ByteSet = ByteSet::alphanumeric_and(b"-._~+/=");

/// The credential after `Bearer`, which ends here. Prose ("bearer authentication") has none.
pub(super) fn bearer(text: &[u8], scheme: Range<usize>) -> Option<Range<usize>> {
    let span = credential(text, scheme)?;
    let body = &text[span.clone()];
    let digits = body.iter().any(u8::is_ascii_digit);
    (body.len() >= 24 || body.len() >= 8 && digits).then_some(span)
}

/// The credential after `Basic`, which ends here, if it decodes to `user:password`.
pub(super) fn basic(text: &[u8], scheme: Range<usize>) -> Option<Range<usize>> {
    let span = credential(text, scheme)?;
    let decoded = base64_start(&text[span.clone()]);
    let user = decoded.iter().position(|byte| *byte == b':')?;
    let readable = decoded[..user].iter().all(|byte| *byte >= b' ' && *byte != 127);
    readable.then_some(span)
}

fn credential(text: &[u8], scheme: Range<usize>) -> Option<Range<usize>> {
    if !begins(text, scheme.start, &ALNUM) {
        return None;
    }
    let rest = &text[scheme.end..];
    let gap = if rest.starts_with(b"%20") {
        3
    } else {
        rest.iter().take(4).take_while(|byte| **byte == b' ').count()
    };
    let start = scheme.end + gap;
    let end = TOKEN.run(text, start);
    (gap > 0 && end - start >= 4).then_some(start..end)
}

/// Decodes the complete groups of this base64 text.
fn base64_start(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let (mut bits, mut held) = (0u32, 0);
    for byte in text.iter().take(256) {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    out
}
