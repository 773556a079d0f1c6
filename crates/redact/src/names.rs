//! Recognizes names of secrets by their words, so that `tokenizer`, `max_tokens`, `secretary` and
//! `authored_at` are not.

use super::name_lists::{
    CARD_PARTS, HARMLESS_FIRST, HARMLESS_LAST, IDENTIFIED, KEY_OWNERS, KNOWN_KEYS, NO_TOKEN_AFTER,
    PAYERS, PRIVATE_KEYS, SESSION_PARTS, TOKEN_OWNERS,
};
use super::name_words::{Trigger, trigger};
use super::rule::{Active, Rule};
use super::words::{LONGEST, Words};

/// What a name implies about the value beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) rule: Rule,
    pub(super) when: When,
}

/// Which values of that name are secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    Always,
    /// Cryptographic signatures, not those of functions.
    Signature,
    /// Values that nobody would have typed.
    Key,
    /// Digests in hexadecimal digits.
    Digest,
}

/// What this name implies, if it may name a secret.
#[inline]
pub(super) fn named(name: &[u8], active: Active) -> Option<Named> {
    let found = of_part(name, active);
    if found.is_none() && name.len() > LONGEST {
        return of_part(&name[name.len() - LONGEST..], active);
    }
    found
}

/// Whether every value of this name is a secret.
#[inline]
pub(super) fn is_secret(name: &[u8], active: Active) -> bool {
    named(name, active).is_some_and(|named| named.when == When::Always)
}

#[inline]
fn of_part(name: &[u8], active: Active) -> Option<Named> {
    let words = Words::of(name);
    let mut possible = None;
    for at in 0..words.len() {
        let Some(trigger) = trigger(words.get(at)) else { continue };
        match confirmed(trigger, &words, at, active) {
            found @ Some(Named { when: When::Always, .. }) => return found,
            found => possible = possible.or(found),
        }
    }
    possible
}

/// Judges a possible secret's name by the words around the trigger.
#[cold]
fn confirmed(trigger: Trigger, words: &Words, at: usize, active: Active) -> Option<Named> {
    let named = match by_neighbours(trigger, words, at) {
        Some(rule) => Named { rule, when: When::Always },
        None => by_value(trigger, words, at)?,
    };
    (active.has(named.rule) && !is_harmless(named.rule, words, at)).then_some(named)
}

/// Names that may also mean something else: a function has a signature, a cache has keys.
fn by_value(trigger: Trigger, words: &Words, at: usize) -> Option<Named> {
    if at + 1 != words.len() {
        return None;
    }
    match trigger {
        Trigger::Signature => Some(Named { rule: Rule::Signature, when: When::Signature }),
        Trigger::Response => Some(Named { rule: Rule::Signature, when: When::Digest }),
        Trigger::Key if at > 0 && !KNOWN_KEYS.contains(&words.get(at - 1)) => {
            Some(Named { rule: Rule::ApiKey, when: When::Key })
        }
        _ => None,
    }
}

fn by_neighbours(trigger: Trigger, words: &Words, at: usize) -> Option<Rule> {
    let before = if at == 0 { b"" as &[u8] } else { words.get(at - 1) };
    let after = words.get(at + 1);
    let last = at + 1 == words.len();
    let alone = last && is_first(words, at);
    match trigger {
        Trigger::Always(rule) => Some(rule),
        Trigger::Token => (!NO_TOKEN_AFTER.contains(&before)).then_some(Rule::Token),
        Trigger::Tokens => TOKEN_OWNERS.contains(&before).then_some(Rule::Token),
        Trigger::Key if KEY_OWNERS.binary_search(&before).is_ok() => Some(Rule::ApiKey),
        Trigger::Key => PRIVATE_KEYS.binary_search(&before).is_ok().then_some(Rule::PrivateKey),
        Trigger::Connection => {
            matches!(after, b"string" | b"strings" | b"str").then_some(Rule::ConnectionString)
        }
        Trigger::Signature | Trigger::Response => None,
        Trigger::Pass => (alone || IDENTIFIED.contains(&before) && (last || after == b"hash"))
            .then_some(Rule::Password),
        Trigger::Auth => {
            let part: &[&[u8]] =
                &[b"header", b"headers", b"code", b"data", b"value", b"string", b"str"];
            (last || part.contains(&after)).then_some(Rule::Authorization)
        }
        Trigger::Card => {
            let owned = last && (alone || PAYERS.contains(&before));
            (owned || CARD_PARTS.contains(&after)).then_some(Rule::Card)
        }
        Trigger::CreditCard => {
            matches!(after, b"number" | b"num" | b"no" | b"nr").then_some(Rule::Card)
        }
        Trigger::Session => (last || SESSION_PARTS.contains(&after)).then_some(Rule::Session),
        Trigger::Sid => {
            let server: &[&[u8]] = &[b"connect", b"php", b"jsp", b"session", b"cookie"];
            (alone || last && server.contains(&before)).then_some(Rule::Session)
        }
        Trigger::Pin => {
            let owned = last && (IDENTIFIED.contains(&before) || before == b"card");
            (alone || owned || matches!(after, b"code" | b"hash")).then_some(Rule::PinCode)
        }
        Trigger::Code => {
            matches!(after, b"code" | b"codes" | b"answer" | b"answers").then_some(Rule::PinCode)
        }
        Trigger::Social => (after == b"security").then_some(Rule::IdentityNumber),
        Trigger::Document => matches!(after, b"number" | b"no" | b"num" | b"nr" | b"id")
            .then_some(Rule::IdentityNumber),
        Trigger::Forgery => matches!(before, b"anti").then_some(Rule::Csrf),
    }
}

/// `self.password` and `HTTP_COOKIE` count as the words `password` and `cookie` alone.
fn is_first(words: &Words, at: usize) -> bool {
    at == 0 || at == 1 && matches!(words.get(0), b"self" | b"cls" | b"http" | b"x" | b"my")
}

/// A count, a position, a flag or a time that only refers to a secret.
fn is_harmless(rule: Rule, words: &Words, at: usize) -> bool {
    let first = match words.get(0) {
        b"self" | b"cls" => words.get(1),
        first => first,
    };
    if at > 0 && HARMLESS_FIRST.contains(&first) {
        return true;
    }
    let last = words.get(words.len() - 1);
    at + 1 < words.len()
        && (HARMLESS_LAST.binary_search(&last).is_ok()
            || matches!(last, b"id" | b"ids")
                && matches!(rule, Rule::Token | Rule::ApiKey | Rule::Card | Rule::Password))
}
