//! Settings with nothing but a blank between name and value: `ENV API_TOKEN x` of a Dockerfile,
//! `configure set aws_secret_access_key x`, `login bob password x` of a netrc.

use std::ops::Range;

use memchr::memmem;

use super::bytes::SNAKE;
use super::names;
use super::nothing::hides_nothing;
use super::options::is_of_sentence;
use super::pair_value::{self, Context};
use super::rule::Active;

/// The value behind the secret's name that is here.
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
    let said = &text[value.clone()];
    let is_value = !said.is_empty() && !hides_nothing(said) && !is_of_sentence(said);
    is_value.then_some(value)
}
