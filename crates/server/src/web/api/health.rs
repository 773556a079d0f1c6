//! The server's health: the same report as `/check_health`.
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;

use super::answer::Answer;
use super::caller::Caller;
use super::problem::Problem;
use crate::app::App;
use crate::query::QueryMemory;
use crate::query::health::report::{HealthReport, health_report};

/// The server's health
///
/// The status is 503 when a component needs attention.
#[utoipa::path(get, path = "/health", tag = "health", responses(
    (status = 200, body = HealthReport),
    (status = 503, body = HealthReport),
))]
pub(super) async fn show(
    caller: Caller,
    State(app): State<App>,
    State(memory): State<Arc<QueryMemory>>,
) -> Result<Answer<HealthReport>, Problem> {
    let health = health_report(&app, &memory.health, caller.sees_all()).await;
    let status = if health.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(Answer::with(status, health))
}
