//! Issues as the weekly report compares them: two weeks side by side, and the last report that was
//! sent.
use flawless_base::dates::ReportWeek;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use sqlx::FromRow;

use super::issue::{HOUR_MS, ISSUE_COLUMNS, const_format};
use crate::{IssueRow, Regression, Store, StoreError, WriteTx, db};

/// An issue with its counts of two weeks.
#[derive(Debug, Clone, FromRow)]
pub struct TwoWeeksIssue {
    /// The issue.
    #[sqlx(flatten)]
    pub issue: IssueRow,
    /// Occurrences within the week.
    pub week_occurrences: i64,
    /// Occurrences within the week before.
    pub before_occurrences: i64,
    /// The regression within the week; `None` when there was none.
    pub regression: Option<Regression>,
}

impl WriteTx {
    /// Notes that the weekly report of this day is in the outbox.
    ///
    /// # Errors
    /// The database cannot be written.
    pub async fn set_weekly_sent(&mut self, day: Date) -> Result<(), StoreError> {
        let query = db::query(
            "INSERT INTO setting (name, value) VALUES ('weekly_sent', $1) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        query.bind(midnight(day)).execute(&mut self.tx).await?;
        Ok(())
    }
}

const WEEKLY_SENT: &str = "SELECT value FROM setting WHERE name = 'weekly_sent'";

fn day_of(value: Option<i64>) -> Option<Date> {
    let at = value.and_then(|value| Timestamp::from_millisecond(value).ok());
    at.map(|at| at.to_zoned(TimeZone::UTC).date())
}

impl WriteTx {
    /// The day of the last weekly report, within this transaction, which has to belong to the first
    /// project: its lock makes servers take turns.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn weekly_sent(&mut self) -> Result<Option<Date>, StoreError> {
        Ok(day_of(db::query_scalar(WEEKLY_SENT).fetch_optional(&mut self.tx).await?))
    }
}

impl Store {
    /// The day of the last weekly report that was sent.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn weekly_sent(&self) -> Result<Option<Date>, StoreError> {
        Ok(day_of(db::query_scalar(WEEKLY_SENT).fetch_optional(&self.readers).await?))
    }

    /// The issues that occurred, were resolved or regressed in a week or in the one before, most
    /// occurrences first.
    ///
    /// # Errors
    /// The database cannot be read.
    pub async fn issues_of_two_weeks(
        &self,
        week: &ReportWeek,
    ) -> Result<Vec<TwoWeeksIssue>, StoreError> {
        let sql = const_format(&[
            "SELECT ",
            ISSUE_COLUMNS,
            ", COALESCE(counted.this_week, 0) AS week_occurrences, \
             COALESCE(counted.week_before, 0) AS before_occurrences, back.regression AS regression \
             FROM issue LEFT JOIN (SELECT issue_id, \
             CAST(SUM(CASE WHEN hour >= $3 THEN occurrences ELSE 0 END) AS BIGINT) AS this_week, \
             CAST(SUM(CASE WHEN hour < $3 THEN occurrences ELSE 0 END) AS BIGINT) AS week_before \
             FROM issue_hour WHERE project_id = $1 AND hour >= $2 AND hour < $4 \
             GROUP BY issue_id) AS counted \
             ON counted.issue_id = issue.id \
             LEFT JOIN alert AS back ON back.id = (SELECT MAX(alert.id) FROM alert \
             WHERE alert.issue_id = issue.id AND alert.regression IS NOT NULL \
             AND alert.decided_at >= $6 AND alert.decided_at < $7) \
             WHERE issue.project_id = $1 AND issue.merged_into IS NULL \
             AND (counted.issue_id IS NOT NULL OR back.id IS NOT NULL \
                  OR (issue.resolved_at >= $5 AND issue.resolved_at < $7)) \
             ORDER BY week_occurrences DESC, issue.id",
        ]);
        let hour = |at: i64| at.div_euclid(HOUR_MS);
        let query = db::query(sql).bind(self.project);
        let query = query.bind(hour(week.before)).bind(hour(week.from)).bind(hour(week.to));
        let query = query.bind(week.before).bind(week.from).bind(week.to);
        Ok(query.fetch_all(&self.readers).await?)
    }
}

/// A day in the format of stored times; days of different time zones remain comparable.
fn midnight(day: Date) -> i64 {
    day.to_zoned(TimeZone::UTC).map_or(0, |day| day.timestamp().as_millisecond())
}
