//! Card numbers: an issuer's prefix and length, grouped as on a card or not at all, and Luhn's
//! check digit. Timestamps, order numbers and floats must not look like one.

use std::ops::Range;

/// The groupings of card numbers; the longest is 4-4-4-4-3.
const SHAPES: [&[usize]; 4] = [&[4, 4, 4, 4, 3], &[4, 4, 4, 4], &[4, 6, 5], &[4, 6, 4]];
const SHORTEST: usize = 13;
const LONGEST: usize = 19;

/// A run of digits, and the single byte between it and the next run, if any.
type Group = (usize, usize, Option<u8>);

/// Adds every card number in the text.
pub(super) fn find(text: &[u8], found: &mut Vec<Range<usize>>) {
    // Of any two neighbours inside a number one is a digit, and a number has at least 13 bytes, so
    // two of every twelve bytes are enough.
    let mut at = 0;
    while at < text.len() {
        let near = text[at].is_ascii_digit() || text.get(at + 1).is_some_and(u8::is_ascii_digit);
        at = if near { around(text, at, found) } else { at + SHORTEST - 1 };
    }
}

/// Examines the run of groups around here; returns where to continue.
fn around(text: &[u8], at: usize, found: &mut Vec<Range<usize>>) -> usize {
    let mut start = at;
    // Go back to the start of the run, but no further than a number through here could begin.
    let floor = at.saturating_sub(2 * LONGEST);
    while start > floor && continues_before(text, start) {
        start -= 1;
    }
    let mut groups: Vec<Group> = Vec::new();
    let mut end = start;
    while end < text.len() {
        if !text[end].is_ascii_digit() {
            end += 1;
            continue;
        }
        let first = end;
        while end < text.len() && text[end].is_ascii_digit() {
            end += 1;
        }
        let joined = matches!(text.get(end), Some(b' ' | b'-'))
            && text.get(end + 1).is_some_and(u8::is_ascii_digit);
        groups.push((first, end, joined.then(|| text[end])));
        if !joined {
            break;
        }
    }
    let mut index = 0;
    while index < groups.len() {
        match number_at(text, &groups, index) {
            Some(used) => {
                found.push(groups[index].0..groups[index + used - 1].1);
                index += used;
            }
            None => index += 1,
        }
    }
    end.max(at + 1)
}

fn continues_before(text: &[u8], at: usize) -> bool {
    let before = text[at - 1];
    before.is_ascii_digit()
        || (matches!(before, b' ' | b'-') && at >= 2 && text[at - 2].is_ascii_digit())
}

/// The number of groups from here that form a card number.
fn number_at(text: &[u8], groups: &[Group], index: usize) -> Option<usize> {
    let (start, end, _) = groups[index];
    let whole = (SHORTEST..=LONGEST).contains(&(end - start)).then_some(1);
    let shaped = SHAPES.iter().filter_map(|shape| {
        let part = groups.get(index..index + shape.len())?;
        let separator = part[0].2;
        let fits = part.iter().zip(*shape).all(|((start, end, _), length)| end - start == *length)
            && part[..part.len() - 1].iter().all(|group| group.2 == separator);
        fits.then_some(shape.len())
    });
    whole.into_iter().chain(shaped).find(|used| {
        let last = groups[index + used - 1].1;
        let dashed_on = *used > 1 || groups[index].2 == Some(b'-');
        stands_alone(text, start, last, dashed_on) && is_card(text, start, last)
    })
}

/// Whether it is not part of a longer word, float, identifier or phone number.
fn stands_alone(text: &[u8], start: usize, end: usize, strict: bool) -> bool {
    let before = start.checked_sub(1).map_or(b' ', |at| text[at]);
    let escaped = super::bytes::begins(text, start, &super::bytes::SNAKE);
    let before_ok = match before {
        b'.' | b'+' | b'#' => false,
        b'-' => start >= 2 && !text[start - 2].is_ascii_alphanumeric(),
        byte => escaped && (byte < 128),
    };
    let after = text.get(end).copied().unwrap_or(b' ');
    let then = text.get(end + 1).copied().unwrap_or(b' ');
    let after_ok = match after {
        b'.' => !then.is_ascii_digit(),
        b'-' => !strict || !then.is_ascii_alphanumeric(),
        b'_' => false,
        byte => !byte.is_ascii_alphanumeric(),
    };
    before_ok && after_ok
}

fn is_card(text: &[u8], start: usize, end: usize) -> bool {
    let mut digits = [0u32; LONGEST];
    let mut count = 0;
    for byte in text[start..end].iter().filter(|byte| byte.is_ascii_digit()) {
        if count == LONGEST {
            return false;
        }
        digits[count] = u32::from(byte - b'0');
        count += 1;
    }
    let digits = &digits[..count];
    count >= SHORTEST && is_issued(digits) && passes_luhn(digits)
}

fn is_issued(digits: &[u32]) -> bool {
    let prefix = digits[..4].iter().fold(0, |sum, digit| sum * 10 + digit);
    let length = digits.len();
    match prefix {
        4000..=4999 => matches!(length, 13 | 16 | 19),
        5100..=5599 | 2221..=2720 | 2200..=2204 => length == 16,
        3400..=3499 | 3700..=3799 => length == 15,
        3000..=3059 | 3095 | 3600..=3699 | 3800..=3999 => matches!(length, 14 | 16),
        3528..=3589 | 6011 | 6440..=6599 | 6200..=6299 => matches!(length, 16 | 19),
        5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763 => matches!(length, 13 | 16 | 19),
        _ => false,
    }
}

fn passes_luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| match (at % 2, digit * 2) {
            (0, _) => *digit,
            (_, double) if double > 9 => double - 9,
            (_, double) => double,
        })
        .sum();
    // All digits equal (4444 4444 4444 4444) is a placeholder.
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != digits[0])
}
