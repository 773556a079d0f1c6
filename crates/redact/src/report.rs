//! Takes the secrets out of the texts of one report.

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
/// that still changes after so many rounds is hostile and replaced as a whole.
const ROUNDS: usize = 6;

/// A [`Redactor`] at the texts of one report. What the user's patterns may take for all of them
/// is limited. When it is spent, each further text is replaced as a whole, for nobody knows what
/// these patterns would have found; and each name that only they can judge is taken for a
/// secret's.
pub struct OneReport<'r> {
    redactor: &'r Redactor,
    budget: Budget,
}

/// Where the names of secrets count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// Values, messages, requests.
    Text,
    /// Source code: its names are those of variables.
    Code,
}

/// Judges names beside values.
#[derive(Clone, Copy)]
pub(super) struct Names<'r> {
    redactor: &'r Redactor,
    budget: &'r Budget,
}

impl Names<'_> {
    /// What the built-in rules say of a name.
    #[inline]
    pub(super) fn named(self, name: &[u8]) -> Option<Named> {
        names::named(name, self.redactor.active)
    }

    /// Whether the user has patterns over names.
    #[inline]
    pub(super) fn has_own(self) -> bool {
        !self.redactor.own_names.is_empty()
    }

    /// Whether one of the user's patterns takes the name for a secret's.
    pub(super) fn own(self, name: &[u8]) -> bool {
        self.has_own()
            && self.redactor.own_names.matches(&String::from_utf8_lossy(name), self.budget)
    }

    /// Whether whatever has this name is a secret.
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

    /// Is this the name of a variable, key or attribute that holds a secret?
    #[inline]
    pub fn is_secret_name(&self, name: &str) -> bool {
        self.names().is_secret(name.as_bytes())
    }

    /// The value of a variable, header or attribute of this name, without the secrets in it. Owned
    /// when there were any.
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

    /// The text without the secrets in it, known by the name beside them or by themselves: for
    /// printed values, messages, queries, bodies. Owned when there were any.
    pub fn redact<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.settle(text, Scope::Text)
    }

    /// The text without the secrets that are known by themselves, or are written out beside a
    /// secret's name: for lines of source code.
    pub fn redact_values<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.settle(text, Scope::Code)
    }

    /// The pattern of the user that hit the limit of time, or gave up on a text by itself: the
    /// field of [`Rules`](super::Rules) that holds it, and the pattern.
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

    /// Adds what the built-in rules find in a text from which so many layers of escapes were
    /// taken.
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
