//! Records which of the user's patterns took too long, for the page Health.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use flawless_base::clock::Clock;
use flawless_base::dates::ago;
use flawless_base::plural::counted;
use flawless_redact::{Redactor, Rules};

/// Slow searches longer ago than this are no longer shown.
const OF_LATE_MS: i64 = 24 * 60 * 60_000;

/// A pattern that took too long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowPattern {
    /// The option that contains it.
    pub option: &'static str,
    /// The pattern.
    pub pattern: String,
    /// Reports in which it left texts unsearched, since the first one.
    pub reports: u64,
    /// Time of the first one.
    pub first_at: i64,
    /// Time of the last one.
    pub last_at: i64,
}

/// The patterns that took too long since the start.
#[derive(Debug)]
pub(crate) struct SlowPatterns {
    clock: Clock,
    patterns: Mutex<BTreeMap<(&'static str, String), SlowPattern>>,
}

impl SlowPatterns {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, patterns: Mutex::default() }
    }

    /// Notes the pattern that was slow in a report: the redactor's name of its list, and the
    /// pattern.
    pub(crate) fn note(&self, list: &str, pattern: &str) {
        let option = if list == "extra_names" { "redact_names" } else { "redact_values" };
        let now = self.clock.now();
        let mut patterns = self.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        let known = patterns.entry((option, pattern.to_owned())).or_insert_with(|| {
            tracing::warn!(option, pattern, "a pattern takes too long: texts are replaced whole");
            let pattern = pattern.to_owned();
            SlowPattern { option, pattern, reports: 0, first_at: now, last_at: now }
        });
        known.reports += 1;
        known.last_at = now;
    }

    pub(crate) fn of_late(&self) -> Vec<SlowPattern> {
        let since = self.clock.now() - OF_LATE_MS;
        let patterns = self.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        patterns.values().filter(|pattern| pattern.last_at >= since).cloned().collect()
    }
}

/// As long as the longest text of a report.
const LONG: usize = 64 * 1024;

/// A text that a pattern takes too long for when it is repeated, if one is known.
pub fn slow_text(pattern: &str) -> Option<&'static str> {
    let off = Redactor::rule_names().map(str::to_owned).collect();
    let rules = Rules { extra_values: vec![pattern.to_owned()], off, ..Rules::default() };
    ["a", "a ", "ab", "1", "a1", "A1 ", "=", "-", "'", "a.", "a@", "a-1", "{}", "x=1 ", "\n"]
        .into_iter()
        .find(|piece| {
            let Ok(redactor) = Redactor::new(&rules, []) else { return false };
            let report = redactor.one_report();
            report.redact_values(&piece.repeat(LONG / piece.len()));
            report.slow_pattern().is_some()
        })
}

/// Describes which patterns take too long, and what follows from it.
pub fn slow_in_words(patterns: &[SlowPattern], now: i64) -> String {
    let one = |slow: &SlowPattern| {
        let SlowPattern { option, pattern, reports, last_at, .. } = slow;
        let reports = counted(reports, "report", "reports");
        format!(
            "{option}: the pattern {pattern:?} took too long in {reports}, the last one {} ago",
            ago(now - last_at)
        )
    };
    let all: Vec<String> = patterns.iter().map(one).collect();
    format!("{}; the texts that it did not search were replaced whole", all.join("; "))
}
