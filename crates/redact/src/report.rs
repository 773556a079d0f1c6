//! Removes the secrets from the texts of one report.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use super::budget::{Budget, Slow};
use super::decoded::{Decoded, LAYERS};
use super::names::{self, Named, When};
use super::patterns::GaveUp;
use super::shapes::Shapes;
use super::{Redactor, SCRUBBED, in_code, nothing, pairs, random, spans};

/// After a replacement the text is searched again, so that redacting twice gives the same; a text
/// that still changes after this many rounds is hostile and is replaced as a whole.
const ROUNDS: usize = 6;

/// A [`Redactor`] for the texts of one report. The user's patterns have limited time for all of
/// them. Once it is used up, each further text is replaced as a whole, because the patterns might
/// have found something in it, and each name that only they can judge counts as a secret's.
pub struct OneReport<'r> {
    redactor: &'r Redactor,
    budget: Budget,
}

/// The kind of text, which decides how names count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Values, messages, requests.
    Text,
    /// Source code, where names are those of variables.
    Code,
}

/// Judges names beside values.
#[derive(Clone, Copy)]
pub(super) struct Names<'r> {
    redactor: &'r Redactor,
    budget: &'r Budget,
}

impl Names<'_> {
    /// The judgement of the built-in rules about a name.
    #[inline]
    pub(super) fn named(self, name: &[u8]) -> Option<Named> {
        names::named(name, self.redactor.active)
    }

    /// Whether the user has name patterns.
    #[inline]
    pub(super) fn has_own(self) -> bool {
        !self.redactor.own_names.is_empty()
    }

    /// Whether one of the user's patterns matches the name.
    pub(super) fn own(self, name: &[u8]) -> bool {
        self.has_own()
            && self.redactor.own_names.matches(&String::from_utf8_lossy(name), self.budget)
    }

    /// Whether every value of this name is a secret.
    #[inline]
    pub(super) fn is_secret(self, name: &[u8]) -> bool {
        names::is_secret(name, self.redactor.active) || self.own(name)
    }
}

impl<'r> OneReport<'r> {
    pub(super) fn new(redactor: &'r Redactor) -> Self {
        Self { redactor, budget: redactor.pace.budget() }
    }

    fn names(&self) -> Names<'_> {
        Names { redactor: self.redactor, budget: &self.budget }
    }

    /// Whether a variable, key or attribute of this name holds a secret.
    #[inline]
    pub fn is_secret_name(&self, name: &str) -> bool {
        self.names().is_secret(name.as_bytes())
    }

    /// Redacts the value of a variable, header or attribute of this name. Returns an owned text
    /// when it held secrets.
    pub fn redact_named<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        let when = match self.names().named(name.as_bytes()) {
            Some(named) => Some(named.when),
            None => self.is_secret_name(name).then_some(When::Always),
        };
        let is_secret = when.is_some_and(|when| {
            random::fits(when, value.as_bytes(), false) && !nothing::hides_nothing(value.as_bytes())
        });
        if is_secret { Cow::Owned(SCRUBBED.to_owned()) } else { self.redact(value) }
    }

    /// Redacts printed values, messages, queries and bodies: secrets are recognized by the name
    /// beside them or by themselves. Returns an owned text when it held secrets.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.settle(text, Scope::Text)
    }

    /// Redacts lines of source code: secrets are recognized by themselves, or as literals beside a
    /// secret's name.
    pub fn redact_values<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.settle(text, Scope::Code)
    }

    /// The user's pattern that hit the time limit or gave up on a text by itself: the field of
    /// [`Rules`](super::Rules) that holds it, and the pattern.
    pub fn slow_pattern(&self) -> Option<(&'static str, &'r str)> {
        let rules = &self.redactor.rules;
        Some(match self.budget.slow()? {
            Slow::Name(at) => ("extra_names", rules.extra_names[at].as_str()),
            Slow::Value(at) => ("extra_values", rules.extra_values[at].as_str()),
        })
    }

    fn settle<'a>(&self, text: &'a str, scope: Scope) -> Cow<'a, str> {
        let active = self.redactor.active;
        let make = || active.any().then(|| Shapes::new(active));
        let shapes = self.redactor.shapes.get_or_init(make).as_ref();
        let mut settled = Cow::Borrowed(text);
        for _ in 0..ROUNDS {
            let mut found = Vec::new();
            self.find(shapes, &settled, scope, 0, &mut found);
            if let Err(GaveUp) = self.redactor.own_values.find(&settled, &self.budget, &mut found) {
                break;
            }
            match spans::replace(&settled, &found) {
                Some(replaced) => settled = Cow::Owned(replaced),
                None => return settled,
            }
        }
        if text.is_empty() { settled } else { Cow::Owned(SCRUBBED.to_owned()) }
    }

    /// Adds the findings of the built-in rules in a text after `layer` layers of escapes were
    /// removed.
    fn find(
        &self,
        shapes: Option<&Shapes>,
        text: &str,
        scope: Scope,
        layer: usize,
        found: &mut Vec<Range<usize>>,
    ) {
        let names_possible = shapes.is_some_and(|shapes| shapes.find(text, found));
        match scope {
            Scope::Text if names_possible || self.names().has_own() => {
                pairs::find(text, self.names(), found);
            }
            Scope::Code if names_possible => {
                let mut values = Vec::new();
                pairs::find(text, self.names(), &mut values);
                found.extend(in_code::written_out(text.as_bytes(), values));
            }
            _ => {}
        }
        self.redactor.environment.find(text, found);
        if layer < LAYERS
            && let Some(decoded) = Decoded::of(text, names_possible && scope == Scope::Text)
        {
            let mut within = Vec::new();
            self.find(shapes, &decoded.text, scope, layer + 1, &mut within);
            found.extend(within.iter().map(|span| decoded.place(span)));
        }
    }
}

impl Drop for OneReport<'_> {
    #[inline]
    fn drop(&mut self) {
        self.redactor.pace.note(&self.budget);
    }
}

impl fmt::Debug for OneReport<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OneReport").finish_non_exhaustive()
    }
}
