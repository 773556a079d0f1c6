//! Lists of issues, for the week's page, `flawless issues` and the JSON API: with totals, charts,
//! and for each issue whether anybody was notified, and if not, why.

mod counts;
mod filter;
mod index;
mod matching;
mod notified;
mod order;
mod owner;
mod reading;

use std::collections::{HashMap, HashSet};

pub use filter::{IssueFilter, IssueSort, IssueState, PAGE_SIZE, Span};
pub use notified::{NotifiedState, notified_state};
pub use owner::ListedOwner;
pub use reading::{LEFT_OUT, milliseconds};

use self::matching::{Asked, occurred};
use self::notified::AlertStates;
use self::order::{Sums, choose, sort};
use crate::app::App;
use flawless_base::dates::day_starts;
use flawless_store::{IssueRow, StoreError};
use rustc_hash::FxHashMap;

const HOUR_MS: i64 = 3_600_000;

/// The caches of lists.
#[derive(Debug, Default)]
pub struct ListMemory {
    index: super::issues::index::Index,
    counts: super::issues::counts::Counts,
}

/// Which of the matching issues are returned.
#[derive(Debug, Clone, Copy)]
pub enum Wanted {
    /// The page that the filter asks for.
    Page,
    /// The first issues of each developer, fewer when these are too many in total.
    OfEach {
        /// Maximum per developer.
        each: usize,
        /// Maximum in total.
        all: usize,
    },
    /// All of them.
    All,
}

/// A list of issues.
#[derive(Debug)]
pub struct IssueList {
    /// Start and end of the span.
    pub span: (i64, i64),
    /// Totals of all matching issues.
    pub totals: IssueTotals,
    /// The totals of the span before.
    pub before: IssueTotals,
    /// Occurrences by the hour, as start and count.
    pub by_hour: Vec<(i64, i64)>,
    /// The starts of the days of the span, which `by_day` of developers and issues refers to.
    pub days: Vec<i64>,
    /// The owners of the matching issues, most occurrences first.
    pub developers: Vec<DeveloperSum>,
    /// The owners of all issues of the span, in their order.
    pub all_developers: Vec<ListedOwner>,
    /// The exception types of the span; the first few hundred.
    pub exceptions: Vec<String>,
    /// The requested issues, in order.
    pub issues: Vec<ListedIssue>,
    /// How many issues are not in the totals: known errors, and old code.
    pub left_out: (usize, usize),
}

/// The totals of a span.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IssueTotals {
    /// Issues that occurred.
    pub issues: usize,
    /// Number of occurrences.
    pub occurrences: i64,
    /// Issues first seen in the span.
    pub new: usize,
    /// Issues resolved in the span.
    pub resolved: usize,
    /// Number of owners.
    pub people: usize,
}

/// What one developer answers for.
#[derive(Debug)]
pub struct DeveloperSum {
    /// Who answers for them.
    pub owner: ListedOwner,
    /// Number of issues.
    pub issues: usize,
    /// Occurrences of these issues.
    pub occurrences: i64,
    /// Occurrences on each day.
    pub by_day: Vec<i64>,
}

/// An issue of a list.
#[derive(Debug)]
pub struct ListedIssue {
    pub issue: IssueRow,
    /// Who answers for it.
    pub owner: ListedOwner,
    /// Occurrences within the span.
    pub occurrences: i64,
    /// The last occurrence in the span; if there was none, when the issue was resolved.
    pub last_at: i64,
    /// Occurrences on each day of the span.
    pub by_day: Vec<i64>,
    /// Whether anybody was notified, and if not, why.
    pub notified: NotifiedState,
    /// First seen within the span.
    pub is_new: bool,
    /// Failed again after it was resolved.
    pub is_regressed: bool,
    /// Older than `report_only_after_minimum_date`.
    pub is_old: bool,
    /// Its line is library code by the current rules.
    pub is_library: bool,
}

/// The issues that a filter asks for.
pub async fn list(
    app: &App,
    memory: &ListMemory,
    filter: &IssueFilter,
    wanted: Wanted,
) -> Result<IssueList, StoreError> {
    let now = app.clock.now();
    let timezone = &app.config.timezone;
    let (from, to) = filter.span.bounds(now, timezone);
    let (before_from, before_to) = filter.span.bounds_before(now, timezone);
    let hour = |at: i64| at.div_euclid(HOUR_MS);
    let hours = memory.counts.between(&app.store, hour(before_from), hour(to)).await?;
    // Read after the counts, so that the index has every issue that was counted.
    let known = memory.index.refresh(app).await?;
    let regressed = match filter.state {
        Some(IssueState::Regressed) => app.store.regressed_issues().await?.into_iter().collect(),
        _ => HashSet::new(),
    };
    let mailed = match filter.state {
        Some(IssueState::Notified | IssueState::NotNotified) => {
            app.store.issues_mailed().await?.into_iter().collect()
        }
        _ => HashSet::new(),
    };
    let first = hours.partition_point(|(at, _)| *at < hour(from));
    let asked = Asked { app, filter, regressed: &regressed, mailed: &mailed, now };
    let before = asked.matches(&known, occurred(&hours[..first]), (before_from, before_to)).totals;
    let this = asked.matches(&known, occurred(&hours[first..]), (from, to));
    let days = day_starts(from, to, timezone);
    let mut sums = Sums::new(&this.matches, days.len());
    let mut ordered = this.matches;
    sort(&mut ordered, filter);
    let shown = choose(ordered, filter, wanted, sums.developers.len());
    let mut of_issue: FxHashMap<i64, Vec<i64>> =
        shown.iter().map(|found| (found.id, vec![0; days.len()])).collect();
    let mut by_hour = Vec::new();
    for (at, hour) in &hours[first..] {
        let start = at * HOUR_MS;
        let day = days.partition_point(|day| *day <= start).saturating_sub(1);
        let mut all: i64 = 0;
        for count in hour.counts.iter() {
            let Some(developer) = sums.of.get(&count.issue) else { continue };
            all = all.saturating_add(count.occurrences);
            add(&mut sums.developers[*developer].by_day, day, count.occurrences);
            if let Some(by_day) = of_issue.get_mut(&count.issue) {
                add(by_day, day, count.occurrences);
            }
        }
        by_hour.push((start, all));
    }
    sums.developers
        .sort_by(|a, b| b.occurrences.cmp(&a.occurrences).then_with(|| a.owner.cmp(&b.owner)));
    let numbers: Vec<i64> = shown.iter().map(|found| found.id).collect();
    let mut rows: HashMap<i64, IssueRow> =
        app.store.issues_numbered(&numbers).await?.into_iter().map(|row| (row.id, row)).collect();
    let alert_states = AlertStates::of(app, &numbers).await?;
    let issues = shown.into_iter().filter_map(|found| {
        // An issue may have been deleted just now.
        let issue = rows.remove(&found.id)?;
        let by_day = of_issue.remove(&found.id).unwrap_or_default();
        Some(asked.listed(found, issue, by_day, &alert_states, from..to))
    });
    Ok(IssueList {
        span: (from, to),
        issues: issues.collect(),
        totals: this.totals,
        before,
        by_hour,
        days,
        developers: sums.developers,
        all_developers: this.all_developers.into_iter().collect(),
        exceptions: this.exceptions.into_iter().take(MOST_EXCEPTIONS).collect(),
        left_out: this.left_out,
    })
}

/// What one person answers for.
#[derive(Debug, Clone, Copy, Default)]
pub struct AnswersFor {
    /// Issues that are not resolved.
    pub open_issues: i64,
    /// Occurrences within the span.
    pub occurrences: i64,
}

/// What each owner answers for, by address in lower case, with the occurrences in `[from, to)`.
pub async fn by_owner(
    app: &App,
    memory: &ListMemory,
    (from, to): (i64, i64),
) -> Result<HashMap<String, AnswersFor>, StoreError> {
    let hour = |at: i64| at.div_euclid(HOUR_MS);
    let hours = memory.counts.between(&app.store, hour(from), hour(to)).await?;
    let known = memory.index.refresh(app).await?;
    let counted = occurred(&hours);
    let mut found: HashMap<String, AnswersFor> = HashMap::new();
    for (id, facts) in known.issues.iter().filter(|(_, facts)| !facts.is_merged) {
        let Some(address) = facts.owner.address() else { continue };
        let answers = found.entry(address.to_ascii_lowercase()).or_default();
        answers.open_issues += i64::from(facts.resolved_at.is_none());
        let occurrences = counted.get(id).map_or(0, |occurred| occurred.occurrences);
        answers.occurrences = answers.occurrences.saturating_add(occurrences);
    }
    Ok(found)
}

/// At most this many exception types are offered in the form.
const MOST_EXCEPTIONS: usize = 300;

fn add(by_day: &mut [i64], day: usize, occurrences: i64) {
    if let Some(count) = by_day.get_mut(day) {
        *count = count.saturating_add(occurrences);
    }
}
