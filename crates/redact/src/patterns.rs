//! The user's own patterns, in Python's syntax.

use std::ops::Range;
use std::time::Duration;

use fancy_regex::{Regex, RegexBuilder};

use super::budget::{Budget, Slow, Spent};
use super::error::RedactError;

/// Enough for any sane pattern, in a text of any length.
const BACKTRACK_LIMIT: usize = 100_000;
/// Names are short.
const NAME_BACKTRACK_LIMIT: usize = 10_000;
/// In so much of a text a pattern that goes back at each character takes a few milliseconds, in
/// a long text seconds: it is first tried on pieces.
const PIECE: usize = 4_096;

/// Patterns over the names of variables, matched as Python's `re.match` does.
pub(super) struct NamePatterns(Vec<Regex>);

impl NamePatterns {
    pub(super) fn new(patterns: &[String]) -> Result<Self, RedactError> {
        let anchored = |pattern: &str| format!(r"\A(?:{pattern})");
        compile("extra_names", patterns, NAME_BACKTRACK_LIMIT, anchored).map(Self)
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A pattern that gives up on this name takes it for a secret's, and so does one for which
    /// there is no time left.
    pub(super) fn matches(&self, name: &str, budget: &Budget) -> bool {
        self.0.iter().enumerate().any(|(at, pattern)| {
            match budget.take(Slow::Name(at), || pattern.is_match(name)) {
                Ok((Ok(matched), _)) => matched,
                Ok((Err(_), _)) => {
                    budget.name(Slow::Name(at));
                    true
                }
                Err(Spent) => true,
            }
        })
    }
}

/// Patterns over texts.
pub(super) struct ValuePatterns(Vec<Regex>);

/// A pattern gave up on a text.
pub(super) struct GaveUp;

impl ValuePatterns {
    pub(super) fn new(patterns: &[String]) -> Result<Self, RedactError> {
        compile("extra_values", patterns, BACKTRACK_LIMIT, str::to_owned).map(Self)
    }

    /// Adds what they match.
    pub(super) fn find(
        &self,
        text: &str,
        budget: &Budget,
        found: &mut Vec<Range<usize>>,
    ) -> Result<(), GaveUp> {
        for (at, pattern) in self.0.iter().enumerate() {
            let at = Slow::Value(at);
            if !budget.may_ask(at, text.len()) {
                budget.name(at);
                return Err(GaveUp);
            }
            let pieces = pieces(text);
            if let [_, _, ..] = pieces[..] {
                let mut took = Duration::ZERO;
                for piece in &pieces {
                    took += search(pattern, piece, at, budget, |_| ())?;
                }
                // At worst each character is looked at from each other one.
                let expected = took * u32::try_from(pieces.len()).unwrap_or(u32::MAX);
                if !budget.affords(expected) {
                    budget.spend(at);
                    return Err(GaveUp);
                }
            }
            search(pattern, text, at, budget, |hit| found.push(hit))?;
        }
        Ok(())
    }
}

/// Finds all that a pattern matches; answers how long it took.
fn search(
    pattern: &Regex,
    text: &str,
    at: Slow,
    budget: &Budget,
    mut found: impl FnMut(Range<usize>),
) -> Result<Duration, GaveUp> {
    let mut hits = pattern.find_iter(text);
    let mut took = Duration::ZERO;
    loop {
        let (hit, time) = budget.take(at, || hits.next()).map_err(|_| GaveUp)?;
        took += time;
        match hit {
            None => return Ok(took),
            Some(Ok(hit)) => found(hit.range()),
            Some(Err(_)) => {
                budget.name(at);
                return Err(GaveUp);
            }
        }
    }
}

fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while rest.len() > PIECE {
        let end = (0..=PIECE).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(PIECE);
        let (piece, further) = rest.split_at(end);
        pieces.push(piece);
        rest = further;
    }
    pieces.push(rest);
    pieces
}

fn compile(
    list: &'static str,
    patterns: &[String],
    backtrack_limit: usize,
    anchored: impl Fn(&str) -> String,
) -> Result<Vec<Regex>, RedactError> {
    let one = |pattern: &String| {
        let bad = |reason: String| RedactError::Pattern { list, pattern: pattern.clone(), reason };
        // By itself first: a stray bracket must not close the group around it.
        Regex::new(pattern).map_err(|error| bad(error.to_string()))?;
        RegexBuilder::new(&anchored(pattern))
            .backtrack_limit(backtrack_limit)
            .build()
            .map_err(|error| bad(error.to_string()))
    };
    patterns.iter().map(one).collect()
}
