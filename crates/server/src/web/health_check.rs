//! `/check_health`: each part with its state, 503 when something is stuck, and the effective
//! configuration.
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use flawless_core::OutcomeKind;
use jiff::tz::TimeZone;

use super::layout::page_with;
use super::visitor::Frame;
use crate::dates::date_time;
use crate::health::{HealthPart, check, is_healthy};
use crate::present::plain;
use crate::state::Shared;

#[derive(Template)]
#[template(path = "health_check.html")]
struct Page {
    frame: Frame,
    ok: bool,
    version: &'static str,
    parts: Vec<HealthPart>,
    outcomes: Vec<OutcomeLine>,
    losses: Vec<LossLine>,
    options: Vec<(&'static str, String)>,
}

struct OutcomeLine {
    what: String,
    reason: String,
    reports: i64,
    last: String,
    example: String,
}

/// What clients dropped on one day.
struct LossLine {
    day: String,
    occurrences: i64,
    last: String,
    host: String,
}

/// Losses are shown for this long: they are rare, and their day matters.
const LOSSES_MS: i64 = 7 * 86_400_000;

pub(super) async fn show(frame: Frame, State(shared): State<Shared>) -> Response {
    let parts = check(&shared).await;
    let ok = is_healthy(&parts);
    let yesterday = shared.clock.now() - 86_400_000;
    let outcomes = shared.store.outcomes_since(yesterday).await.unwrap_or_default();
    let outcomes = outcomes.into_iter().map(|row| OutcomeLine {
        what: OutcomeKind::ALL
            .into_iter()
            .find(|kind| kind.as_str() == row.kind)
            .map_or_else(|| row.kind.clone(), |kind| kind.to_string()),
        reason: row.reason,
        reports: row.reports,
        last: date_time(row.last_at, &shared.config.timezone),
        example: plain(&row.example),
    });
    let losses = shared.store.losses_since(shared.clock.now() - LOSSES_MS).await;
    let losses = losses.unwrap_or_default().into_iter().map(|row| LossLine {
        day: date_time(row.day_start(), &TimeZone::UTC)[..10].to_owned(),
        occurrences: row.occurrences,
        last: date_time(row.last_at, &shared.config.timezone),
        host: plain(&row.example),
    });
    let status = if ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let options = shared.config.shown.iter().map(|(name, value)| (*name, plain(value)));
    page_with(
        status,
        &Page {
            frame,
            ok,
            version: env!("CARGO_PKG_VERSION"),
            parts,
            outcomes: outcomes.collect(),
            losses: losses.collect(),
            options: options.collect(),
        },
    )
}
