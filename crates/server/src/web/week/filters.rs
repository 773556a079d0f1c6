//! The filters of the week's page: the form, the active filters, and links that keep the others.
use flawless_base::text::{one_line, plain};

use crate::query::issues::{IssueFilter, IssueList, IssueSort, IssueState};

/// The list to choose a developer from has at most this many.
const DEVELOPERS: usize = 500;

/// The page with this filter.
pub(crate) fn link(filter: &IssueFilter) -> String {
    let query = filter.query();
    if query.is_empty() { "/".to_owned() } else { format!("/?{query}") }
}

/// The filter form, filled in.
pub(crate) struct Form {
    /// Hidden fields, so that sending the form keeps the span, the order and the view.
    pub(crate) kept: Vec<(&'static str, String)>,
    pub(crate) developer: String,
    pub(crate) developers: Vec<String>,
    pub(crate) file: String,
    pub(crate) exception: String,
    pub(crate) exceptions: Vec<String>,
    /// Key, text, and whether it is selected.
    pub(crate) states: Vec<(&'static str, &'static str, bool)>,
    pub(crate) text: String,
    pub(crate) known: bool,
    pub(crate) old: bool,
    /// The form is expanded, because something in it is filled in.
    pub(crate) is_open: bool,
}

/// A filter that narrows the list.
pub(crate) struct ActiveFilter {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    /// The page without it.
    pub(crate) clear: String,
}

/// Links on the column heads of a table, which sort it.
#[derive(Debug, Clone)]
pub(crate) struct SortLinks {
    pub(crate) occurrences: SortLink,
    pub(crate) path: SortLink,
    pub(crate) developer: SortLink,
    pub(crate) first_seen: SortLink,
    pub(crate) last_seen: SortLink,
    pub(crate) age: SortLink,
}

#[derive(Debug, Clone)]
pub(crate) struct SortLink {
    pub(crate) url: String,
    /// The attribute `aria-sort`; empty when another column is sorted by.
    pub(crate) aria: &'static str,
}

impl Form {
    pub(crate) fn new(filter: &IssueFilter, found: &IssueList) -> Self {
        let fields = [
            "developer",
            "file",
            "exception",
            "state",
            "text",
            "include_known_errors",
            "include_modified_before_min_date",
            "page",
        ];
        let mut kept = filter.pairs();
        kept.retain(|(name, _)| !fields.contains(name));
        let shown = |text: &Option<String>| text.as_deref().map(plain).unwrap_or_default();
        let developers = found.all_developers.iter().take(DEVELOPERS);
        let mut developers: Vec<String> = developers.map(|owner| plain(owner.as_str())).collect();
        let developer = shown(&filter.developer);
        let is_there = developers.iter().any(|known| known.eq_ignore_ascii_case(&developer));
        if !developer.is_empty() && !is_there {
            developers.push(developer.clone());
        }
        let is_chosen = |state| filter.state == Some(state);
        let states =
            IssueState::ALL.iter().map(|(state, key, words)| (*key, *words, is_chosen(*state)));
        Self {
            kept,
            developer: developer.to_ascii_lowercase(),
            developers,
            file: shown(&filter.file),
            exception: shown(&filter.exception),
            exceptions: found.exceptions.iter().map(|name| one_line(name, 200)).collect(),
            states: states.collect(),
            text: shown(&filter.text),
            known: filter.known_errors,
            old: filter.old_code,
            is_open: filter.is_narrow() || filter.known_errors || filter.old_code,
        }
    }

    pub(crate) fn is_developer(&self, address: &str) -> bool {
        address.eq_ignore_ascii_case(&self.developer)
    }
}

impl ActiveFilter {
    pub(crate) fn all(filter: &IssueFilter) -> Vec<Self> {
        let mut active = Vec::new();
        let mut add = |name, value: Option<&str>, without: fn(&mut IssueFilter)| {
            if let Some(value) = value {
                let mut rest = IssueFilter { page: 1, ..filter.clone() };
                without(&mut rest);
                active.push(Self { name, value: one_line(value, 100), clear: link(&rest) });
            }
        };
        add("project", filter.project.as_deref(), |rest| rest.project = None);
        add("developer", filter.developer.as_deref(), |rest| rest.developer = None);
        add("file", filter.file.as_deref(), |rest| rest.file = None);
        add("exception", filter.exception.as_deref(), |rest| rest.exception = None);
        add("state", filter.state.map(IssueState::words), |rest| rest.state = None);
        add("text", filter.text.as_deref(), |rest| rest.text = None);
        let shown = |is_shown: bool| is_shown.then_some("shown");
        add("known errors", shown(filter.known_errors), |rest| rest.known_errors = false);
        add("old code", shown(filter.old_code), |rest| rest.old_code = false);
        active
    }
}

impl SortLinks {
    pub(crate) fn new(filter: &IssueFilter) -> Self {
        let to = |sort: IssueSort| {
            let is_this = filter.sort == sort;
            let reversed = is_this && !filter.reversed;
            let aria = match (is_this, sort.is_descending() != filter.reversed) {
                (false, _) => "",
                (true, true) => "descending",
                (true, false) => "ascending",
            };
            let filter = IssueFilter { sort, reversed, page: 1, ..filter.clone() };
            SortLink { url: link(&filter), aria }
        };
        Self {
            occurrences: to(IssueSort::Occurrences),
            path: to(IssueSort::Path),
            developer: to(IssueSort::Developer),
            first_seen: to(IssueSort::FirstSeen),
            last_seen: to(IssueSort::LastSeen),
            age: to(IssueSort::Age),
        }
    }
}
