//! Samples: the first and the newest few reports of an issue, as its page shows them.
use axum::extract::State;
use flawless_base::text::{cut, one_line, plain};
use flawless_store::{KeptSample, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use super::answer::Answer;
use super::caller::Caller;
use super::input::At;
use super::problem::Problem;
use super::time::Time;
use crate::app::App;
use crate::show::RenderLimits;
use crate::show::report::ShownReport;
use crate::show::work::modules_of;

/// The samples of an issue.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Samples {
    /// Oldest first.
    samples: Vec<SampleHead>,
}

/// A summary of a sample.
#[derive(Debug, Serialize, ToSchema)]
struct SampleHead {
    /// For `/issues/{id}/samples/{slot}`; 0 is the issue's first report.
    slot: i64,
    received_at: Time,
    exception_type: String,
    exception_message: String,
    hostname: String,
    environment: String,
    /// Why the sample cannot be read; null when it can.
    unreadable: Option<String>,
}

/// A complete sample.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Sample)]
pub(super) struct SampleBody {
    slot: i64,
    received_at: Time,
    /// Null when it cannot be read.
    report: Option<ShownReport>,
    /// Why the sample cannot be read; null when it can.
    unreadable: Option<String>,
}

/// The samples of an issue: the first and the newest few
#[utoipa::path(get, path = "/issues/{id}/samples", tag = "issues",
    params(("id" = i64, Path, minimum = 1)), responses((status = 200, body = Samples)))]
pub(super) async fn list(
    _caller: Caller,
    State(app): State<App>,
    At(id): At<i64>,
) -> Result<Answer<Samples>, Problem> {
    let samples = kept(&app, id).await?.into_iter().map(|kept| {
        let unreadable = kept.sample.as_ref().err().map(why);
        let report = kept.sample.ok().map(|sample| sample.report);
        let said =
            |text: Option<&String>| text.map_or_else(String::new, |text| one_line(text, 300));
        SampleHead {
            slot: kept.slot,
            received_at: Time(kept.received_at),
            exception_type: said(report.as_ref().map(|report| &report.exception_type)),
            exception_message: report
                .as_ref()
                .map_or_else(String::new, |report| cut(&report.exception_message, 500)),
            hostname: said(report.as_ref().map(|report| &report.hostname)),
            environment: said(report.as_ref().map(|report| &report.environment)),
            unreadable,
        }
    });
    Ok(Answer::ok(Samples { samples: samples.collect() }))
}

/// One sample: traceback, values, exception chain, request, and the program's context
#[utoipa::path(get, path = "/issues/{id}/samples/{slot}", tag = "issues",
    params(("id" = i64, Path, minimum = 1), ("slot" = i64, Path, minimum = 0)),
    responses((status = 200, body = SampleBody)))]
pub(super) async fn show(
    _caller: Caller,
    State(app): State<App>,
    At((id, slot)): At<(i64, i64)>,
) -> Result<Answer<SampleBody>, Problem> {
    let kept = kept(&app, id).await?.into_iter().find(|kept| kept.slot == slot);
    let Some(KeptSample { slot, received_at, sample }) = kept else {
        let text = format!("Issue {id} has no sample {slot}. It may have been deleted.");
        return Err(Problem::not_found(&text));
    };
    let (report, unreadable) = match sample {
        Ok(sample) => {
            let modules = modules_of(&app.store, &sample.report).await?;
            let mut report = ShownReport::of(&sample, RenderLimits::PAGE);
            report.work = report.work.with_modules(&modules);
            (Some(report), None)
        }
        Err(error) => (None, Some(why(&error))),
    };
    Ok(Answer::ok(SampleBody { slot, received_at: Time(received_at), report, unreadable }))
}

async fn kept(app: &App, id: i64) -> Result<Vec<KeptSample>, Problem> {
    let issue = app.store.issue(id).await?.ok_or_else(|| Problem::no_issue(id))?;
    Ok(app.store.samples_of(issue.id).await?)
}

fn why(error: &StoreError) -> String {
    plain(&error.to_string())
}
