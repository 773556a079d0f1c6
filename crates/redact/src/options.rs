//! `--password x` in a command line or in running text. With a comma or an equals sign between
//! them, name and value are a pair.

use std::ops::Range;

use super::bytes::{ByteSet, DASHED};
use super::nothing::hides_nothing;
use super::pair_value::{self, Context};
use super::report::Names;

/// Bytes that may precede an option.
static BEFORE: ByteSet = ByteSet::of(b" \t\r\n'\"`([|=");

/// Adds the values of options that are named like secrets.
pub(super) fn find(text: &[u8], names: Names<'_>, found: &mut Vec<Range<usize>>) {
    let mut taken = 0;
    for dash in memchr::memchr_iter(b'-', text) {
        if dash < taken || dash > 0 && !BEFORE.has(text[dash - 1]) {
            continue;
        }
        let start = dash + text[dash..].iter().take(2).take_while(|byte| **byte == b'-').count();
        let end = DASHED.run(&text[..text.len().min(start + 64)], start);
        let gap = text[end..].iter().take(4).take_while(|byte| **byte == b' ').count();
        // One dash and a few letters are single-letter options.
        if gap == 0 || end - start < 4 || !names.is_secret(&text[start..end]) {
            continue;
        }
        let value = end + gap..pair_value::end(text, end + gap, Context::default());
        taken = value.end;
        if is_value(&text[start..end], &text[value.clone()]) {
            found.push(value);
        }
    }
}

/// Whether it is not another option, a placeholder of a usage text, or a word of a sentence.
fn is_value(name: &[u8], value: &[u8]) -> bool {
    let is_mark = matches!(value.first(), Some(b'-' | b'<' | b'[' | b'{' | b'|' | b'('));
    !is_mark && !is_placeholder(name, value) && !hides_nothing(value) && !is_of_sentence(value)
}

/// `--api-key API_KEY`, `--password STRING`
fn is_placeholder(name: &[u8], value: &[u8]) -> bool {
    let words: [&[u8]; 6] = [b"PASS", b"PWD", b"STR", b"STRING", b"TEXT", b"VALUE"];
    let plain = |byte: &u8| if *byte == b'-' { b'_' } else { byte.to_ascii_uppercase() };
    let name: Vec<u8> = name.iter().map(plain).collect();
    words.contains(&value) || name.ends_with(value)
}

/// Whether it is a word of a sentence about the option rather than its value.
pub(super) fn is_of_sentence(value: &[u8]) -> bool {
    let word = value.to_ascii_lowercase();
    let word = word.strip_suffix(b".").or(word.strip_suffix(b":")).unwrap_or(&word);
    WORDS.binary_search(&word).is_ok()
}

/// Words that follow an option's name in a sentence. Sorted, for a binary search.
pub(super) static WORDS: [&[u8]; 90] = [
    b"a",
    b"accepts",
    b"again",
    b"also",
    b"an",
    b"and",
    b"another",
    b"are",
    b"argument",
    b"arguments",
    b"as",
    b"at",
    b"be",
    b"because",
    b"before",
    b"but",
    b"by",
    b"can",
    b"cannot",
    b"could",
    b"does",
    b"each",
    b"either",
    b"expects",
    b"first",
    b"flag",
    b"for",
    b"from",
    b"given",
    b"has",
    b"have",
    b"here",
    b"if",
    b"in",
    b"instead",
    b"into",
    b"is",
    b"it",
    b"may",
    b"means",
    b"missing",
    b"more",
    b"must",
    b"need",
    b"needs",
    b"nor",
    b"not",
    b"of",
    b"on",
    b"only",
    b"option",
    b"options",
    b"or",
    b"otherwise",
    b"parameter",
    b"provided",
    b"required",
    b"requires",
    b"set",
    b"should",
    b"so",
    b"specified",
    b"switch",
    b"takes",
    b"than",
    b"that",
    b"the",
    b"then",
    b"there",
    b"they",
    b"this",
    b"to",
    b"too",
    b"twice",
    b"under",
    b"unless",
    b"until",
    b"use",
    b"used",
    b"value",
    b"via",
    b"was",
    b"were",
    b"when",
    b"where",
    b"which",
    b"will",
    b"with",
    b"without",
    b"would",
];
