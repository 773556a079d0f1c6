//! Which names are those of secrets: by their words, so that `tokenizer`, `max_tokens`,
//! `secretary` and `authored_at` are not.

use super::name_words::{
    CARD_PARTS, HARMLESS_FIRST, HARMLESS_LAST, IDENTIFIED, KEY_OWNERS, NO_TOKEN_AFTER, PAYERS,
    SESSION_PARTS, TOKEN_OWNERS, Trigger, trigger,
};
use super::rule::{Active, Rule};
use super::words::{LONGEST, Words};

/// The rule by which this is the name of a secret.
#[inline]
pub(super) fn rule_of(name: &[u8], active: Active) -> Option<Rule> {
    let found = of_part(name, active);
    if found.is_none() && name.len() > LONGEST {
        return of_part(&name[name.len() - LONGEST..], active);
    }
    found
}

#[inline]
fn of_part(name: &[u8], active: Active) -> Option<Rule> {
    let words = Words::of(name);
    (0..words.len()).find_map(|at| {
        let trigger = trigger(words.get(at))?;
        confirmed(trigger, &words, at, active)
    })
}

/// What the words around one that may name a secret say.
#[cold]
fn confirmed(trigger: Trigger, words: &Words, at: usize, active: Active) -> Option<Rule> {
    let rule = by_neighbours(trigger, words, at)?;
    (active.has(rule) && !is_harmless(rule, words, at)).then_some(rule)
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
        Trigger::Key => KEY_OWNERS.iter().find(|(owner, _)| *owner == before).map(|(_, r)| *r),
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

/// `self.password` and `HTTP_COOKIE` are the words `password` and `cookie` alone.
fn is_first(words: &Words, at: usize) -> bool {
    at == 0 || at == 1 && matches!(words.get(0), b"self" | b"cls" | b"http" | b"x" | b"my")
}

/// A count, a place, a flag or a time that only belongs to a secret.
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
