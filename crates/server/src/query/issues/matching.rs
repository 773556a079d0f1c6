//! Matches issues with a filter, and sums them up.
use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use flawless_store::IssueRow;
use rustc_hash::FxHashMap;

use super::counts::Hour;
use super::filter::{IssueFilter, IssueState};
use super::index::{Facts, Known};
use super::notified::AlertStates;
use super::{IssueTotals, ListedIssue, ListedOwner};
use crate::app::App;

/// An issue that matches.
pub(crate) struct Match<'a> {
    pub(crate) id: i64,
    pub(crate) facts: &'a Facts,
    pub(crate) occurrences: i64,
    pub(crate) last_at: i64,
}

/// How an issue occurred in a span.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Occurred {
    pub(crate) occurrences: i64,
    last_at: i64,
}

pub(crate) fn occurred(hours: &[(i64, Hour)]) -> FxHashMap<i64, Occurred> {
    let mut found: FxHashMap<i64, Occurred> = FxHashMap::default();
    for count in hours.iter().flat_map(|(_, hour)| hour.counts.iter()) {
        let occurred = found.entry(count.issue).or_default();
        occurred.occurrences = occurred.occurrences.saturating_add(count.occurrences);
        occurred.last_at = occurred.last_at.max(count.last_at);
    }
    found
}

pub(crate) struct Asked<'a> {
    pub(crate) app: &'a App,
    pub(crate) filter: &'a IssueFilter,
    pub(crate) regressed: &'a HashSet<i64>,
    /// Issues that were mailed; only filled in when the filter asks for it.
    pub(crate) mailed: &'a HashSet<i64>,
    pub(crate) now: i64,
}

/// The matches in a span.
pub(crate) struct Matched<'a> {
    pub(crate) matches: Vec<Match<'a>>,
    pub(crate) totals: IssueTotals,
    pub(crate) all_developers: BTreeSet<ListedOwner>,
    pub(crate) exceptions: BTreeSet<String>,
    pub(crate) left_out: (usize, usize),
}

impl Asked<'_> {
    pub(crate) fn matches<'a>(
        &self,
        known: &'a Known,
        occurred: FxHashMap<i64, Occurred>,
        (from, to): (i64, i64),
    ) -> Matched<'a> {
        let span = from..to;
        let mut matched = Matched {
            matches: Vec::new(),
            totals: IssueTotals::default(),
            all_developers: BTreeSet::new(),
            exceptions: BTreeSet::new(),
            left_out: (0, 0),
        };
        let IssueTotals { occurrences: all, new, resolved, .. } = &mut matched.totals;
        for (id, facts) in &known.issues {
            let is_resolved = facts.resolved_at.is_some_and(|at| span.contains(&at));
            let occurred = occurred.get(id);
            if facts.is_merged || (occurred.is_none() && !is_resolved) {
                continue;
            }
            let is_narrowed_out = !self.is_meant(*id, facts, &span);
            let is_unwanted_known = facts.is_known_error && !self.takes_known();
            let is_unwanted_old = self.is_old(facts.authored_at) && !self.takes_old();
            if !is_narrowed_out && occurred.is_some() {
                // Counts what each switch by itself would show.
                let (known_errors, old) = &mut matched.left_out;
                *known_errors += usize::from(is_unwanted_known && !is_unwanted_old);
                *old += usize::from(is_unwanted_old && !is_unwanted_known);
            }
            if is_unwanted_known || is_unwanted_old {
                continue;
            }
            if occurred.is_some() {
                if !matched.all_developers.contains(&facts.owner) {
                    matched.all_developers.insert(facts.owner.clone());
                }
                for name in &facts.exception_types {
                    if !matched.exceptions.contains(name) {
                        matched.exceptions.insert(name.clone());
                    }
                }
            }
            if is_narrowed_out {
                continue;
            }
            *resolved += usize::from(is_resolved);
            // An issue that was resolved but did not occur is listed only in the state `resolved`.
            let is_asked = self.filter.state == Some(IssueState::Resolved);
            if occurred.is_none() && !is_asked {
                continue;
            }
            let Occurred { occurrences, last_at } = occurred.copied().unwrap_or(Occurred {
                occurrences: 0,
                last_at: facts.resolved_at.unwrap_or_default(),
            });
            *all = all.saturating_add(occurrences);
            *new += usize::from(span.contains(&facts.first_seen_at));
            matched.matches.push(Match { id: *id, facts, occurrences, last_at });
        }
        matched.totals.issues = matched.matches.len();
        let people: HashSet<&ListedOwner> =
            matched.matches.iter().map(|found| &found.facts.owner).collect();
        matched.totals.people = people.len();
        matched
    }

    fn takes_known(&self) -> bool {
        self.filter.known_errors || self.filter.state == Some(IssueState::Known)
    }

    fn takes_old(&self) -> bool {
        self.filter.old_code || self.filter.state == Some(IssueState::Old)
    }

    fn is_old(&self, authored_at: Option<i64>) -> bool {
        authored_at.is_some_and(|date| date < self.app.config.minimum_date)
    }

    /// As in [`AlertStates::notified_state`].
    fn is_notified(&self, id: i64, facts: &Facts) -> bool {
        facts.notified_at.is_some() && self.mailed.contains(&id)
    }

    /// Whether the filter lets this issue through, apart from the switches for known and old ones.
    fn is_meant(&self, id: i64, facts: &Facts, span: &Range<i64>) -> bool {
        let IssueFilter { project, developer, file, exception, state, text, .. } = self.filter;
        let is = |wanted: &Option<String>, is_it: &dyn Fn(&str) -> bool| {
            wanted.as_deref().is_none_or(is_it)
        };
        let is_muted = facts.muted_until.is_some_and(|until| until > self.now);
        let stands = state.is_none_or(|state| match state {
            IssueState::Open => facts.resolved_at.is_none() && !is_muted && !facts.is_known_error,
            IssueState::New => span.contains(&facts.first_seen_at),
            IssueState::Notified => self.is_notified(id, facts),
            IssueState::NotNotified => !self.is_notified(id, facts),
            IssueState::Known => facts.is_known_error,
            IssueState::Muted => is_muted,
            IssueState::Resolved => facts.resolved_at.is_some(),
            IssueState::Regressed => self.regressed.contains(&id),
            IssueState::Old => self.is_old(facts.authored_at),
        });
        stands
            && is(developer, &|wanted| facts.owner.as_str().eq_ignore_ascii_case(wanted))
            && is(project, &|wanted| *wanted == *self.app.project.name())
            && is(file, &|wanted| is_within(&facts.path, wanted))
            && is(exception, &|wanted| {
                facts.exception_types.iter().any(|name| is_type(name, wanted))
            })
            && is(text, &|wanted| facts.words.contains(&wanted.to_lowercase()))
    }

    pub(crate) fn listed(
        &self,
        found: Match<'_>,
        issue: IssueRow,
        by_day: Vec<i64>,
        alert_states: &AlertStates<'_>,
        span: Range<i64>,
    ) -> ListedIssue {
        let rules = self.app.rules.get();
        let facts = &issue.facts;
        let is_library =
            rules.rules.library_code.iter().any(|(_, pattern)| {
                pattern.matches(&facts.path, &facts.function_name, &facts.text)
            });
        ListedIssue {
            owner: found.facts.owner.clone(),
            occurrences: found.occurrences,
            last_at: found.last_at,
            by_day,
            notified: alert_states.notified_state(&issue),
            is_new: span.contains(&issue.first_seen_at),
            is_regressed: alert_states.is_regressed(issue.id),
            is_old: self.is_old(facts.authored_at),
            is_library,
            issue,
        }
    }
}

/// Whether a path is the wanted file, is in the wanted folder, or begins with the wanted text.
fn is_within(path: &str, wanted: &str) -> bool {
    let trimmed = wanted.trim_start_matches("./");
    path.starts_with(trimmed)
        || path.trim_start_matches('/').starts_with(trimmed.trim_start_matches('/'))
}

/// Whether the wanted type is the full path, or its end after a dot.
fn is_type(whole: &str, wanted: &str) -> bool {
    let before = whole.strip_suffix(wanted);
    before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}
