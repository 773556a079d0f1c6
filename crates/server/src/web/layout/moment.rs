//! A time as pages show it: in the configured time zone; the script changes it to the reader's.
use flawless_base::clock::Clock;
use flawless_base::dates::{ago, date_time, rfc3339, zone_name};
use jiff::tz::TimeZone;

use crate::app::App;

/// For the macros `ui::time` and `ui::ago`.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// RFC 3339, for the script.
    pub(crate) iso: String,
    /// To the minute.
    pub(crate) text: String,
    /// To the second, with the zone.
    pub(crate) exact: String,
    /// Relative to now, as in "2 h ago".
    pub(crate) ago: String,
}

impl Moment {
    pub(crate) fn new(at: i64, app: &App) -> Self {
        Self::of(at, &app.clock, &app.config.timezone)
    }

    fn of(at: i64, clock: &Clock, timezone: &TimeZone) -> Self {
        let text = date_time(at, timezone);
        let exact = format!("{text} {}", zone_name(at, timezone));
        let distance = clock.now() - at;
        let ago = match distance {
            ..0 => format!("in {}", ago(-distance)),
            _ => format!("{} ago", ago(distance)),
        };
        Self { iso: rfc3339(at), text: text[..text.len() - 3].to_owned(), exact, ago }
    }
}
