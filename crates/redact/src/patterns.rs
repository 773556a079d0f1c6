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
/// A pattern that backtracks at each character takes a few milliseconds for this much text, and
/// seconds for a long text, so it is first tried on pieces.
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

    /// The name counts as a secret's if a pattern gives up on it, or if no time is left.
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

    /// Adds their matches.
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
            if text.len() > PIECE && !budget.affords(expected(pattern, text, at, budget)?) {
                budget.spend(at);
                return Err(GaveUp);
            }
            search(pattern, text, at, budget, |hit| found.push(hit))?;
        }
        Ok(())
    }
}

/// Estimates how long a pattern takes for a long text from the time for its pieces: the sum of
/// them, or more if it backtracks over all of the text.
fn expected(pattern: &Regex, text: &str, at: Slow, budget: &Budget) -> Result<Duration, GaveUp> {
    let ends = piece_ends(text);
    let begin = |piece: usize| piece.checked_sub(1).map_or(0, |before| ends[before]);
    let mut times = Vec::with_capacity(ends.len());
    for (piece, end) in ends.iter().enumerate() {
        times.push(search(pattern, &text[begin(piece)..*end], at, budget, |_| ())?);
    }
    let all: Duration = times.iter().sum();
    // Compare the slowest piece and a neighbour, separately and together.
    let slowest = (0..times.len()).max_by_key(|piece| times[*piece]).unwrap_or_default();
    let first = slowest.min(times.len().saturating_sub(2));
    let apart = times.iter().skip(first).take(2).sum::<Duration>().as_secs_f64();
    let both = &text[begin(first)..ends[(first + 1).min(ends.len() - 1)]];
    let together = search(pattern, both, at, budget, |_| ())?.as_secs_f64();
    let growth = (together / apart.max(f64::MIN_POSITIVE)).clamp(1.0, 3.0);
    // The growth applies to each doubling of the length.
    Ok(all.mul_f64(growth.powf((times.len() as f64).log2())))
}

/// Finds all matches of a pattern; returns how long that took.
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

/// The ends of the pieces of a text; there is at least one.
fn piece_ends(text: &str) -> Vec<usize> {
    let mut ends = Vec::new();
    let mut at = 0;
    while text.len() - at > PIECE {
        let most = at + PIECE;
        at = (at..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(most);
        ends.push(at);
    }
    ends.push(text.len());
    ends
}

fn compile(
    list: &'static str,
    patterns: &[String],
    backtrack_limit: usize,
    anchored: impl Fn(&str) -> String,
) -> Result<Vec<Regex>, RedactError> {
    let one = |pattern: &String| {
        let bad = |reason: String| RedactError::Pattern { list, pattern: pattern.clone(), reason };
        // Compile it by itself first: a stray bracket must not close the group around it.
        Regex::new(pattern).map_err(|error| bad(error.to_string()))?;
        RegexBuilder::new(&anchored(pattern))
            .backtrack_limit(backtrack_limit)
            .build()
            .map_err(|error| bad(error.to_string()))
    };
    patterns.iter().map(one).collect()
}
