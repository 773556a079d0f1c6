//! Passwords next to an SQL keyword: `PASSWORD 'x'`, `IDENTIFIED BY 'x'`, `SECRET 'x'`, `SELECT 'x'
//! AS password`.

use std::ops::Range;

use memchr::memmem;

use super::bytes::{DASHED, SNAKE, begins};
use super::names;
use super::nothing::hides_nothing;
use super::pair_value::{self, Context};
use super::rule::Active;

/// Most bytes between `PASSWORD FOR` or `IDENTIFIED` and the value.
const NEAR: usize = 160;
/// Length limit of a dollar-quoted string.
const LONGEST_STRING: usize = 1_000;

/// The string after the secret's name that is here, with only blanks between them.
pub(super) fn named(text: &[u8], at: usize, active: Active) -> Option<Range<usize>> {
    let start = at - text[..at].iter().rev().take(64).take_while(|byte| SNAKE.has(**byte)).count();
    let end = SNAKE.run(text, at);
    let name = &text[start..end];
    let passwords: [&[u8]; 3] = [b"password", b"passwd", b"passphrase"];
    let is_password = passwords.iter().any(|word| name.eq_ignore_ascii_case(word));
    // Other words occur in any text; in capitals they are SQL.
    let is_capital = !name.iter().any(u8::is_ascii_lowercase);
    if !is_password && !is_capital || !names::is_secret(name, active) {
        return None;
    }
    let gap = text[end..].iter().take(8).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let rest = &text[end + gap..];
    if gap == 0 || !begins(text, start, &DASHED) {
        return None;
    }
    if is_password && rest.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"for ")) {
        return for_user(text, end + gap + 4);
    }
    string(text, end + gap)
}

/// The string before the secret's name that is here: `SELECT 'x' AS password`.
pub(super) fn alias(text: &[u8], at: usize, active: Active) -> Option<Range<usize>> {
    let start = at - text[..at].iter().rev().take(64).take_while(|byte| SNAKE.has(**byte)).count();
    let far = &text[start.saturating_sub(NEAR)..start];
    let back = |text: &[u8], over: &[u8]| {
        text.iter().rposition(|byte| !over.contains(byte)).map_or(0, |last| last + 1)
    };
    let near = &far[..back(far, b"\"`\\[")];
    let near = &near[..back(near, b" \t")];
    let word = near.last_chunk::<2>().filter(|word| word.eq_ignore_ascii_case(b"as"))?;
    let before = &near[..near.len() - 2];
    let end = back(before, b" \t");
    let quote = end.checked_sub(1).filter(|quote| end < before.len() && before[*quote] == b'\'')?;
    // `'x' as Token` is another language.
    let is_select = memmem::find(&before.to_ascii_lowercase(), b"select").is_some();
    if !is_select && word != b"AS" || !names::is_secret(&text[start..SNAKE.run(text, at)], active) {
        return None;
    }
    let mut open = before[..quote].iter().rposition(|byte| *byte == b'\'')?;
    // A quote within a string is doubled.
    while open > 0 && before[open - 1] == b'\'' {
        open = before[..open - 1].iter().rposition(|byte| *byte == b'\'')?;
    }
    let from = start - far.len();
    let value = from + open..from + end;
    let inner = before[open + 1..quote].trim_ascii();
    (!inner.is_empty() && !hides_nothing(inner)).then_some(value)
}

/// `SET PASSWORD FOR 'ann'@'%' = 'x'`
fn for_user(text: &[u8], from: usize) -> Option<Range<usize>> {
    let near = &text[from..text.len().min(from + NEAR)];
    let line = near.split(|byte| *byte == b'\n').next()?;
    let equals = from + line.iter().position(|byte| *byte == b'=')? + 1;
    string(text, equals + text[equals..].iter().take(4).take_while(|byte| **byte == b' ').count())
}

/// `IDENTIFIED BY 'x'`, `IDENTIFIED WITH plugin BY 'x'`, `IDENTIFIED BY x`; the first word ends
/// here.
pub(super) fn identified(text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    if !begins(text, word.start, &SNAKE) {
        return None;
    }
    let near = text.len().min(word.end + NEAR);
    let mut at = word.end;
    let mut has_by = false;
    // Words before the value: WITH plugin, BY, AS, PASSWORD, VALUES.
    for _ in 0..6 {
        at += text[at..near].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if let Some(value) = string(text, at) {
            let is_plugin = !has_by && is_next(text, value.end, b" by ");
            if !is_plugin {
                return Some(value);
            }
            at = value.end;
            continue;
        }
        let end = SNAKE.run(&text[..near], at);
        let said = text[at..end].to_ascii_lowercase();
        match said.as_slice() {
            b"by" | b"as" => has_by = true,
            b"with" | b"password" | b"values" | b"using" => {}
            _ if has_by => {
                if !is_statement(text, &word) {
                    return None;
                }
                let value = at..pair_value::end(text, at, Context::default());
                return (!value.is_empty() && said != b"random").then_some(value);
            }
            b"" => return None,
            _ => {}
        }
        at = end;
    }
    None
}

/// `the user is identified by the name` is a sentence.
fn is_statement(text: &[u8], word: &Range<usize>) -> bool {
    let before = text[word.start.saturating_sub(NEAR)..word.start].to_ascii_lowercase();
    text[word.start].is_ascii_uppercase()
        || [b"create " as &[u8], b"alter "].iter().any(|it| memmem::find(&before, it).is_some())
}

fn is_next(text: &[u8], at: usize, word: &[u8]) -> bool {
    text.get(at..at + word.len()).is_some_and(|next| next.eq_ignore_ascii_case(word))
}

/// The string that begins here, unless its quote ends one: `'enter the password '`.
pub(super) fn string(text: &[u8], start: usize) -> Option<Range<usize>> {
    if text.get(start) == Some(&b'$') {
        return dollars(text, start);
    }
    let has_prefix = matches!(text.get(start..start + 2)?, [b'E' | b'e' | b'N' | b'n', quote] if b"'\\".contains(quote));
    let at = start + usize::from(has_prefix);
    let slashes = text.get(at..)?.iter().take_while(|byte| **byte == b'\\').count();
    let quote = at + slashes;
    if !matches!(text.get(quote), Some(b'\'' | b'"')) {
        return None;
    }
    let opens = !matches!(
        text.get(quote + 1),
        None | Some(b' ' | b',' | b')' | b']' | b'}' | b':' | b';' | b'.' | b'\n' | b'\r' | b'>')
    );
    let context = Context { level: slashes, ..Context::default() };
    let value = at..pair_value::end(text, at, context);
    (opens && !hides_nothing(&text[value.clone()])).then_some(value)
}

/// `$$x$$`, `$tag$x$tag$`.
fn dollars(text: &[u8], start: usize) -> Option<Range<usize>> {
    let mark_end = SNAKE.run(&text[..text.len().min(start + NEAR)], start + 1);
    if text.get(mark_end) != Some(&b'$') {
        return None;
    }
    let mark = &text[start..=mark_end];
    let far = &text[..text.len().min(start + LONGEST_STRING)];
    let length = memmem::find(&far[mark_end + 1..], mark)?;
    Some(start..mark_end + 1 + length + mark.len())
}
