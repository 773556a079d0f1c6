//! Messages about a wrong secret: `This field is required.`, `invalid`, `token_expired`. They
//! follow the secret's name, and a developer needs to see them.
//!
//! A text is a message only if every word is known: any other word may be a secret.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that state a problem or a condition by themselves.
const STATES: &str = "
    aborted absent active blank cancelled closed compromised connected corrupt corrupted denied
    disabled disconnected duplicate empty enabled error expired failed failure forbidden inactive
    incorrect insecure invalid locked malformed mismatch missing null optional outdated rejected
    refused required revoked stale timeout unauthenticated unauthorized unavailable undefined
    unknown unset unsupported unverified valid wrong";

/// Words that state a problem together with others.
const TELLING: &str = "
    accepted allowed already appears choose common contain contains correct ended ensure enter exist
    exists exceed exceeds expect expected expires found given least long longer match matched
    matches must necessary needed numeric please provide provided reset sent short shorter similar
    specified supplied supported taken unique verified verify weak";

/// Words that join others.
const JOINING: &str = "
    a after again all allow an and any are as at be because been before between both but by can
    cannot could couldn d did didn do does doesn don each either else entirely for from had has hasn
    have here if in instead into is isn it its ll may might more most mustn never no none not of off
    on one only or other out re s same should shouldn so some still t than that the there these they
    this those to too try twice two under until up was wasn were when which will with without won
    would yet you your";

/// Subjects of messages.
const THINGS: &str = "
    access account address argument arguments attribute audience basic bearer body bytes
    case char character characters chars chosen choice choices client code confirm confirmation
    connection context credentials ctx data database date decode decoding detail details digit
    digits email encoded encoding error errordetail errors failing field fields form format header
    headers input integer issued issuer item items kind length letter letters list loc login lower
    lowercase mark max maximum message min minimum msg name number numbers object option options
    padding parameter payload permission property query reason request response scheme segments
    server signature size special str string strings symbol symbols text time type unicode upper
    uppercase user username validation validationerror value values verification word words";

/// Names of secrets. Such a word alone may be the secret.
const NAMES: &str = "
    api auth authentication authorization card cookie cookies credential csrf jwt key keys
    passphrase password passwords pin refresh secret session sessions token tokens xsrf";

static STATE_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(&[STATES]));
static TELLING_WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| set(&[STATES, TELLING]));
static OPENING_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| set(&[STATES, TELLING, JOINING, THINGS]));
static WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| set(&[STATES, TELLING, JOINING, THINGS, NAMES]));

/// Builds the word lists now. Building them on first use takes a lock, and a child forked at that
/// moment would wait for it forever.
pub(super) fn prepare() {
    for words in [&STATE_WORDS, &TELLING_WORDS, &OPENING_WORDS, &WORDS] {
        LazyLock::force(words);
    }
}

fn set(lists: &[&'static str]) -> HashSet<&'static str> {
    lists.iter().flat_map(|list| list.split_ascii_whitespace()).collect()
}

/// How far after a word the next one is looked for.
const NEAR: usize = 40;
/// Digits of a number in a sentence; a longer one may be a PIN.
const MOST_DIGITS: usize = 3;

/// Whether this whole value is one or more messages: in quotes, in a list, or in a framework's
/// error object.
pub(super) fn is_message(value: &str) -> bool {
    if !may_be_words(value.as_bytes()) {
        return false;
    }
    let mut words: Vec<String> = Vec::new();
    for word in value.split(is_between).filter(|word| !word.is_empty()) {
        let Some(word) = plain(word) else { return false };
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number && !WORDS.contains(word.as_str()) {
            return false;
        }
        words.push(word);
    }
    match &words[..] {
        [] => false,
        [word] => STATE_WORDS.contains(word.as_str()),
        words => {
            words.iter().any(|word| TELLING_WORDS.contains(word.as_str()))
                && (0..words.len()).all(|at| {
                    WORDS.contains(words[at].as_str())
                        || is_count(&words[at], &words[..at], words.get(at + 1))
                })
        }
    }
}

/// Whether a message begins with the bare word that ends here and continues after it.
pub(super) fn begins_message(word: &[u8], behind: &[u8]) -> bool {
    let known = |word: &[u8], among: &HashSet<&str>| {
        let word = std::str::from_utf8(word).ok().and_then(plain);
        word.is_some_and(|word| among.contains(word.as_str()))
    };
    let word = word.strip_suffix(b",").unwrap_or(word);
    let behind = &behind[..behind.len().min(NEAR)];
    let Some(rest) = behind.strip_prefix(b" ") else { return false };
    let next = rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    // `password: closed user: bob` is two settings.
    !matches!(rest.get(next), Some(b':' | b'=' | b'_' | b'-' | b'0'..=b'9'))
        && known(word, &OPENING_WORDS)
        && known(&rest[..next], &WORDS)
}

/// Most secrets have marks, or letters next to digits, so their words need not be looked up.
fn may_be_words(value: &[u8]) -> bool {
    let is_part = |byte: &u8| !byte.is_ascii() || byte.is_ascii_alphanumeric() || is_mark(*byte);
    let is_mixed = |two: &[u8]| {
        two[0].is_ascii_alphanumeric()
            && two[1].is_ascii_alphanumeric()
            && two[0].is_ascii_digit() != two[1].is_ascii_digit()
    };
    value.iter().all(is_part) && !value.windows(2).any(is_mixed)
}

fn is_mark(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"[](){}'\"\\,.:;=_-!?".contains(&byte)
}

/// Characters between words. An apostrophe counts too: `isn't` is two words.
fn is_between(c: char) -> bool {
    c.is_ascii_whitespace() || "[](){}'\"\\,.:;=_-’".contains(c)
}

/// The word in lower case, if it is written like a word: `field`, `Field`, `FIELD`.
fn plain(word: &str) -> Option<String> {
    let word = word.strip_suffix(['!', '?']).unwrap_or(word);
    let rest = word.get(1..)?;
    let is_plain = word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && (rest.bytes().all(|byte| !byte.is_ascii_uppercase())
            || word.bytes().all(|byte| byte.is_ascii_uppercase())
            || matches!(word, "ErrorDetail" | "ValidationError"));
    is_plain.then(|| word.to_ascii_lowercase())
}

/// `at least 8 characters`, `between 8 and 20`, rather than the secret: `is 123`.
fn is_count(word: &str, before: &[String], behind: Option<&String>) -> bool {
    const COUNTED: [&str; 11] = [
        "bytes",
        "character",
        "characters",
        "chars",
        "digit",
        "digits",
        "item",
        "items",
        "letters",
        "numbers",
        "symbols",
    ];
    const COUNTING: [&str; 8] = ["and", "between", "exceed", "has", "least", "most", "or", "than"];
    word.len() <= MOST_DIGITS
        && word.bytes().all(|byte| byte.is_ascii_digit())
        && (behind.is_some_and(|word| COUNTED.contains(&word.as_str()))
            || before.last().is_some_and(|word| COUNTING.contains(&word.as_str())))
}
