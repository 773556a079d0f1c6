//! The parameters of the list of issues: those of the week's page, with times as the API has them
//! and nothing that is not understood.
use serde::{Deserialize, Serialize, Serializer};
use utoipa::{IntoParams, ToSchema};

use super::problem::{FieldProblem, Problem};
use super::time::Time;
use crate::app::App;
use crate::query::issues::{IssueFilter, LEFT_OUT};

/// Which issues, in which order, and which page of them. Without a span it is this week.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct IssueQuery {
    /// Any time of the week that is meant.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, serialize_with = "as_seconds")]
    timestamp: Option<Time>,
    /// The day on which weeks start.
    #[param(inline)]
    first_day: Option<FirstDay>,
    /// Another span than a week: its start.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, serialize_with = "as_seconds")]
    from: Option<Time>,
    /// Its end.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, serialize_with = "as_seconds")]
    to: Option<Time>,
    /// Of this project only.
    #[param(min_length = 1, max_length = 300)]
    project: Option<String>,
    /// Only those that this address answers for.
    #[param(min_length = 1, max_length = 300)]
    developer: Option<String>,
    /// Only lines of this file or folder.
    #[param(min_length = 1, max_length = 300)]
    file: Option<String>,
    /// Only exceptions of this type, by its whole path or its last name.
    #[param(min_length = 1, max_length = 300)]
    exception: Option<String>,
    /// Only those that stand like this.
    #[param(inline)]
    state: Option<State>,
    /// Only those with this text in their path, function, line, exception or commit.
    #[param(min_length = 1, max_length = 300)]
    text: Option<String>,
    /// Known errors too.
    include_known_errors: Option<bool>,
    /// Lines older than `report_only_after_minimum_date` too.
    include_modified_before_min_date: Option<bool>,
    /// What comes first.
    #[param(inline)]
    sort: Option<Sort>,
    /// The other way round.
    #[param(inline)]
    order: Option<Order>,
    /// From 1.
    #[param(minimum = 1, maximum = 100_000)]
    page: Option<u32>,
    /// At most 200; 50 when it is not said.
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

/// The words of [`crate::query::issues::IssueState`].
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

/// The words of [`crate::query::issues::IssueSort`].
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

/// As the pages' parameters have times.
fn as_seconds<S: Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(Time(at)) => serializer.serialize_some(&format!("{}", *at as f64 / 1000.0)),
        None => serializer.serialize_none(),
    }
}

impl IssueQuery {
    /// The filter of the week's page that it is.
    pub(super) fn filter(&self, app: &App) -> Result<IssueFilter, Problem> {
        let query = serde_urlencoded::to_string(self)
            .map_err(|error| Problem::malformed(vec![FieldProblem::new("", error.to_string())]))?;
        let now = app.clock.now();
        let (filter, problems) = IssueFilter::read(&query, now, &app.config.timezone);
        if problems.is_empty() {
            return Ok(filter);
        }
        let problems = problems.iter().map(|problem| {
            // On a page, what is wrong is left out.
            let problem = problem.trim_end_matches(LEFT_OUT);
            let (field, problem) = problem.split_once(": ").unwrap_or(("", problem));
            FieldProblem::new(field, problem)
        });
        Err(Problem::refused(problems.collect()))
    }
}
