//! `/view_traceback`: where 0.4.5 showed the traceback of a line in a week; redirects to the
//! issue's page, or lists the issues that match.
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use flawless_base::dates::{date_time, week_of};
use flawless_base::text::one_line;
use flawless_store::{IssueRow, StoreError};
use jiff::civil::Weekday;
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use crate::app::App;
use crate::query::issues::milliseconds;
use crate::show::links;
use crate::web::issue::find::{find, no_issue_numbered, no_issue_of};
use crate::web::layout::asked::Asked;
use crate::web::layout::page::{PageError, page_with};
use crate::web::layout::visitor::PageContext;

/// The parameters of 0.4.5, and the newer `issue` and `sample`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    filename: String,
    function_name: String,
    line_number: String,
    text: String,
    /// Any time in the week of the traceback, in seconds since 1970.
    timestamp: String,
    issue: String,
    /// As on the issue's page.
    sample: Option<String>,
}

#[derive(Template)]
#[template(path = "older/traceback_view.html")]
struct Page {
    context: PageContext,
    file: String,
    /// Address, place, function and text of each.
    issues: Vec<(String, String, String, String)>,
    is_cut: bool,
}

/// Nobody looks through a longer list.
const MOST_LISTED: usize = 50;

pub(crate) async fn show(
    Asked { context, parameters: asked }: Asked<Parameters>,
    State(app): State<App>,
) -> Result<Response, PageError> {
    let mut found: Vec<IssueRow> = find(&app, &asked.issue).await?.into_iter().collect();
    if found.is_empty() && !asked.filename.is_empty() {
        found = of_line(&app, &asked).await?;
    }
    match &found[..] {
        [] if asked.filename.is_empty() => no_issue_numbered(context, &app, &asked.issue).await,
        [] => Ok(no_issue_of(context, &asked.filename)),
        [issue] => {
            let sample = match asked.sample {
                Some(slot) => Some(slot),
                None => sample_of_week(&app, issue.id, &asked.timestamp).await?,
            };
            // Unknown parameters are passed along, so that the next page names them.
            let unknown = context.unknown.iter().map(|name| (name.as_str(), ""));
            let sample = sample.iter().map(|slot| ("sample", slot.as_str()));
            let pairs = sample.chain(unknown);
            let query = Serializer::new(String::new()).extend_pairs(pairs).finish();
            let anchor = if query.starts_with("sample=") { "#traceback" } else { "" };
            let url = links::issue_with("", issue.id, &query) + anchor;
            Ok(Redirect::to(&url).into_response())
        }
        several => {
            let line = |issue: &IssueRow| {
                let facts = &issue.facts;
                let place = format!("{}:{}", one_line(&facts.path, 300), facts.line);
                let function = one_line(&facts.function_name, 100);
                (links::issue("", issue.id), place, function, one_line(&facts.text, 200))
            };
            let page = Page {
                file: one_line(&asked.filename, 300),
                issues: several.iter().take(MOST_LISTED).map(line).collect(),
                is_cut: several.len() > MOST_LISTED,
                context,
            };
            Ok(page_with(StatusCode::MULTIPLE_CHOICES, &page))
        }
    }
}

/// The issues that match the parameters, newest first. A line may have moved since the link was
/// made, so its number counts only when one of the issues has it.
async fn of_line(app: &App, asked: &Parameters) -> Result<Vec<IssueRow>, StoreError> {
    let Parameters { filename, function_name, text, .. } = asked;
    let mut found = app.store.issues_of_line(filename, function_name, text).await?;
    let line: Option<i64> = asked.line_number.trim().parse().ok();
    if found.iter().any(|issue| Some(issue.facts.line) == line) {
        found.retain(|issue| Some(issue.facts.line) == line);
    }
    Ok(found)
}

/// The newest sample of the week around a time. When none is kept, the first day of that week: no
/// sample has that name, so the issue's page says that it shows another one.
async fn sample_of_week(
    app: &App,
    issue: i64,
    timestamp: &str,
) -> Result<Option<String>, StoreError> {
    if timestamp.is_empty() {
        return Ok(None);
    }
    let Some(at) = milliseconds(timestamp) else { return Ok(Some("unknown".to_owned())) };
    let timezone = &app.config.timezone;
    let (from, to) = week_of(at, timezone, Weekday::Sunday);
    let kept = app.store.samples_of(issue).await?;
    let of_week = kept.iter().rev().find(|sample| (from..to).contains(&sample.received_at));
    Ok(Some(match of_week {
        Some(sample) => sample.slot.to_string(),
        None => date_time(from, timezone)[..10].to_owned(),
    }))
}
