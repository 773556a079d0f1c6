//! `/api/v1`: everything that the pages show and do, for programs. One file per noun; the OpenAPI
//! document is generated from the same handlers.

mod actions;
mod answer;
mod artifacts;
mod caller;
mod document;
mod health;
mod input;
mod issue_query;
mod issues;
mod me;
mod people;
mod problem;
mod projects;
mod releases;
mod rule_bodies;
mod rules;
mod samples;
mod time;

use axum::Router;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::document::Document;
use self::problem::Problem;
use super::Site;
use crate::app::App;

/// Everything below `/api`.
pub(super) fn router() -> Router<Site> {
    let (routes, _) = nouns();
    routes
        .merge(
            super::api::releases::routes()
                .merge(super::api::artifacts::routes())
                .layer(map_response(super::api::releases::plain_json)),
        )
        .method_not_allowed_fallback(not_allowed)
        .route("/api", get(not_found))
        .route("/api/{*rest}", any(not_found))
        .layer(from_fn(acceptable))
}

/// The OpenAPI document: it is made on request, because it is large and seldom read.
pub(super) fn document(app: &App) -> String {
    let (_, openapi) = nouns();
    super::api::document::finish(openapi, &app.base_url, app.config.sign_in.required)
}

/// The addresses with their handlers, and what the document says of them.
fn nouns() -> (Router<Site>, utoipa::openapi::OpenApi) {
    let nouns = OpenApiRouter::new()
        .routes(routes!(super::api::issues::list))
        .routes(routes!(super::api::issues::show))
        .routes(routes!(super::api::samples::list))
        .routes(routes!(super::api::samples::show))
        .routes(routes!(super::api::actions::list, super::api::actions::act))
        .routes(routes!(super::api::actions::undo))
        .routes(routes!(super::api::rules::list, super::api::rules::add))
        .routes(routes!(super::api::rules::import))
        .routes(routes!(
            super::api::rules::show,
            super::api::rules::change,
            super::api::rules::remove
        ))
        .routes(routes!(super::api::people::list))
        .routes(routes!(super::api::people::show))
        .routes(routes!(super::api::projects::list, super::api::projects::add))
        .routes(routes!(
            super::api::projects::show,
            super::api::projects::change,
            super::api::projects::remove
        ))
        .routes(routes!(super::api::projects::add_key))
        .routes(routes!(super::api::projects::change_key))
        .routes(routes!(super::api::health::show))
        .routes(routes!(super::api::me::show))
        .routes(routes!(super::api::document::show));
    let all = OpenApiRouter::with_openapi(Document::openapi()).nest("/api/v1", nouns);
    all.split_for_parts()
}

/// Refuses a request before its handler runs.
pub(super) fn refusal(status: StatusCode, text: &str) -> Response {
    Problem::new(status, text).into_response()
}

async fn not_found() -> Problem {
    Problem::not_found("There is nothing at this address. GET /api/v1/openapi.json lists all.")
}

async fn not_allowed(method: Method) -> Problem {
    Problem::not_allowed(&format!("{method} is not allowed here. The header Allow lists what is."))
}

/// Refuses clients that do not accept JSON before anything is done.
async fn acceptable(request: Request, next: Next) -> Response {
    if super::api::input::accepts_json(request.headers()) {
        return next.run(request).await;
    }
    let text = "All responses are application/json, but the header Accept excludes it.";
    Problem::not_acceptable(text).into_response()
}
