//! Filters of issue lists, and their query parameters.
use flawless_base::dates::week_of;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use url::form_urlencoded::Serializer;

/// The first day of the week in 0.4.5.
const SUNDAY: Weekday = Weekday::Sunday;
/// Issues on a page, unless the parameters say otherwise.
pub const PAGE_SIZE: usize = 50;

/// Which issues are listed, in which order, and which page of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueFilter {
    /// When they occurred.
    pub span: Span,
    /// Only issues of this project.
    pub project: Option<String>,
    /// Only issues that this address answers for.
    pub developer: Option<String>,
    /// Only lines of this file or folder.
    pub file: Option<String>,
    /// Only exceptions of this type, by its full path or its last part.
    pub exception: Option<String>,
    /// Only issues in this state.
    pub state: Option<IssueState>,
    /// Only issues with this text in their path, function, line, exception or commit.
    pub text: Option<String>,
    /// Include known errors.
    pub known_errors: bool,
    /// Include lines older than `report_only_after_minimum_date`.
    pub old_code: bool,
    /// The sort order.
    pub sort: IssueSort,
    /// Reverse the order.
    pub reversed: bool,
    /// Number of the page, from 1.
    pub page: usize,
    /// Issues on a page.
    pub page_size: usize,
    /// One list, instead of one for each developer.
    pub flat: bool,
    /// The chart shows days instead of hours.
    pub by_day: bool,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// A week.
    Week {
        /// Any time in the week; `None` for the current one.
        at: Option<i64>,
        /// The first day of the week.
        first_day: Weekday,
    },
    /// From one time (inclusive) to another (exclusive).
    Between(i64, i64),
}

/// The state of an issue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueState {
    /// Neither resolved nor muted nor known.
    Open,
    /// First seen within the span.
    New,
    /// Somebody was notified of it.
    Notified,
    /// Nobody was notified of it.
    NotNotified,
    /// A known error.
    Known,
    /// Currently muted.
    Muted,
    /// Resolved.
    Resolved,
    /// Failed again after it was resolved.
    Regressed,
    /// Older than `report_only_after_minimum_date`.
    Old,
}

/// Sort orders; each names what comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueSort {
    /// The most occurrences.
    Occurrences,
    /// The most recently seen.
    LastSeen,
    /// The most recently first seen.
    FirstSeen,
    /// By owner.
    Developer,
    /// By path and line.
    Path,
    /// The most recently changed line.
    Age,
}

impl IssueState {
    /// All states, with their names in parameters and on pages.
    pub const ALL: [(Self, &'static str, &'static str); 9] = [
        (Self::Open, "open", "open"),
        (Self::New, "new", "new"),
        (Self::Notified, "notified", "notified"),
        (Self::NotNotified, "not_notified", "not notified"),
        (Self::Known, "known", "known error"),
        (Self::Muted, "muted", "muted"),
        (Self::Resolved, "resolved", "resolved"),
        (Self::Regressed, "regressed", "regressed"),
        (Self::Old, "old", "old code"),
    ];

    /// The name in parameters.
    pub fn key(self) -> &'static str {
        Self::ALL.iter().find(|(state, ..)| *state == self).map_or("", |(_, key, _)| key)
    }

    /// The name on pages.
    pub fn words(self) -> &'static str {
        Self::ALL.iter().find(|(state, ..)| *state == self).map_or("", |(.., words)| words)
    }
}

impl IssueSort {
    /// All sort orders, with their names in parameters.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Occurrences, "occurrences"),
        (Self::LastSeen, "last_seen"),
        (Self::FirstSeen, "first_seen"),
        (Self::Developer, "developer"),
        (Self::Path, "path"),
        (Self::Age, "age"),
    ];

    /// The name in parameters.
    pub fn key(self) -> &'static str {
        Self::ALL.iter().find(|(sort, _)| *sort == self).map_or("", |(_, key)| key)
    }

    /// Whether the order is descending, unless it is reversed.
    pub fn is_descending(self) -> bool {
        !matches!(self, Self::Developer | Self::Path)
    }
}

impl Default for IssueFilter {
    fn default() -> Self {
        Self {
            span: Span::Week { at: None, first_day: SUNDAY },
            project: None,
            developer: None,
            file: None,
            exception: None,
            state: None,
            text: None,
            known_errors: false,
            old_code: false,
            sort: IssueSort::Occurrences,
            reversed: false,
            page: 1,
            page_size: PAGE_SIZE,
            flat: false,
            by_day: false,
        }
    }
}

impl Span {
    /// Start and end of the span, at `now`.
    pub fn bounds(self, now: i64, timezone: &TimeZone) -> (i64, i64) {
        match self {
            Self::Week { at, first_day } => week_of(at.unwrap_or(now), timezone, first_day),
            Self::Between(from, to) => (from, to),
        }
    }

    /// Start and end of the preceding span of the same length.
    pub fn bounds_before(self, now: i64, timezone: &TimeZone) -> (i64, i64) {
        let (from, to) = self.bounds(now, timezone);
        match self {
            Self::Week { first_day, .. } => week_of(from - 1, timezone, first_day),
            Self::Between(..) => (from.saturating_sub(to - from), from),
        }
    }
}

impl IssueFilter {
    /// The query string that [`Self::read`] turns into this filter.
    pub fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in self.pairs() {
            query.append_pair(name, &value);
        }
        query.finish()
    }

    /// The parameters that differ from the default.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = self.span_pairs();
        let texts = [
            ("project", &self.project),
            ("developer", &self.developer),
            ("file", &self.file),
            ("exception", &self.exception),
            ("text", &self.text),
        ];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?)));
        pairs.extend(texts);
        let mut add = |is_said: bool, name, value: &str| {
            if is_said {
                pairs.push((name, value.to_owned()));
            }
        };
        add(self.state.is_some(), "state", self.state.map_or("", IssueState::key));
        add(self.known_errors, "include_known_errors", "True");
        add(self.old_code, "include_modified_before_min_date", "True");
        add(self.sort != IssueSort::Occurrences, "sort", self.sort.key());
        add(self.reversed, "order", "reversed");
        add(self.flat, "view", "list");
        add(self.by_day, "chart", "day");
        add(self.page > 1, "page", &self.page.to_string());
        add(self.page_size != PAGE_SIZE, "per_page", &self.page_size.to_string());
        pairs
    }

    /// The parameters of the span.
    pub fn span_pairs(&self) -> Vec<(&'static str, String)> {
        let seconds = |at: i64| (at / 1000).to_string();
        match self.span {
            Span::Week { at, first_day } => {
                let at = at.map(|at| ("timestamp", seconds(at)));
                let day = (first_day != SUNDAY).then(|| ("first_day", format!("{first_day:?}")));
                at.into_iter().chain(day).collect()
            }
            Span::Between(from, to) => vec![("from", seconds(from)), ("to", seconds(to))],
        }
    }

    /// Whether the list is narrowed down by more than the span.
    pub fn is_narrow(&self) -> bool {
        let texts = [&self.project, &self.developer, &self.file, &self.exception, &self.text];
        self.state.is_some() || texts.iter().any(|text| text.is_some())
    }
}
