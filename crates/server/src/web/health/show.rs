//! `/check_health`: the state of each component (503 when one needs attention), the outcomes of
//! reports, and the effective configuration; as a page or as JSON.
use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flawless_base::dates::in_words;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::query::QueryMemory;
use crate::query::health::is_healthy_lately;
use crate::query::health::report::{HealthReport, KindReport, LossReport, health_report};
use crate::show::links;
use crate::web::layout::asked::Asked;
use crate::web::layout::moment::Moment;
use crate::web::layout::page::page_with;
use crate::web::layout::visitor::PageContext;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Parameters {
    /// `json`.
    format: String,
}

#[derive(Template)]
#[template(path = "health/show.html")]
struct Page {
    context: PageContext,
    health: HealthReport,
    since: Moment,
    uptime: Option<String>,
    memory: Option<String>,
    outcomes: Vec<OutcomeLine>,
    losses: Vec<LossLine>,
}

/// An outcome with one of its reasons; without a reason when no report had this outcome.
struct OutcomeLine {
    what: String,
    reason: String,
    reports: i64,
    last: Option<Moment>,
    example: String,
    issue_url: Option<String>,
}

struct LossLine {
    loss: LossReport,
    last: Moment,
}

pub(crate) async fn show(
    Asked { context, parameters }: Asked<Parameters>,
    State(app): State<App>,
    State(memory): State<Arc<QueryMemory>>,
    headers: HeaderMap,
) -> Response {
    if parameters.format.eq_ignore_ascii_case("json") || wants_json(&headers) {
        return show_json(context, State(app), State(memory)).await;
    }
    if context.visitor.is_none() {
        // For monitors, which do not sign in.
        let ok = is_healthy_lately(&app, &memory.health).await;
        return (status_of(ok), if ok { "ok\n" } else { "not ok\n" }).into_response();
    }
    let mut health = health_report(&app, &memory.health, context.sees_all()).await;
    let status = status_of(health.ok);
    let since = Moment::new(health.since, &app);
    let losses = std::mem::take(&mut health.losses).into_iter();
    let losses = losses.map(|loss| LossLine { last: Moment::new(loss.last, &app), loss });
    let losses = losses.collect();
    let uptime = health.uptime_seconds.map(|seconds| in_words(seconds.saturating_mul(1000)));
    let used = health.memory_bytes.map(|bytes| format!("{} MB", bytes / 1_000_000));
    let outcomes = health.outcomes.iter().flat_map(|kind| outcome_lines(&app, kind)).collect();
    page_with(status, &Page { context, since, health, uptime, memory: used, outcomes, losses })
}

/// The same report for programs.
pub(crate) async fn show_json(
    context: PageContext,
    State(app): State<App>,
    State(memory): State<Arc<QueryMemory>>,
) -> Response {
    let (ok, json) = match &context.visitor {
        Some(_) => {
            let health = health_report(&app, &memory.health, context.sees_all()).await;
            (health.ok, serde_json::to_string_pretty(&health))
        }
        None => {
            let ok = is_healthy_lately(&app, &memory.health).await;
            (ok, serde_json::to_string(&json!({ "ok": ok })))
        }
    };
    match json {
        Ok(json) => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (status_of(ok), kind, json + "\n").into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn status_of(ok: bool) -> StatusCode {
    if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

/// Whether the client asks for JSON and not for a page.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    accept
        .is_some_and(|accept| accept.contains("application/json") && !accept.contains("text/html"))
}

fn outcome_lines(app: &App, kind: &KindReport) -> Vec<OutcomeLine> {
    if kind.reasons.is_empty() {
        return vec![OutcomeLine {
            what: kind.what.clone(),
            reason: String::new(),
            reports: 0,
            last: None,
            example: String::new(),
            issue_url: None,
        }];
    }
    let line = |reason: &crate::query::health::report::ReasonReport| OutcomeLine {
        what: kind.what.clone(),
        reason: reason.reason.clone(),
        reports: reason.reports,
        last: Some(Moment::new(reason.last, app)),
        example: reason.example.clone(),
        issue_url: reason.issue.map(|issue| links::issue("", issue)),
    };
    kind.reasons.iter().map(line).collect()
}
