//! The data of the weekly report: what happened to issues in a week, per person and for the team.
use std::collections::BTreeMap;

use flawless_base::dates::ReportWeek;
use flawless_base::text::one_line;
use flawless_core::is_mailable;
use flawless_store::{FixingChange, Resolution, StoreError, TwoWeeksIssue};

use crate::app::App;

/// A week, compared with the week before.
#[derive(Debug)]
pub struct WeeklyReport {
    /// The reported week.
    pub week: ReportWeek,
    /// The issues of the week, by their owner's address in lower case.
    pub people: BTreeMap<String, PersonWeek>,
    /// The totals of the whole team.
    pub this_week: WeekTotals,
    /// The same for the week before.
    pub week_before: WeekTotals,
    /// Authors of fix commits, with how many issues they fixed; most first.
    pub fixers: Vec<(String, usize)>,
}

/// The week of one person: each issue is in one of the lists.
#[derive(Debug, Default)]
pub struct PersonWeek {
    /// The address as it is written.
    pub address: String,
    /// Issues that regressed.
    pub regressed: Vec<TwoWeeksIssue>,
    /// Issues that were seen for the first time.
    pub new: Vec<TwoWeeksIssue>,
    /// Older issues that occurred again.
    pub failing: Vec<TwoWeeksIssue>,
    /// Issues that were resolved.
    pub resolved: Vec<TwoWeeksIssue>,
    /// Issues that were resolved before, and occurred in revisions without the fix.
    pub older: Vec<TwoWeeksIssue>,
}

/// A week in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WeekTotals {
    /// Issues that were seen for the first time.
    pub new: usize,
    /// Issues that were resolved.
    pub resolved: usize,
    /// Issues that occurred and were not resolved by the end of the week.
    pub failing: usize,
    /// Median time from first seen to resolved, in milliseconds.
    pub median_to_resolve: Option<i64>,
}

/// Reads a week. Like the week's page, it leaves out known errors and old code; it also leaves out
/// issues of the baseline that nobody was notified of.
pub async fn weekly_report(app: &App, week: ReportWeek) -> Result<WeeklyReport, StoreError> {
    let App { store, config, baseline_until, .. } = app;
    let rules = app.rules.get();
    let mut issues = store.issues_of_two_weeks(&week).await?;
    issues.retain(|TwoWeeksIssue { issue, .. }| {
        let is_old = issue.facts.authored_at.is_some_and(|date| date < config.minimum_date);
        let was_there = issue.notified_at.is_none() && issue.first_seen_at < *baseline_until;
        !is_old && !was_there && issue.facts.known_error_id.is_none()
    });
    let this_week = totals(&issues, week.from, week.to, |found| found.week_occurrences);
    let week_before = totals(&issues, week.before, week.from, |found| found.before_occurrences);
    let fixers = fixers(&issues, &week);
    let mut refused = store.refused_addresses(app.clock.now()).await?;
    // Somebody who only unsubscribed from alerts still gets this report.
    refused.retain(|known| known.words.is_some());
    let mut people: BTreeMap<String, PersonWeek> = BTreeMap::new();
    for found in issues {
        let owner = found.issue.owner(&rules.rules, &config.addresses, &refused);
        // As with alerts, the default contact gets what cannot be mailed to the owner.
        let contact = || config.addresses.default_contact.clone();
        let address = owner.address.filter(|address| is_mailable(address)).or_else(contact);
        if let (Some(address), Some(list)) = (address, list_of(&found, &week)) {
            let person = people
                .entry(address.to_ascii_lowercase())
                .or_insert_with(|| PersonWeek { address, ..PersonWeek::default() });
            list(person).push(found);
        }
    }
    Ok(WeeklyReport { week, people, this_week, week_before, fixers })
}

type List = fn(&mut PersonWeek) -> &mut Vec<TwoWeeksIssue>;

/// The list that an issue belongs to; `None` when it occurred only in the week before.
fn list_of(found: &TwoWeeksIssue, week: &ReportWeek) -> Option<List> {
    match found.issue.resolved_at {
        Some(at) if (week.from..week.to).contains(&at) => Some(|person| &mut person.resolved),
        Some(at) if at < week.from => {
            (found.week_occurrences > 0).then_some(|person| &mut person.older)
        }
        _ if found.regression.is_some() => Some(|person| &mut person.regressed),
        _ if found.week_occurrences == 0 => None,
        _ if found.issue.first_seen_at >= week.from => Some(|person| &mut person.new),
        _ => Some(|person| &mut person.failing),
    }
}

fn totals(
    issues: &[TwoWeeksIssue],
    from: i64,
    to: i64,
    occurrences: impl Fn(&TwoWeeksIssue) -> i64,
) -> WeekTotals {
    let mut totals = WeekTotals::default();
    let mut spans = Vec::new();
    for found in issues {
        let issue = &found.issue;
        totals.new += usize::from((from..to).contains(&issue.first_seen_at));
        match issue.resolved_at.filter(|at| *at < to) {
            Some(at) if at >= from => spans.push(at - issue.first_seen_at),
            Some(_) => {}
            None => totals.failing += usize::from(occurrences(found) > 0),
        }
    }
    spans.sort_unstable();
    totals.resolved = spans.len();
    totals.median_to_resolve = spans.get(spans.len().saturating_sub(1) / 2).copied();
    totals
}

/// Counts only commits that are known to be the fix, so that the right person is thanked.
fn fixers(issues: &[TwoWeeksIssue], week: &ReportWeek) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for TwoWeeksIssue { issue, .. } in issues {
        let in_week = issue.resolved_at.is_some_and(|at| (week.from..week.to).contains(&at));
        if let Some(Resolution::Fixed(Some(FixingChange { author, .. }))) = &issue.resolution
            && in_week
        {
            *counts.entry(one_line(author, 60)).or_default() += 1;
        }
    }
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

impl PersonWeek {
    /// Some weeks together in a few words: `2 new, 3 resolved, 1 still failing`.
    pub fn in_words<'a>(weeks: impl Iterator<Item = &'a Self> + Clone) -> String {
        let sum = |of: fn(&Self) -> usize| weeks.clone().map(of).sum::<usize>();
        let counts = [
            (sum(|week| week.regressed.len()), "regressed"),
            (sum(|week| week.new.len()), "new"),
            (sum(|week| week.resolved.len()), "resolved"),
            (sum(|week| week.failing.len()), "still failing"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        let words: Vec<String> = counts.map(|(count, word)| format!("{count} {word}")).collect();
        if words.is_empty() { "quiet".to_owned() } else { words.join(", ") }
    }
}
