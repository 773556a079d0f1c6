//! Reads the query parameters of a list; invalid ones are reported and ignored.
use flawless_base::dates::{next_day, parse_date, weekday_named};
use flawless_base::text::one_line;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use url::form_urlencoded::parse;

use super::HOUR_MS;
use super::filter::{IssueFilter, IssueSort, IssueState, PAGE_SIZE, Span};

/// The longest span: two years.
const LONGEST_MS: i64 = 731 * 86_400_000;
/// The longest search text, in characters.
const LONGEST_TEXT: usize = 300;
const MOST_ON_A_PAGE: usize = 200;
const LAST_PAGE: usize = 100_000;
/// The end of each message about a parameter.
pub const LEFT_OUT: &str = " It is ignored.";

impl IssueFilter {
    /// Reads a query string. Invalid and unknown parameters are ignored; the second value has a
    /// message about each.
    pub fn read(query: &str, now: i64, timezone: &TimeZone) -> (Self, Vec<String>) {
        let mut reading = Reading { filter: Self::default(), problems: Vec::new(), now, timezone };
        let (mut from, mut to) = (None, None);
        for (name, value) in parse(query.as_bytes()) {
            let value = value.trim();
            match &*name {
                // An empty form field, or a switch that 0.4.5 left empty.
                _ if value.is_empty() => {}
                "from" => from = reading.time("from", value),
                "to" => to = reading.end("to", value),
                // The number of an action, which the next page confirms.
                "done" => {}
                name => reading.take(name, value),
            }
        }
        if from.is_some() || to.is_some() {
            let to = to.unwrap_or(now + 1);
            reading.between(from.unwrap_or_else(|| to.saturating_sub(7 * 86_400_000)), to);
        }
        (reading.filter, reading.problems)
    }
}

struct Reading<'a> {
    filter: IssueFilter,
    problems: Vec<String>,
    now: i64,
    timezone: &'a TimeZone,
}

impl Reading<'_> {
    fn take(&mut self, name: &str, value: &str) {
        match name {
            "timestamp" => {
                let at = milliseconds(value);
                self.check(at.is_some(), name, value, "seconds since 1970");
                self.set_week(at, None);
            }
            "first_day" => {
                let day = weekday_named(value);
                self.check(day.is_some(), name, value, "a day such as Monday");
                self.set_week(None, day);
            }
            "project" => self.filter.project = self.text(name, value),
            "developer" => self.filter.developer = self.text(name, value),
            "file" => self.filter.file = self.text(name, value),
            "exception" => self.filter.exception = self.text(name, value),
            "text" => self.filter.text = self.text(name, value),
            "include_known_errors" => self.filter.known_errors = self.switch(name, value),
            "include_modified_before_min_date" => self.filter.old_code = self.switch(name, value),
            "state" => {
                let words: Vec<&str> = IssueState::ALL.iter().map(|(_, key, _)| *key).collect();
                let at = self.word(name, value, &words);
                self.filter.state = at.map(|at| IssueState::ALL[at].0);
            }
            "sort" => {
                let words: Vec<&str> = IssueSort::ALL.iter().map(|(_, key)| *key).collect();
                let at = self.word(name, value, &words).unwrap_or(0);
                self.filter.sort = IssueSort::ALL[at].0;
            }
            "order" => self.filter.reversed = self.word(name, value, &["reversed"]).is_some(),
            "view" => self.filter.flat = self.word(name, value, &["week", "list"]) == Some(1),
            "chart" => self.filter.by_day = self.word(name, value, &["hour", "day"]) == Some(1),
            "page" => self.filter.page = self.number(name, value, LAST_PAGE, 1),
            "per_page" => {
                self.filter.page_size = self.number(name, value, MOST_ON_A_PAGE, PAGE_SIZE);
            }
            name => {
                let name = one_line(name, 60);
                self.problem(format!("{name}: it is not a parameter of this page."));
            }
        }
    }

    fn check(&mut self, is_right: bool, name: &str, value: &str, wanted: &str) {
        if !is_right {
            let value = one_line(value, 60);
            self.problem(format!("{name}: “{value}” is not {wanted}."));
        }
    }

    fn problem(&mut self, text: String) {
        // A few messages are enough.
        if self.problems.len() < 10 {
            self.problems.push(format!("{text}{LEFT_OUT}"));
        }
    }

    fn switch(&mut self, name: &str, value: &str) -> bool {
        let is_on = match &*value.to_ascii_lowercase() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        };
        self.check(is_on.is_some(), name, value, "True or False");
        is_on.unwrap_or(false)
    }

    fn set_week(&mut self, new_at: Option<i64>, day: Option<Weekday>) {
        if let Span::Week { at, first_day } = &mut self.filter.span {
            *at = new_at.or(*at);
            *first_day = day.unwrap_or(*first_day);
        }
    }

    fn text(&mut self, name: &str, value: &str) -> Option<String> {
        let is_short = value.chars().count() <= LONGEST_TEXT;
        self.check(is_short, name, value, &format!("a text of at most {LONGEST_TEXT} characters"));
        is_short.then(|| value.to_owned())
    }

    fn word(&mut self, name: &str, value: &str, words: &[&str]) -> Option<usize> {
        let at = words.iter().position(|word| word.eq_ignore_ascii_case(value));
        self.check(at.is_some(), name, value, &format!("one of {}", words.join(", ")));
        at
    }

    fn number(&mut self, name: &str, value: &str, most: usize, default: usize) -> usize {
        let number = value.parse().ok().filter(|number| (1..=most).contains(number));
        self.check(number.is_some(), name, value, &format!("a number from 1 to {most}"));
        number.unwrap_or(default)
    }

    fn time(&mut self, name: &str, value: &str) -> Option<i64> {
        let at = milliseconds(value).or_else(|| parse_date(value, self.timezone));
        self.check(at.is_some(), name, value, "a date such as 2026-11-22 or seconds since 1970");
        at
    }

    /// The end of a span, which includes a day that is given without a time.
    fn end(&mut self, name: &str, value: &str) -> Option<i64> {
        let at = self.time(name, value)?;
        let is_day = milliseconds(value).is_none() && !value.contains([' ', 'T']);
        Some(if is_day { next_day(at, self.timezone) } else { at })
    }

    fn between(&mut self, from: i64, to: i64) {
        let is_right = from < to && to - from <= LONGEST_MS;
        let value = format!("{} to {}", from / 1000, to / 1000);
        self.check(
            is_right,
            "from",
            &value,
            "a span of at most two years that begins before it ends",
        );
        if is_right {
            // Occurrences are counted by the hour, so the span is widened to whole hours.
            let from = from.div_euclid(HOUR_MS) * HOUR_MS;
            let to = to.min(self.now + LONGEST_MS);
            let to = to.saturating_add(HOUR_MS - 1).div_euclid(HOUR_MS) * HOUR_MS;
            self.filter.span = Span::Between(from, to);
        }
    }
}

/// A time in seconds since 1970, with or without a fraction, as in links of 0.4.5.
pub fn milliseconds(text: &str) -> Option<i64> {
    let seconds: f64 = text.parse().ok()?;
    // Up to the year 9000; nobody needs later weeks.
    let fits = (0.0..=221_845_392_000.0).contains(&seconds);
    fits.then_some((seconds * 1000.0) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> (IssueFilter, Vec<String>) {
        IssueFilter::read(query, 1_795_348_800_000, &TimeZone::UTC)
    }

    #[test]
    fn filter_is_written_as_it_was_read() {
        for query in [
            "",
            "timestamp=1795000000&first_day=Monday",
            "from=1794999600&to=1795100400&state=not_notified&sort=path&order=reversed&page=2",
            "developer=a%40b.c&file=shop%2Fa.py&exception=KeyError&text=%26+%3C&\
             include_known_errors=True&include_modified_before_min_date=True&view=list&chart=day",
        ] {
            let (filter, problems) = read(query);
            assert_eq!((filter.query(), problems), (query.to_owned(), Vec::new()));
            assert_eq!(read(&filter.query()).0, filter);
        }
        assert_eq!(
            read("from=2026-11-01&to=2026-11-03").0.query(),
            "from=1793491200&to=1793750400",
            "the last day belongs to it"
        );
        assert_eq!(
            read("from=1795000000&to=1795100000").0.query(),
            "from=1794999600&to=1795100400",
            "whole hours, as occurrences are counted"
        );
        assert_eq!(
            read("from=2026-11-01&to=2026-11-03+12:00:00").0.query(),
            "from=1793491200&to=1793707200"
        );
        assert!(!read("include_known_errors=no&text=&done=7").0.is_narrow());
        for on in ["True", "true", "yes", "ON", "1"] {
            assert!(read(&format!("include_known_errors={on}")).0.known_errors, "{on}");
        }
    }

    #[test]
    fn wrong_parameters_are_named_and_left_out() {
        for query in [
            "timestamp=x",
            "timestamp=-1",
            "timestamp=nan",
            "timestamp=1e300",
            "first_day=someday",
            "state=good",
            "sort=%00",
            "order=up",
            "view=x",
            "chart=x",
            "page=0",
            "page=99999999999999999999",
            "per_page=201",
            "from=yesterday",
            "from=2&to=1",
            "from=0&to=221845392000",
            "include_known_errors=maybe",
            "include_modified_before_min_date=2",
            "developper=ann",
        ] {
            let (filter, problems) = read(query);
            assert_eq!(filter, IssueFilter::default(), "{query}");
            let name = query.split('=').next().unwrap_or_default();
            assert!(problems[0].starts_with(&format!("{name}: ")), "{query}: {problems:?}");
        }
        let berlin = TimeZone::get("Europe/Berlin").expect("known");
        let (filter, _) = IssueFilter::read("from=2026-10-25&to=2026-10-25", i64::MAX / 2, &berlin);
        assert_eq!(filter.query(), "from=1792879200&to=1792969200", "25 hours: the clocks go back");
        let long = format!("text={}", "x".repeat(301));
        assert_eq!(read(&long).1.len(), 1);
        assert_eq!(read(&"page=x&".repeat(100)).1.len(), 10);
    }
}
