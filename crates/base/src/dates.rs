//! Dates and weeks as people see them.
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::plural::counted;

/// The seven days that a weekly report covers, and the seven before, for comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportWeek {
    /// The day on which the report is sent: the one after the seven.
    pub day: Date,
    /// Start of the seven days before.
    pub before: i64,
    /// Start of the seven days.
    pub from: i64,
    /// End of the seven days.
    pub to: i64,
}

/// Maximum number of bars in a chart.
const MOST_DAYS: usize = 62;
/// Hour of the day at which the weekly report is sent.
const REPORT_HOUR: i8 = 8;

impl ReportWeek {
    /// The latest week that is reported at `now`, when reports are sent on each `weekday` at eight.
    pub fn reported_at(now: i64, weekday: Weekday, timezone: &TimeZone) -> Option<Self> {
        let here = zoned(now, timezone);
        let back = i64::from(here.weekday().since(weekday));
        let mut day = here.date().checked_sub(back.days()).ok()?;
        if here < day.at(REPORT_HOUR, 0, 0, 0).to_zoned(timezone.clone()).ok()? {
            day = day.checked_sub(7.days()).ok()?;
        }
        Self::before(day, timezone)
    }

    /// The week that contains `at`, when reports are sent on each `weekday`.
    pub fn holding(at: i64, weekday: Weekday, timezone: &TimeZone) -> Option<Self> {
        let day = zoned(at, timezone).date();
        let since = i64::from(day.weekday().since(weekday));
        Self::before(day.checked_add((7 - since).days()).ok()?, timezone)
    }

    /// The seven days before a day.
    pub fn before(day: Date, timezone: &TimeZone) -> Option<Self> {
        let start = |back: i64| {
            let day = day.checked_sub(back.days()).ok()?.to_zoned(timezone.clone()).ok()?;
            Some(day.timestamp().as_millisecond())
        };
        Some(Self { day, before: start(14)?, from: start(7)?, to: start(0)? })
    }
}

/// The days from one time to another, both included, at most 400, as `YYYY-MM-DD`.
pub fn days_between(from: i64, to: i64, timezone: &TimeZone) -> Vec<String> {
    let (first, last) = (zoned(from, timezone).date(), zoned(to, timezone).date());
    let days = first.series(1.day()).take_while(|day| *day <= last).take(400);
    days.map(|day| day.to_string()).collect()
}

/// `YYYY-MM-DD HH:MM:SS`, as 0.4.5 wrote dates.
pub fn date_time(milliseconds: i64, timezone: &TimeZone) -> String {
    zoned(milliseconds, timezone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The zone's short name at a time, as `CET`.
pub fn zone_name(milliseconds: i64, timezone: &TimeZone) -> String {
    zoned(milliseconds, timezone).strftime("%Z").to_string()
}

/// The same with the abbreviation of the zone, for places without context: `2026-11-22 12:00:00
/// UTC`.
pub fn date_time_zone(milliseconds: i64, timezone: &TimeZone) -> String {
    format!("{} {}", date_time(milliseconds, timezone), zone_name(milliseconds, timezone))
}

/// RFC 3339 in UTC, for programs.
pub fn rfc3339(milliseconds: i64) -> String {
    zoned(milliseconds, &TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The day of the week with this name, as `Monday`.
pub fn weekday_named(name: &str) -> Option<Weekday> {
    let named = |day: &Weekday| format!("{day:?}").eq_ignore_ascii_case(name);
    Weekday::Sunday.cycle_forward().take(7).find(named)
}

/// Start and end of the week that contains a time, in milliseconds, when weeks start on
/// `first_day`.
pub fn week_of(milliseconds: i64, timezone: &TimeZone, first_day: Weekday) -> (i64, i64) {
    let day = zoned(milliseconds, timezone);
    let back = i64::from(day.weekday().since(first_day));
    // A time within the years that jiff supports cannot leave them by a week; `zoned` ensures that.
    let start = day.checked_sub(back.days()).and_then(|day| day.start_of_day());
    let end = start.as_ref().ok().and_then(|start| start.checked_add(7.days()).ok());
    let milliseconds = |zoned: &Zoned| zoned.timestamp().as_millisecond();
    match (start, end) {
        (Ok(start), Some(end)) => (milliseconds(&start), milliseconds(&end)),
        _ => (0, 0),
    }
}

/// The start of the day after the one that contains a time.
pub fn next_day(milliseconds: i64, timezone: &TimeZone) -> i64 {
    let next = zoned(milliseconds, timezone).tomorrow().and_then(|day| day.start_of_day());
    next.map_or(milliseconds, |day| day.timestamp().as_millisecond())
}

/// The starts of the days of a span, the first one at the span's own start; of a long span the
/// starts of as many parts as a chart has bars.
pub fn day_starts(from: i64, to: i64, timezone: &TimeZone) -> Vec<i64> {
    let mut starts = vec![from];
    let mut day = zoned(from, timezone);
    while starts.len() <= MOST_DAYS {
        let next = day.tomorrow().and_then(|day| day.start_of_day());
        match next {
            Ok(next) if next.timestamp().as_millisecond() < to => {
                starts.push(next.timestamp().as_millisecond());
                day = next;
            }
            _ => return starts,
        }
    }
    let part = (to - from) / (MOST_DAYS as i64);
    (0..MOST_DAYS as i64).map(|at| from + at * part).collect()
}

/// How long ago, in the largest unit that fits.
pub fn ago(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => counted(seconds / 86_400, "day", "days"),
    }
}

/// A span of time in words, in the largest unit that fits: `2 days`.
pub fn in_words(milliseconds: i64) -> String {
    let minutes = milliseconds.max(0) / 60_000;
    match minutes {
        0 => "less than a minute".to_owned(),
        1..60 => counted(minutes, "minute", "minutes"),
        60..1_440 => counted(minutes / 60, "hour", "hours"),
        _ => counted(minutes / 1_440, "day", "days"),
    }
}

fn zoned(milliseconds: i64, timezone: &TimeZone) -> Zoned {
    // Years 1 to 9001, far from the limits of jiff.
    let bounded = milliseconds.clamp(-62_000_000_000_000, 221_900_000_000_000);
    Timestamp::from_millisecond(bounded).unwrap_or_default().to_zoned(timezone.clone())
}

/// Milliseconds since 1970 UTC of the start of a day written `YYYY-MM-DD`, with or without leading
/// zeros, optionally followed by ` HH:MM:SS`.
pub fn parse_date(text: &str, timezone: &TimeZone) -> Option<i64> {
    let (day, time) = text.trim().split_once([' ', 'T']).unwrap_or((text.trim(), "0:0:0"));
    let numbers = |text: &str, mark| -> Option<[i16; 3]> {
        let parts: Result<Vec<i16>, _> = text.split(mark).map(str::parse).collect();
        parts.ok()?.try_into().ok()
    };
    let [year, month, day] = numbers(day, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let narrow = |number: i16| i8::try_from(number).ok();
    let date = jiff::civil::Date::new(year, narrow(month)?, narrow(day)?).ok()?;
    let time = jiff::civil::Time::new(narrow(hour)?, narrow(minute)?, narrow(second)?, 0).ok()?;
    let zoned = date.to_datetime(time).to_zoned(timezone.clone()).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_start_on_sunday_in_the_given_zone() {
        let berlin = TimeZone::get("Europe/Berlin").expect("known");
        let at = |text: &str| parse_date(text, &berlin).expect(text);
        let week = week_of(at("2026-10-25 12:00:00"), &berlin, Weekday::Sunday);
        assert_eq!(date_time(week.0, &berlin), "2026-10-25 00:00:00", "a Sunday is the first day");
        assert_eq!(
            week_of(at("2026-10-31 23:59:59"), &berlin, Weekday::Sunday),
            week,
            "a Saturday is the last"
        );
        assert_eq!(week.1 - week.0, (7 * 24 + 1) * 3_600_000, "the clocks go back that Sunday");
        let last = week_of(i64::MAX, &berlin, Weekday::Sunday);
        assert_eq!(last.1 - last.0, 7 * 86_400_000);
        let monday = week_of(at("2026-10-25 12:00:00"), &berlin, Weekday::Monday);
        assert_eq!(date_time(monday.0, &berlin), "2026-10-19 00:00:00");
        assert_eq!(weekday_named("monday"), Some(Weekday::Monday));
        assert_eq!(weekday_named("someday"), None);
    }

    #[test]
    fn times_are_written_for_people_and_for_programs() {
        assert_eq!(date_time(0, &TimeZone::UTC), "1970-01-01 00:00:00");
        let berlin = TimeZone::get("Europe/Berlin").expect("known");
        assert_eq!(date_time_zone(0, &berlin), "1970-01-01 01:00:00 CET");
        assert_eq!(rfc3339(1_000), "1970-01-01T00:00:01Z");
        assert_eq!([ago(500), ago(61_000), ago(90_000_000)], ["0 s", "1 min", "1 day"]);
    }

    #[test]
    fn day_appears_once_when_the_clocks_change() {
        let berlin = TimeZone::get("Europe/Berlin").expect("known");
        let at = |text: &str| parse_date(text, &berlin).expect(text);
        for (from, to, number) in [
            ("2026-10-24 23:30:00", "2026-10-26 00:30:00", 3),
            ("2026-03-28 23:30:00", "2026-03-30 00:30:00", 3),
            ("2026-03-28", "2026-03-28", 1),
            ("2020-01-01", "2026-01-01", 400),
            ("2026-01-02", "2026-01-01", 0),
        ] {
            assert_eq!(days_between(at(from), at(to), &berlin).len(), number, "{from}");
        }
    }

    #[test]
    fn weekly_report_is_due_from_eight_in_the_morning_of_its_day() {
        let berlin = TimeZone::get("Europe/Berlin").expect("known");
        let at = |text: &str| parse_date(text, &berlin).expect(text);
        let told = |text: &str, weekday| {
            let week = ReportWeek::reported_at(at(text), weekday, &berlin).expect("a week");
            assert_eq!(date_time(week.from, &berlin)[10..], *" 00:00:00");
            assert_eq!(date_time(week.to, &berlin)[..10], week.day.to_string());
            (week.day.to_string(), (week.to - week.from) / 3_600_000)
        };
        // The clocks go forward on Sunday, 2026-03-29, and back on Sunday, 2026-10-25.
        for (now, weekday, day, hours) in [
            ("2026-03-30 07:59:59", Weekday::Monday, "2026-03-23", 168),
            ("2026-03-30 08:00:00", Weekday::Monday, "2026-03-30", 167),
            ("2026-04-06 07:59:59", Weekday::Monday, "2026-03-30", 167),
            ("2026-03-29 08:00:00", Weekday::Sunday, "2026-03-29", 168),
            ("2026-10-25 07:59:59", Weekday::Sunday, "2026-10-18", 168),
            ("2026-10-25 08:00:00", Weekday::Sunday, "2026-10-25", 168),
            ("2026-11-01 08:00:00", Weekday::Sunday, "2026-11-01", 169),
            ("2027-01-02 12:00:00", Weekday::Friday, "2027-01-01", 168),
        ] {
            assert_eq!(told(now, weekday), (day.to_owned(), hours), "{now}");
        }
        let holding = |text: &str| {
            let week = ReportWeek::holding(at(text), Weekday::Monday, &berlin).expect("a week");
            date_time(week.from, &berlin)[..10].to_owned()
        };
        assert_eq!(holding("2026-11-23"), "2026-11-23");
        assert_eq!(holding("2026-11-29 23:59:59"), "2026-11-23");
        for far in [i64::MIN, 0, i64::MAX] {
            assert!(ReportWeek::reported_at(far, Weekday::Monday, &berlin).is_some());
        }
    }

    #[test]
    fn spans_are_written_in_the_largest_unit_that_fits() {
        let minutes = [0, 1, 59, 60, 1_439, 1_440, 4_000].map(|minutes| in_words(minutes * 60_000));
        let expected = [
            "less than a minute",
            "1 minute",
            "59 minutes",
            "1 hour",
            "23 hours",
            "1 day",
            "2 days",
        ];
        assert_eq!(minutes, expected);
        assert_eq!(in_words(-1), "less than a minute");
    }
}
