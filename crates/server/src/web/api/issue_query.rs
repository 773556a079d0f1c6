//! The parameters of the list of issues: those of the week's page, but with times in RFC 3339, and
//! with errors for everything that is not understood.
use serde::{Deserialize, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

use super::problem::{FieldProblem, Problem};
use super::time::Time;
use crate::app::App;
use crate::query::issues::{IssueFilter, LEFT_OUT};

/// Which issues, in which order, and which page. The default span is this week.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct IssueQuery {
    /// Any time in the week to list.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, serialize_with = "as_seconds")]
    timestamp: Option<Time>,
    /// The day on which weeks start.
    #[param(inline)]
    first_day: Option<FirstDay>,
    /// The start of a span other than a week.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, serialize_with = "as_seconds")]
    from: Option<Time>,
    /// The end of that span.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, serialize_with = "as_seconds")]
    to: Option<Time>,
    /// Only issues of this project.
    #[param(min_length = 1, max_length = 300)]
    project: Option<String>,
    /// Only issues that this address answers for.
    #[param(min_length = 1, max_length = 300)]
    developer: Option<String>,
    /// Only issues in this file or folder.
    #[param(min_length = 1, max_length = 300)]
    file: Option<String>,
    /// Only exceptions of this type, given by its full path or its last name.
    #[param(min_length = 1, max_length = 300)]
    exception: Option<String>,
    /// Only issues in this state.
    #[param(inline)]
    state: Option<State>,
    /// Only issues with this text in their path, function, line, exception or commit.
    #[param(min_length = 1, max_length = 300)]
    text: Option<String>,
    /// Include known errors.
    include_known_errors: Option<bool>,
    /// Include lines older than `report_only_after_minimum_date`.
    include_modified_before_min_date: Option<bool>,
    /// The sort key.
    #[param(inline)]
    sort: Option<Sort>,
    /// Reverses the order.
    #[param(inline)]
    order: Option<Order>,
    /// The page, from 1.
    #[param(minimum = 1, maximum = 100_000)]
    page: Option<u32>,
    /// The number of issues per page; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    per_page: Option<u32>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
enum FirstDay {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

// The names of `crate::query::issues::IssueState`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Open,
    New,
    Notified,
    NotNotified,
    Known,
    Muted,
    Resolved,
    Regressed,
    Old,
}

// The names of `crate::query::issues::IssueSort`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Sort {
    Occurrences,
    LastSeen,
    FirstSeen,
    Developer,
    Path,
    Age,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    Reversed,
}

/// Times as in the parameters of pages.
fn as_seconds<S: Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(Time(at)) => serializer.serialize_some(&format!("{}", *at as f64 / 1000.0)),
        None => serializer.serialize_none(),
    }
}

impl IssueQuery {
    /// The same filter as on the week's page.
    pub(super) fn filter(&self, app: &App) -> Result<IssueFilter, Problem> {
        let query = serde_urlencoded::to_string(self)
            .map_err(|error| Problem::malformed(vec![FieldProblem::new("", error.to_string())]))?;
        let now = app.clock.now();
        let (filter, problems) = IssueFilter::read(&query, now, &app.config.timezone);
        if problems.is_empty() {
            return Ok(filter);
        }
        let problems = problems.iter().map(|problem| {
            // Only pages leave out a wrong parameter; here it is an error.
            let problem = problem.trim_end_matches(LEFT_OUT);
            let (field, problem) = problem.split_once(": ").unwrap_or(("", problem));
            FieldProblem::new(field, problem)
        });
        Err(Problem::refused(problems.collect()))
    }
}
