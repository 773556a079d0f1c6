//! How an issue stands, in a few words each.
use flawless_core::{Decision, Rules, Tally, TellPolicy, decide};

use super::issue_mute::muted_in_words;
use crate::present::one_line;
use crate::state::Shared;
use crate::store::IssueRow;

/// A word or two about the issue, with a class that says how it is meant.
#[derive(Debug)]
pub(super) struct Badge {
    pub(super) class: &'static str,
    pub(super) words: String,
}

/// How the issue stands; `again` when it was told again after it was mended.
pub(super) fn badges(shared: &Shared, issue: &IssueRow, rules: &Rules, again: bool) -> Vec<Badge> {
    let mut badges = Vec::new();
    let mut add = |class, words: String| badges.push(Badge { class, words });
    match (issue.told_at, not_told(shared, issue, rules)) {
        (Some(_), _) => add("good", "told".to_owned()),
        (None, Some(why)) => add("muted", format!("not told: {}", one_line(&why, 200))),
        (None, None) => add("warn", "not told yet".to_owned()),
    }
    if again && issue.mended_at.is_none() {
        add("bad", "again".to_owned());
    }
    if issue.facts.known_error_id.is_some() {
        add("warn", "known error".to_owned());
    }
    if let Some(until) = muted_in_words(shared, issue) {
        add("warn", format!("muted {until}"));
    }
    if issue.mended_at.is_some() {
        add("good", "mended".to_owned());
    }
    if issue.facts.origin_commit.is_none() {
        add("warn", "nobody blamed".to_owned());
    }
    badges
}

/// Why nobody was told of it so far; `None` when somebody will be.
fn not_told(shared: &Shared, issue: &IssueRow, rules: &Rules) -> Option<String> {
    let occurrences = u64::try_from(issue.occurrences).unwrap_or_default();
    let tally = Tally {
        decided: occurrences,
        now: occurrences,
        first_seen_at: issue.first_seen_at,
        muted: issue.muted_at(shared.clock.now()).is_some(),
        ..Tally::default()
    };
    let policy = TellPolicy {
        minimum_date: shared.config.minimum_date,
        threshold: shared.config.error_threshold,
        baseline_until: shared.baseline_until,
    };
    let known = issue.facts.known_error_id.and_then(|id| rules.known_error(id));
    match decide(tally, issue.facts.authored_at, known, policy) {
        Decision::Quiet(why) => Some(why),
        Decision::Tell(_) => None,
    }
}
