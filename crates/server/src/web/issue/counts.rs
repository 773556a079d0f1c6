//! How often an issue occurred: over time, and by exception type, host, environment and revision.
use std::collections::HashMap;

use flawless_base::dates::{date_time, days_between, week_of};
use flawless_base::plural::counted;
use flawless_base::text::one_line;
use flawless_store::{FacetRow, IssueRow, StoreError};
use jiff::civil::Weekday;

use crate::app::App;
use crate::web::layout::chart::Chart;
use crate::web::layout::moment::Moment;

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// The values beyond these are collapsed.
const SHOWN: usize = 8;
/// The chart by day spans at least this many days.
const LEAST_DAYS: i64 = 14;

/// Occurrences over time and by facet.
pub(crate) struct Counts {
    pub(crate) week: i64,
    pub(crate) day: i64,
    pub(crate) by_hour: Chart,
    pub(crate) by_day: Chart,
    pub(crate) breakdowns: Vec<Breakdown>,
    /// Occurrences from before facets were counted, or of values that were deleted.
    pub(crate) uncounted: i64,
}

/// The counts of one kind of facet.
pub(crate) struct Breakdown {
    pub(crate) title: &'static str,
    pub(crate) shown: Vec<ValuePart>,
    pub(crate) folded: Vec<ValuePart>,
}

pub(crate) struct ValuePart {
    pub(crate) value: String,
    /// The text is ours, such as "others", and not a reported value.
    pub(crate) is_words: bool,
    pub(crate) occurrences: i64,
    pub(crate) first: Moment,
    pub(crate) last: Moment,
}

impl Counts {
    pub(crate) async fn of(app: &App, issue: &IssueRow) -> Result<Self, StoreError> {
        let (now, timezone) = (app.clock.now(), &app.config.timezone);
        let retention = i64::try_from(app.config.retention.as_millis()).unwrap_or(i64::MAX);
        let kept = now.saturating_sub(retention.clamp(LEAST_DAYS * DAY_MS, 399 * DAY_MS));
        let hours = app.store.hours_of(issue.id, kept).await?;
        let since = |start: i64| -> i64 {
            let later = hours.iter().filter(|(hour, _)| *hour >= start);
            later.map(|(_, count)| count).fold(0, |sum, count| sum.saturating_add(*count))
        };
        let this_hour = now - now.rem_euclid(HOUR_MS);
        let (week_start, _) = week_of(now, timezone, Weekday::Sunday);
        let in_hour: HashMap<i64, i64> = hours.iter().copied().collect();
        let by_hour: Vec<(String, i64)> = (0..48)
            .rev()
            .map(|back| this_hour - back * HOUR_MS)
            .map(|hour| {
                let count = in_hour.get(&hour).copied().unwrap_or_default();
                (date_time(hour, timezone)[..16].to_owned(), count)
            })
            .collect();
        let mut in_day: HashMap<String, i64> = HashMap::new();
        for (hour, count) in &hours {
            let day = date_time(*hour, timezone)[..10].to_owned();
            let sum = in_day.entry(day).or_default();
            *sum = sum.saturating_add(*count);
        }
        let from = issue.first_seen_at.min(now - LEAST_DAYS * DAY_MS).max(kept);
        let days = days_between(from, now, timezone).into_iter();
        let by_day: Vec<(String, i64)> = days
            .map(|day| {
                let count = in_day.get(&day).copied().unwrap_or_default();
                (day, count)
            })
            .collect();
        let sum = |counts: &[(String, i64)]| {
            counts.iter().fold(0_i64, |sum, (_, count)| sum.saturating_add(*count))
        };
        let occurrences = |counts| counted(sum(counts), "occurrence", "occurrences");
        let hour_title = format!("{} in the last 48 hours, by hour", occurrences(&by_hour));
        let days = counted(by_day.len(), "day", "days");
        let day_title = format!("{} in the last {days}, by day", occurrences(&by_day));
        let facets = app.store.facets_of(issue.id).await?;
        let in_facets = facets.iter().filter(|facet| facet.kind == "exception");
        let in_facets = in_facets.fold(0_i64, |sum, facet| sum.saturating_add(facet.occurrences));
        Ok(Self {
            week: since(week_start),
            day: since(this_hour - 23 * HOUR_MS),
            by_hour: Chart::new(&hour_title, &by_hour),
            by_day: Chart::new(&day_title, &by_day),
            breakdowns: breakdowns(app, &facets),
            uncounted: issue.occurrences.saturating_sub(in_facets).max(0),
        })
    }
}

/// One breakdown for each kind that any report gave a value of.
fn breakdowns(app: &App, facets: &[FacetRow]) -> Vec<Breakdown> {
    let kinds = [
        ("exception", "Exception type"),
        ("host", "Host"),
        ("environment", "Environment"),
        ("revision", "Revision"),
    ];
    let of_kind = |(kind, title)| {
        let rows: Vec<&FacetRow> = facets.iter().filter(|facet| facet.kind == kind).collect();
        let is_said = rows.iter().any(|row| row.is_others || !row.value.is_empty());
        let mut shown: Vec<ValuePart> = rows.into_iter().map(|row| part(app, row)).collect();
        let folded = shown.split_off(shown.len().min(SHOWN));
        is_said.then_some(Breakdown { title, shown, folded })
    };
    kinds.into_iter().filter_map(of_kind).collect()
}

fn part(app: &App, row: &FacetRow) -> ValuePart {
    let is_words = row.is_others || row.value.is_empty();
    let value = match (row.is_others, row.value.as_str()) {
        (true, _) => "others".to_owned(),
        (false, "") => "not given".to_owned(),
        (false, value) => one_line(value, 200),
    };
    ValuePart {
        value,
        is_words,
        occurrences: row.occurrences,
        first: Moment::new(row.first_at, app),
        last: Moment::new(row.last_at, app),
    }
}
