//! Dates and weeks as people see them.
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

/// `YYYY-MM-DD HH:MM:SS`, as 0.4.5 wrote dates.
pub fn date_time(milliseconds: i64, timezone: &TimeZone) -> String {
    zoned(milliseconds, timezone).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// RFC 3339 in UTC, for programs.
pub fn rfc3339(milliseconds: i64) -> String {
    zoned(milliseconds, &TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Start and end of the week that holds a time, in milliseconds. Weeks start on Sunday.
pub fn week_of(milliseconds: i64, timezone: &TimeZone) -> (i64, i64) {
    let day = zoned(milliseconds, timezone);
    let back = i64::from(day.weekday().to_sunday_zero_offset());
    // A time within the years jiff knows cannot leave them by a week, `zoned` sees to that.
    let start = day.checked_sub(back.days()).and_then(|day| day.start_of_day());
    let end = start.as_ref().ok().and_then(|start| start.checked_add(7.days()).ok());
    let milliseconds = |zoned: &Zoned| zoned.timestamp().as_millisecond();
    match (start, end) {
        (Ok(start), Some(end)) => (milliseconds(&start), milliseconds(&end)),
        _ => (0, 0),
    }
}

/// How long ago, in the largest unit that fits.
pub fn ago(milliseconds: i64) -> String {
    let seconds = milliseconds.max(0) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

fn zoned(milliseconds: i64, timezone: &TimeZone) -> Zoned {
    // Years 1 to 9001, far from the ends of what jiff can hold.
    let bounded = milliseconds.clamp(-62_000_000_000_000, 221_900_000_000_000);
    Timestamp::from_millisecond(bounded).unwrap_or_default().to_zoned(timezone.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_start_on_sunday_in_the_given_zone() {
        let berlin = TimeZone::get("Europe/Berlin").expect("known");
        let at = |text: &str| crate::config::parse_date(text, &berlin).expect(text);
        let week = week_of(at("2026-10-25 12:00:00"), &berlin);
        assert_eq!(date_time(week.0, &berlin), "2026-10-25 00:00:00", "a Sunday is the first day");
        assert_eq!(week_of(at("2026-10-31 23:59:59"), &berlin), week, "a Saturday is the last");
        assert_eq!(week.1 - week.0, (7 * 24 + 1) * 3_600_000, "the clocks go back that Sunday");
        assert_eq!(week_of(i64::MAX, &berlin).1 - week_of(i64::MAX, &berlin).0, 7 * 86_400_000);
    }

    #[test]
    fn times_are_written_for_people_and_for_programs() {
        assert_eq!(date_time(0, &TimeZone::UTC), "1970-01-01 00:00:00");
        assert_eq!(rfc3339(1_000), "1970-01-01T00:00:01Z");
        assert_eq!([ago(500), ago(61_000), ago(90_000_000)], ["0 s", "1 min", "1 days"]);
    }
}
