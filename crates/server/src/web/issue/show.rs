//! `/issues/NUMBER`: the page of one issue: its traceback, who is blamed and why, who was notified,
//! how often and where it occurred.
use std::time::Duration;

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use flawless_base::text::one_line;
use flawless_core::CommitId;
use flawless_store::issues::details::IssueDetails;
use flawless_store::{IssueRow, Sample};
use serde::Deserialize;

use super::actions::IssueActions;
use super::alert_history::AlertHistory;
use super::badges::{Badge, badges};
use super::blame::BlameBox;
use super::counts::Counts;
use super::find::{find, no_issue_numbered};
use super::samples::Samples;
use super::traceback::{Traceback, exception_in_a_line};
use crate::app::App;
use crate::attribution::Repo;
use crate::query::issues;
use crate::show::alert::title;
use crate::show::code::read_around;
use crate::show::links;
use crate::show::work::modules_of;
use crate::web::layout::asked::Asked;
use crate::web::layout::moment::Moment;
use crate::web::layout::page::{PageError, page};
use crate::web::layout::visitor::PageContext;

/// Limit for reading the lines around the blamed one: the page does not wait longer for them.
const READ_TIME: Duration = Duration::from_millis(200);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    /// The slot of the sample to show; the newest one when it is missing.
    sample: Option<String>,
}

#[derive(Template)]
#[template(path = "issue/show.html")]
struct Page {
    context: PageContext,
    issue: i64,
    title: String,
    headline: String,
    place: String,
    place_url: Option<String>,
    function: String,
    text: String,
    badges: Vec<Badge>,
    occurrences: i64,
    first_seen: Moment,
    last_seen: Moment,
    revision: Option<String>,
    blame: BlameBox,
    history: AlertHistory,
    counts: Counts,
    samples: Samples,
    shown: Option<Traceback>,
    retention_days: u64,
    actions: IssueActions,
}

pub(crate) async fn show(
    Asked { context, parameters }: Asked<Parameters>,
    State(app): State<App>,
    Path(number): Path<String>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&app, &number).await? else {
        return no_issue_numbered(context, &app, &number).await;
    };
    if number != issue.id.to_string() {
        // The issue was merged into that one.
        return Ok(Redirect::to(&links::issue("", issue.id)).into_response());
    }
    let details = &issue.facts.details;
    let rules = app.rules.get();
    let (samples, mut sample) = Samples::of(&app, issue.id, parameters.sample.as_deref()).await?;
    if let Some(sample) = &mut sample {
        read_code(&app, &issue, sample).await;
    }
    let history = AlertHistory::of(&app, issue.id).await?;
    let is_regressed = history.alerts.first().is_some_and(|alert| alert.regression.is_some());
    let facts = &issue.facts;
    let forges = &app.config.forges;
    let found_in = details.revision.as_ref().map(CommitId::as_str);
    let report = sample.as_ref().map(|sample| &sample.report);
    let message = report.map(|report| report.exception_message.as_str()).unwrap_or_default();
    let message = message.lines().next().unwrap_or_default();
    let exception_type = report.map_or(&facts.exception_type, |report| &report.exception_type);
    let ran = sample.as_ref().and_then(|sample| ran_in(sample, details));
    let line_url = |path: &str, line: u32| {
        ran.as_ref().and_then(|ran| forges.line(ran.as_str(), path, i64::from(line)))
    };
    let is_found = facts.origin_commit.is_some();
    let mut shown = sample.as_ref().map(|sample| Traceback::of(sample, line_url));
    if let (Some(shown), Some(report)) = (&mut shown, report) {
        let modules = modules_of(&app.store, report).await?;
        shown.work = std::mem::take(&mut shown.work).with_modules(&modules);
    }
    Ok(page(&Page {
        issue: issue.id,
        title: title(exception_type, &facts.function_name, &facts.path),
        headline: one_line(&exception_in_a_line(exception_type, message), 300),
        place: format!("{}:{}", one_line(&facts.path, 300), facts.line),
        place_url: found_in
            .filter(|_| is_found)
            .and_then(|revision| forges.line(revision, &facts.path, facts.line)),
        function: one_line(&facts.function_name, 100),
        text: one_line(&facts.text, 500),
        badges: badges(&app, &issue, &issues::notified_state(&app, &issue).await?, is_regressed),
        occurrences: issue.occurrences,
        first_seen: Moment::new(issue.first_seen_at, &app),
        last_seen: Moment::new(issue.last_seen_at, &app),
        revision: report.and_then(|r| r.revision.as_deref()).map(|name| one_line(name, 100)),
        blame: BlameBox::of(&app, &issue, &rules.rules, sample.as_ref()).await?,
        counts: Counts::of(&app, &issue).await?,
        shown,
        retention_days: app.config.retention.as_secs() / 86_400,
        actions: IssueActions::read(&app, &issue, &context).await?,
        history,
        samples,
        context,
    }))
}

/// The revision that ran, if the report has its full id; else the one in which the line was found.
fn ran_in(sample: &Sample, details: &IssueDetails) -> Option<CommitId> {
    let named = sample.report.revision.as_deref().and_then(CommitId::parse);
    named.or_else(|| details.revision.clone())
}

/// Fills in the lines around the blamed one from the repository, when the client sent none.
async fn read_code(app: &App, issue: &IssueRow, sample: &mut Sample) {
    if let Repo::Ready(mirror) = app.repo.get().repo
        && let (Some(revision), Some(blamed)) =
            (ran_in(sample, &issue.facts.details), sample.blamed_frame)
        && let Some(context) = sample.report.traceback.get_mut(blamed)
    {
        let path = sample.frames.get(blamed).and_then(|frame| frame.path());
        let path = path.unwrap_or(&issue.facts.path);
        let read = read_around(&mirror, &revision, path, context);
        if tokio::time::timeout(READ_TIME, read).await.is_ok() {
            app.redaction.source(context).await;
        }
    }
}
