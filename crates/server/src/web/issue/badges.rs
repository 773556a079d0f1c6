//! Badges for the state of an issue.
use flawless_base::text::one_line;
use flawless_store::IssueRow;

use super::mute::muted_in_words;
use crate::app::App;
use crate::query::issues::NotifiedState;

/// A word or two about the issue; `class` is the CSS class that colors it.
#[derive(Debug)]
pub(crate) struct Badge {
    pub(crate) class: &'static str,
    pub(crate) words: String,
}

/// The badges of an issue; `is_regressed` when its newest alert is for a regression.
pub(crate) fn badges(
    app: &App,
    issue: &IssueRow,
    notified: &NotifiedState,
    is_regressed: bool,
) -> Vec<Badge> {
    let mut badges = Vec::new();
    let mut add = |class, words: String| badges.push(Badge { class, words });
    match notified.is_notified {
        true => add("good", "notified".to_owned()),
        false => add("muted", format!("not notified: {}", one_line(&notified.why, 200))),
    }
    if is_regressed && issue.resolved_at.is_none() {
        add("bad", "regressed".to_owned());
    }
    if issue.facts.known_error_id.is_some() {
        add("warn", "known error".to_owned());
    }
    if let Some(until) = muted_in_words(app, issue) {
        add("warn", format!("muted {until}"));
    }
    if issue.resolved_at.is_some() {
        add("good", "resolved".to_owned());
    }
    if issue.facts.origin_commit.is_none() {
        add("warn", "nobody blamed".to_owned());
    }
    badges
}
