//! The issues of a week with their owners: what the page and `flawless issues` show alike.
use flawless_core::Rules;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;

use crate::config::Config;
use crate::dates::week_of;
use crate::store::{IssueRow, Store, StoreError, WeekIssue};

/// Which week, and which issues of it.
#[derive(Debug, Clone, Copy)]
pub struct WeekFilter {
    /// Any time within the week.
    pub at: i64,
    /// The day on which weeks start.
    pub first_day: Weekday,
    /// Known errors too.
    pub known_errors: bool,
    /// Lines older than `report_only_after_minimum_date` too.
    pub before_minimum_date: bool,
}

/// An issue of the week.
#[derive(Debug)]
pub struct WeekLine {
    /// The issue.
    pub issue: IssueRow,
    /// Who answers for it; `unknown` when nobody does.
    pub owner: String,
    /// Occurrences within the week.
    pub occurrences: i64,
    /// The last one within the week.
    pub last_at: i64,
}

impl WeekFilter {
    /// Start and end of the week.
    pub fn span(&self, timezone: &TimeZone) -> (i64, i64) {
        week_of(self.at, timezone, self.first_day)
    }
}

/// The issues of a week, most occurrences first.
///
/// # Errors
/// The database refuses.
pub async fn week_lines(
    store: &Store,
    config: &Config,
    rules: &Rules,
    filter: WeekFilter,
) -> Result<Vec<WeekLine>, StoreError> {
    let (from, to) = filter.span(&config.timezone);
    let wanted = |found: &WeekIssue| {
        let old = found.issue.facts.authored_at.is_some_and(|date| date < config.minimum_date);
        (filter.known_errors || found.issue.facts.known_error_id.is_none())
            && (filter.before_minimum_date || !old)
    };
    let refused = store.refused_addresses(filter.at).await?;
    let found = store.issues_between(from, to).await?.into_iter().filter(wanted);
    let line = |found: WeekIssue| {
        let WeekIssue { issue, week_occurrences, week_last_at } = found;
        let owner = issue.owner(&issue.details(), rules, &config.addresses, &refused);
        let owner = owner.address.unwrap_or_else(|| "unknown".to_owned());
        WeekLine { issue, owner, occurrences: week_occurrences, last_at: week_last_at }
    };
    Ok(found.map(line).collect())
}
