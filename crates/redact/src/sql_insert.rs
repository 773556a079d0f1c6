//! Values that SQL gives by position: `insert into users (name, password) values ('ann', 'x')`.

use std::ops::Range;

use memchr::memmem;

use super::bytes::ByteSet;
use super::names;
use super::nothing::hides_nothing;
use super::pair_value::{self, Context};
use super::rule::Active;

/// Length limit of a statement.
const LONGEST: usize = 4_096;
const SHORT: usize = 256;
const COLUMNS: usize = 100;
pub(super) const ROWS: usize = 100;
static IN_COLUMNS: ByteSet = ByteSet::alphanumeric_and(b"_.`\"\\[], \t\r\n");
static BETWEEN: ByteSet = ByteSet::of(b" ,\t\r\n\\");

/// Examines statements one after another, from left to right.
#[derive(Default)]
pub(super) struct Inserts {
    /// Number of bytes examined.
    spent: usize,
}

impl Inserts {
    /// Adds the secrets of the statement whose `insert into` ends here.
    pub(super) fn find(
        &mut self,
        text: &[u8],
        at: usize,
        active: Active,
        found: &mut Vec<Range<usize>>,
    ) {
        // When many statements follow each other, none of them is long.
        let far = if self.spent < text.len() + LONGEST { LONGEST } else { SHORT };
        let text = &text[..text.len().min(at + far)];
        let Some((secret, behind)) = secret_columns(text, at, active) else { return };
        self.spent += text.len() - at;
        let mut rows = Rows { text, secret: &secret, left: ROWS, found };
        if let Some(values) = memmem::find(&text[behind..text.len().min(behind + 64)], b"(") {
            rows.add(behind + values);
        }
    }
}

/// The columns that hold secrets, if any, and the end of their list.
pub(super) fn secret_columns(
    text: &[u8],
    at: usize,
    active: Active,
) -> Option<(Vec<usize>, usize)> {
    let open = at + text[at..].iter().take(128).position(|byte| *byte == b'(')?;
    let close = IN_COLUMNS.run(text, open + 1);
    if text.get(close) != Some(&b')') {
        return None;
    }
    let columns = text[open + 1..close].split(|byte| *byte == b',').take(COLUMNS);
    let secret = columns.enumerate().filter(|(_, name)| names::is_secret(name, active));
    let secret: Vec<usize> = secret.map(|(at, _)| at).collect();
    (!secret.is_empty()).then_some((secret, close + 1))
}

/// Rows of values, some of whose columns are secrets.
struct Rows<'a> {
    text: &'a [u8],
    secret: &'a [usize],
    left: usize,
    found: &'a mut Vec<Range<usize>>,
}

impl Rows<'_> {
    /// Adds the secrets of the rows that begin here.
    fn add(&mut self, start: usize) {
        let mut at = start;
        while self.left > 0 && self.text.get(at) == Some(&b'(') {
            let Some((row, end)) = list(self.text, at) else { return };
            let values = self.secret.iter().filter_map(|at| row.get(*at));
            let secrets = values.filter(|value| !hides_nothing(&self.text[(*value).clone()]));
            self.found.extend(secrets.cloned());
            self.left -= 1;
            at = BETWEEN.run(self.text, end);
        }
    }
}

/// The elements of the bracketed list that opens here, and its end.
pub(super) fn list(text: &[u8], open: usize) -> Option<(Vec<Range<usize>>, usize)> {
    let mut elements = Vec::new();
    let mut at = open + 1;
    while elements.len() < COLUMNS {
        at += text[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let end = element_end(text, at);
        let value = &text[at..end];
        elements.push(at..at + value.trim_ascii_end().len());
        match text.get(end)? {
            b',' => at = end + 1,
            _ => return Some((elements, end + 1)),
        }
    }
    None
}

/// The comma or bracket that ends an element: a string, a call, a name.
fn element_end(text: &[u8], start: usize) -> usize {
    let mut at = start;
    while let Some(byte) = text.get(at) {
        match byte {
            b',' | b')' | b']' | b'}' => return at,
            b'\'' | b'"' | b'(' | b'[' | b'{' | b'\\' => {
                at = pair_value::end(text, at, Context::default()).max(at + 1);
            }
            _ => at += 1,
        }
    }
    text.len()
}
