//! The OpenAPI document: generated from the handlers, with the errors that all of them share.
use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder, Schema, Server};
use utoipa::{OpenApi, ToSchema};

use super::actions::NewAction;
use super::problem::{FieldProblem, PROBLEM_JSON, Problem};
use super::rule_bodies::ListName;
use crate::app::App;

/// What no handler describes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Flawless",
        version = "1",
        description = "Everything that the pages show and do, for programs. Times are RFC 3339 in \
                       UTC. Errors are problem details of RFC 9457. Unknown fields are errors.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem, FieldProblem, ListName)),
    tags(
        (name = "issues", description = "All reports whose blamed line has the same origin."),
        (name = "actions", description = "What people do to issues and rules, with who and when."),
        (name = "rules", description = "Expected errors, library code, and who is notified."),
        (name = "people", description = "Developers and others whom rules name."),
        (name = "projects", description = "Code bases with their keys."),
        (name = "health", description = "The state of the server."),
        (name = "document", description = "This document."),
    ),
)]
pub(super) struct Document;

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "document", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn show(State(app): State<App>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], super::document(&app)).into_response()
}

const TOKEN: &str = "token";

/// Adds what all operations share: the token and the errors.
pub(super) fn finish(
    mut openapi: utoipa::openapi::OpenApi,
    base_url: &str,
    has_sign_in: bool,
) -> String {
    openapi.servers = Some(vec![Server::new(base_url)]);
    if has_sign_in {
        add_security(&mut openapi);
    }
    let schemas = openapi.components.as_mut().map(|components| &mut components.schemas);
    if let Some(RefOr::T(Schema::OneOf(actions))) =
        schemas.and_then(|schemas| schemas.get_mut(&*NewAction::name()))
    {
        // The schema loses `deny_unknown_fields` where a tag selects the variant.
        for action in &mut actions.items {
            if let RefOr::T(Schema::Object(action)) = action {
                action.additional_properties =
                    Some(Box::new(AdditionalProperties::FreeForm(false)));
            }
        }
    }
    for item in openapi.paths.paths.values_mut() {
        let others = [&mut item.get, &mut item.put, &mut item.patch, &mut item.delete];
        others.into_iter().flatten().for_each(|operation| add_problems(operation, false));
        item.post.iter_mut().for_each(|operation| add_problems(operation, true));
    }
    openapi.to_json().unwrap_or_default()
}

fn add_security(openapi: &mut utoipa::openapi::OpenApi) {
    openapi.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, [])]);
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "A token from the page /account. Its role limits what it may do. A signed-in browser \
         may read without one.",
    ));
    let components = openapi.components.get_or_insert_default();
    components
        .security_schemes
        .insert(TOKEN.to_owned(), SecurityScheme::Http(scheme.build()).into());
}

fn add_problems(operation: &mut Operation, is_post: bool) {
    let is_open = operation.security.is_some();
    let parameters = operation.parameters.as_deref().unwrap_or_default();
    let has = |place: ParameterIn| {
        let is = |known: &RefOr<Parameter>| match known {
            RefOr::T(known) => known.parameter_in == place,
            RefOr::Ref(_) => false,
        };
        parameters.iter().any(is)
    };
    let (has_path, has_query) = (has(ParameterIn::Path), has(ParameterIn::Query));
    let has_body = operation.request_body.is_some();
    let mut problems = BTreeMap::from([
        ("406", "The header Accept excludes JSON."),
        ("5XX", "The database does not respond; nothing was done."),
    ]);
    if !is_open {
        problems.insert("401", "There is no token, or it is no longer valid.");
        problems.insert("403", "The role is not sufficient, or the request is from another site.");
    }
    if has_query || has_body {
        problems.insert("400", "The request is malformed; `errors` lists the fields.");
        problems.insert("422", "The request is well-formed but invalid; `errors` lists fields.");
    }
    if has_path {
        problems.insert("404", "It does not exist.");
    }
    if is_post {
        problems.insert("415", "The request is not declared as JSON.");
    }
    if has_body {
        problems.insert("408", "The body took too long to arrive.");
        problems.insert("409", "It conflicts with the current state.");
        problems.insert("413", "The body is larger than 1 MiB.");
        problems.insert("415", "The body is not declared as JSON.");
    }
    let problem = Ref::from_schema_name(Problem::name());
    for (status, words) in problems {
        let content = Content::new(Some(RefOr::<Schema>::Ref(problem.clone())));
        let response = ResponseBuilder::new().description(words).content(PROBLEM_JSON, content);
        let known = operation.responses.responses.entry(status.to_owned());
        known.or_insert_with(|| response.build().into());
    }
}
