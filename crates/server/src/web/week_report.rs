//! `/` and `/get_weekly_error_report`: the week's issues, grouped by who answers for them.
use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use jiff::civil::Weekday;
use serde::Deserialize;

use super::layout::{PageError, page};
use super::visitor::Frame;
use crate::dates::{date_time, weekday_named};
use crate::links;
use crate::present::one_line;
use crate::state::Shared;
use crate::week::{WeekFilter, WeekLine, week_lines};

/// The parameters of 0.4.5; a switch counts as set whatever it is set to, but for the words that
/// say no.
#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    timestamp: Option<String>,
    include_known_errors: Option<String>,
    include_modified_before_min_date: Option<String>,
    /// On which day the week starts, as `Monday`: the weekly report's week starts on its own day.
    first_day: Option<String>,
}

/// As 0.4.5's weeks start.
const SUNDAY: Weekday = Weekday::Sunday;

#[derive(Template)]
#[template(path = "week_report.html")]
struct Page {
    frame: Frame,
    from: String,
    to: String,
    older: i64,
    newer: Option<i64>,
    known: bool,
    old: bool,
    timestamp: i64,
    /// `&first_day=DAY` for links, when it is not Sunday.
    first_day: String,
    developers: Vec<DeveloperPart>,
    missing: Vec<String>,
}

struct DeveloperPart {
    address: String,
    score: i64,
    issues: Vec<Line>,
}

struct Line {
    count: i64,
    last: String,
    place: String,
    function: String,
    text: String,
    exception: String,
    committed: String,
    mailed: bool,
    url: String,
    known: bool,
    muted: bool,
    mended: bool,
}

pub(super) async fn show(
    frame: Frame,
    State(shared): State<Shared>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, PageError> {
    let now = shared.clock.now();
    let filter = WeekFilter {
        at: parameters.timestamp.as_deref().and_then(milliseconds).unwrap_or(now),
        first_day: parameters.first_day.as_deref().and_then(weekday_named).unwrap_or(SUNDAY),
        known_errors: is_set(parameters.include_known_errors.as_deref()),
        before_minimum_date: is_set(parameters.include_modified_before_min_date.as_deref()),
    };
    let (from, to) = filter.span(&shared.config.timezone);
    let rules = shared.rules.get();
    let lines = week_lines(&shared.store, &shared.config, &rules.rules, filter).await?;
    let mut by_owner: BTreeMap<String, DeveloperPart> = BTreeMap::new();
    for line in lines {
        let part = by_owner.entry(line.owner.clone()).or_insert_with_key(|address| DeveloperPart {
            address: address.clone(),
            score: 0,
            issues: Vec::new(),
        });
        part.score += line.occurrences;
        part.issues.push(shown(&shared, line));
    }
    let mut developers: Vec<DeveloperPart> = by_owner.into_values().collect();
    developers.sort_by_key(|part| std::cmp::Reverse(part.score));
    let day = |at: i64| date_time(at, &shared.config.timezone)[..10].to_owned();
    Ok(page(&Page {
        frame,
        from: day(from),
        to: day(to - 1),
        older: (from - 1) / 1000,
        newer: (to <= now).then_some(to / 1000),
        known: filter.known_errors,
        old: filter.before_minimum_date,
        timestamp: filter.at / 1000,
        first_day: match filter.first_day {
            SUNDAY => String::new(),
            day => format!("&first_day={day:?}"),
        },
        developers,
        missing: shared.config.missing.clone(),
    }))
}

fn shown(shared: &Shared, line: WeekLine) -> Line {
    let date = |at: i64| date_time(at, &shared.config.timezone);
    let issue = &line.issue;
    Line {
        count: line.occurrences,
        last: date(line.last_at),
        place: format!("{}:{}", one_line(&issue.facts.path, 300), issue.facts.line),
        function: one_line(&issue.facts.function_name, 100),
        text: one_line(&issue.facts.text, 200),
        exception: one_line(&issue.facts.exception_type, 100),
        committed: issue.facts.authored_at.map(date).unwrap_or_default(),
        mailed: issue.mailed,
        url: links::issue("", issue.id),
        known: issue.facts.known_error_id.is_some(),
        muted: issue.muted_at(shared.clock.now()).is_some(),
        mended: issue.mended_at.is_some(),
    }
}

/// A time in seconds since 1970, as 0.4.5's links have it, with a fraction or not.
pub(super) fn milliseconds(text: &str) -> Option<i64> {
    let seconds: f64 = text.trim().parse().ok()?;
    // Casting saturates; years far away are no weeks of ours.
    seconds.is_finite().then_some((seconds * 1000.0) as i64).filter(|at| *at >= 0)
}

fn is_set(text: Option<&str>) -> bool {
    text.is_some_and(|text| {
        !matches!(text.to_ascii_lowercase().as_str(), "" | "0" | "false" | "no")
    })
}
