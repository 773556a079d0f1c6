//! PEM blocks that hold a private key, whole or cut at either end; line ends may be escaped.

use std::ops::Range;

use memchr::memmem;

use super::bytes::ByteSet;

static BODY: ByteSet = ByteSet::alphanumeric_and(b"+/=\\ \t\r\n");
const LONGEST_LABEL: usize = 48;

/// The block whose `-----BEGIN` ends here, up to its end, or to the end of the text.
pub(super) fn from_begin(text: &[u8], begin: Range<usize>) -> Option<Range<usize>> {
    let label_end = private_label(text, begin.end)?;
    let mut from = label_end;
    while let Some(found) = memmem::find(&text[from..], b"-----END") {
        let end = from + found;
        match private_label(text, end + 8) {
            Some(end) => return Some(begin.start..end),
            None => from = end + 8,
        }
    }
    Some(begin.start..text.len())
}

/// The part before this `-----END` of a block whose beginning is not in the text.
pub(super) fn before_end(text: &[u8], end: Range<usize>) -> Option<Range<usize>> {
    let label_end = private_label(text, end.end)?;
    let body = text[..end.start].iter().rev().take_while(|byte| BODY.has(**byte)).count();
    (body >= 8).then_some(end.start - body..label_end)
}

/// The end of the line whose label begins here, if the label names a private key.
fn private_label(text: &[u8], start: usize) -> Option<usize> {
    let line = &text[start..text.len().min(start + LONGEST_LABEL)];
    let dashes = memmem::find(line, b"-----")?;
    let label = &line[..dashes];
    let named = label
        .iter()
        .all(|byte| byte.is_ascii_uppercase() || *byte == b' ' || byte.is_ascii_digit());
    (named && memmem::find(label, b"PRIVATE KEY").is_some()).then_some(start + dashes + 5)
}
