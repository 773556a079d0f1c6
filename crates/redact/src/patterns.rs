//! The user's own patterns, in Python's syntax.

use std::ops::Range;

use fancy_regex::{Regex, RegexBuilder};

use super::error::RedactError;

/// Enough for any sane pattern; one that needs more would stall the program.
const BACKTRACK_LIMIT: usize = 100_000;

/// Patterns over the names of variables, matched as Python's `re.match` does.
pub(super) struct NamePatterns(Vec<Regex>);

impl NamePatterns {
    pub(super) fn new(patterns: &[String]) -> Result<Self, RedactError> {
        compile("extra_names", patterns, |pattern| format!(r"\A(?:{pattern})")).map(Self)
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A pattern that gives up on this name takes it for a secret's.
    pub(super) fn matches(&self, name: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is_match(name).unwrap_or(true))
    }
}

/// Patterns over texts.
pub(super) struct ValuePatterns(Vec<Regex>);

/// A pattern gave up on a text.
pub(super) struct GaveUp;

impl ValuePatterns {
    pub(super) fn new(patterns: &[String]) -> Result<Self, RedactError> {
        compile("extra_values", patterns, str::to_owned).map(Self)
    }

    /// Adds what they match.
    pub(super) fn find(&self, text: &str, found: &mut Vec<Range<usize>>) -> Result<(), GaveUp> {
        for pattern in &self.0 {
            for hit in pattern.find_iter(text) {
                found.push(hit.map_err(|_| GaveUp)?.range());
            }
        }
        Ok(())
    }
}

fn compile(
    list: &'static str,
    patterns: &[String],
    anchored: impl Fn(&str) -> String,
) -> Result<Vec<Regex>, RedactError> {
    let one = |pattern: &String| {
        let bad = |reason: String| RedactError::Pattern { list, pattern: pattern.clone(), reason };
        // By itself first: a stray bracket must not close the group around it.
        Regex::new(pattern).map_err(|error| bad(error.to_string()))?;
        RegexBuilder::new(&anchored(pattern))
            .backtrack_limit(BACKTRACK_LIMIT)
            .build()
            .map_err(|error| bad(error.to_string()))
    };
    patterns.iter().map(one).collect()
}
