//! Settings with only a blank between name and value: `ENV API_TOKEN x` of a Dockerfile, `configure
//! set aws_secret_access_key x`, `login bob password x` of a netrc, `AUTH x` and `requirepass x` of
//! Redis; and with words between them: `the password is 'x'`.

use std::ops::Range;

use memchr::memmem;

use super::bytes::SNAKE;
use super::nothing::hides_nothing;
use super::options::is_of_sentence;
use super::pair_name::{is_parsers, word_before};
use super::pair_value::{self, Context};
use super::rule::Active;
use super::{names, sql};

/// Length limit of a command.
const LONGEST: usize = 300;

/// The password after a setting that ends here: `requirepass x`.
pub(super) fn required(text: &[u8], end: usize) -> Option<Range<usize>> {
    let gap = text[end..].iter().take(8).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let value = end + gap..pair_value::end(text, end + gap, Context::default());
    (gap > 0 && is_value(&text[value.clone()])).then_some(value)
}

/// The password of `AUTH x`, `AUTH bob x`, `AUTH PLAIN x`, where a command begins.
pub(super) fn auth(text: &[u8], word: Range<usize>) -> Option<Range<usize>> {
    let before = text[..word.start].trim_ascii_end();
    let is_command = before.is_empty()
        || matches!(before.last(), Some(b'\'' | b'"' | b'(' | b'[' | b'>' | b':' | b'`'))
        || before.len() < word.start && text[before.len()..word.start].contains(&b'\n')
        || before.ends_with(br"\n");
    if !is_command || !text[word.clone()].starts_with(b"AUTH") {
        return None;
    }
    let far = &text[..text.len().min(word.end + LONGEST)];
    let is_end =
        |byte: &u8| matches!(byte, b'\n' | b'\r' | b'\'' | b'"' | b'\\' | b')' | b']' | b'`');
    let length = far[word.end..].iter().position(is_end).unwrap_or(far.len() - word.end);
    let line = &text[word.end..word.end + length];
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let is_method = |word: &[u8]| {
        let methods: [&[u8]; 5] = [b"PLAIN", b"LOGIN", b"XOAUTH2", b"OAUTHBEARER", b"NTLM"];
        methods.contains(&word)
    };
    let (first, second, third) = (words.next()?, words.next(), words.next());
    let value = match second {
        None if is_method(first) => return None,
        None => first,
        Some(_) if third.is_some() || is_of_sentence(first) => return None,
        Some(second) => second,
    };
    let nouns: [&[u8]; 5] = [b"command", b"extension", b"mechanism", b"mechanisms", b"method"];
    let start = word.end + memmem::rfind(line, value)?;
    (is_value(value) && !nouns.contains(&value)).then_some(start..start + value.len())
}

/// The string given by a sentence as the secret named here.
pub(super) fn said(text: &[u8], at: usize, active: Active) -> Option<Range<usize>> {
    let start = at - text[..at].iter().rev().take(64).take_while(|byte| SNAKE.has(**byte)).count();
    let end = SNAKE.run(text, at);
    let name = &text[start..end];
    let mut place = end;
    let mut has_is = false;
    // `is`, `was set to`, `is now:`
    for _ in 0..4 {
        let gap = text[place..].iter().take(2).take_while(|byte| **byte == b' ').count();
        let from = place + gap;
        let word_end = SNAKE.run(&text[..text.len().min(from + 4)], from);
        match &text[from..word_end] {
            b"is" | b"was" if gap > 0 => has_is = true,
            b"set" | b"to" | b"now" if has_is && gap > 0 => {}
            _ => {
                place = from;
                break;
            }
        }
        place = word_end + usize::from(text.get(word_end) == Some(&b':'));
    }
    if !has_is || !names::is_secret(name, active) {
        return None;
    }
    // A token may also be a word of a text, and have a kind.
    let is_password = memmem::find(&name.to_ascii_lowercase(), b"pass").is_some();
    let is_mark = |byte: &u8| byte.is_ascii_punctuation() && !b"_-.'\"\\".contains(byte);
    let is_random = |byte: &u8| byte.is_ascii_digit() || is_mark(byte);
    let value = sql::string(text, place)?;
    let is_parsed = start > 0 && is_parsers(word_before(text, start));
    (is_password || !is_parsed && text[value.clone()].iter().any(is_random)).then_some(value)
}

fn is_value(said: &[u8]) -> bool {
    !matches!(said.first(), None | Some(b'-' | b'<' | b'['))
        && !hides_nothing(said)
        && !is_of_sentence(said)
}

/// The value after the secret's name that is here.
pub(super) fn named(text: &[u8], at: usize, active: Active) -> Option<Range<usize>> {
    let start = at - text[..at].iter().rev().take(64).take_while(|byte| SNAKE.has(**byte)).count();
    let end = SNAKE.run(text, at);
    let name = &text[start..end];
    let gap = text[end..].iter().take(8).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    if gap == 0 || !names::is_secret(name, active) {
        return None;
    }
    let before = &text[start.saturating_sub(100)..start];
    let mut words = before.rsplit(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    // `set //registry.example.com/:_authToken x`
    if before.ends_with(b":") {
        words.next();
    }
    let word = words.next()?;
    // The end of a line may be escaped.
    let word = memmem::rfind(word, br"\n").map_or(word, |at| &word[at + 2..]);
    let is_set = matches!(word, b"set" | b"ENV" | b"setenv" | b"SetEnv" | b"-x")
        && (name.contains(&b'_') || name.iter().all(u8::is_ascii_uppercase));
    // The word before is the user's name.
    let is_netrc = name == b"password" && words.next() == Some(b"login") && !is_of_sentence(word);
    if !is_set && !is_netrc {
        return None;
    }
    let value = end + gap..pair_value::end(text, end + gap, Context::default());
    is_value(&text[value.clone()]).then_some(value)
}
