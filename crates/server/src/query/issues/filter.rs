//! Which issues are asked for, and the parameters that say so.
use flawless_base::dates::week_of;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use url::form_urlencoded::Serializer;

/// As 0.4.5's weeks start.
const SUNDAY: Weekday = Weekday::Sunday;
/// Issues on a page, unless the parameters say otherwise.
pub const PAGE_SIZE: usize = 50;

/// Which issues, in which order, and which page of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssueFilter {
    /// When they occurred.
    pub span: Span,
    /// Of this project only.
    pub project: Option<String>,
    /// Only those that this address answers for.
    pub developer: Option<String>,
    /// Only lines of this file or folder.
    pub file: Option<String>,
    /// Only exceptions of this type, by its whole path or its last name.
    pub exception: Option<String>,
    /// Only those that stand like this.
    pub state: Option<IssueState>,
    /// Only those with this text in their path, function, line, exception or commit.
    pub text: Option<String>,
    /// Known errors too.
    pub known_errors: bool,
    /// Lines older than `report_only_after_minimum_date` too.
    pub old_code: bool,
    /// What comes first.
    pub sort: IssueSort,
    /// The other way round.
    pub reversed: bool,
    /// From 1.
    pub page: usize,
    /// Issues on a page.
    pub page_size: usize,
    /// All in one list, instead of one for each developer.
    pub flat: bool,
    /// The chart has a bar for each day, instead of each hour.
    pub by_day: bool,
}

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// A week.
    Week {
        /// Any time of it; `None` for the week that runs.
        at: Option<i64>,
        /// The day on which weeks start.
        first_day: Weekday,
    },
    /// From one time to before another.
    Between(i64, i64),
}

/// How an issue stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueState {
    /// Neither resolved nor muted nor known.
    Open,
    /// Seen first within the span.
    New,
    /// Somebody was notified.
    Notified,
    /// Nobody was.
    NotNotified,
    /// A known error.
    Known,
    /// Muted at this time.
    Muted,
    /// Resolved.
    Resolved,
    /// Resolved before, and back.
    Regressed,
    /// Older than `report_only_after_minimum_date`.
    Old,
}

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IssueSort {
    /// Most occurrences.
    Occurrences,
    /// Seen last.
    LastSeen,
    /// Seen first most lately.
    FirstSeen,
    /// By who answers for it.
    Developer,
    /// By path and line.
    Path,
    /// The youngest line.
    Age,
}

impl IssueState {
    /// All, with their words in parameters and on pages.
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

    /// Its word in parameters.
    pub fn key(self) -> &'static str {
        Self::ALL.iter().find(|(state, ..)| *state == self).map_or("", |(_, key, _)| key)
    }

    /// Its words on pages.
    pub fn words(self) -> &'static str {
        Self::ALL.iter().find(|(state, ..)| *state == self).map_or("", |(.., words)| words)
    }
}

impl IssueSort {
    /// All, with their words in parameters.
    pub const ALL: [(Self, &'static str); 6] = [
        (Self::Occurrences, "occurrences"),
        (Self::LastSeen, "last_seen"),
        (Self::FirstSeen, "first_seen"),
        (Self::Developer, "developer"),
        (Self::Path, "path"),
        (Self::Age, "age"),
    ];

    /// Its word in parameters.
    pub fn key(self) -> &'static str {
        Self::ALL.iter().find(|(sort, _)| *sort == self).map_or("", |(_, key)| key)
    }

    /// Whether large comes before small, unless it is reversed.
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
    /// Start and end, for those who ask at `now`.
    pub fn bounds(self, now: i64, timezone: &TimeZone) -> (i64, i64) {
        match self {
            Self::Week { at, first_day } => week_of(at.unwrap_or(now), timezone, first_day),
            Self::Between(from, to) => (from, to),
        }
    }

    /// Start and end of the span before.
    pub fn bounds_before(self, now: i64, timezone: &TimeZone) -> (i64, i64) {
        let (from, to) = self.bounds(now, timezone);
        match self {
            Self::Week { first_day, .. } => week_of(from - 1, timezone, first_day),
            Self::Between(..) => (from.saturating_sub(to - from), from),
        }
    }
}

impl IssueFilter {
    /// The query that [`Self::read`] makes this of.
    pub fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in self.pairs() {
            query.append_pair(name, &value);
        }
        query.finish()
    }

    /// Its parameters, without those that are as they are anyway.
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

    /// The parameters that say when.
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

    /// Whether anything beside the span, the order and the page is asked for.
    pub fn is_narrow(&self) -> bool {
        let texts = [&self.project, &self.developer, &self.file, &self.exception, &self.text];
        self.state.is_some() || texts.iter().any(|text| text.is_some())
    }
}
