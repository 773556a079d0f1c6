//! The OpenAPI document: made of the handlers, with what all of them may answer.
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
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

/// What the handlers do not say themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Flawless",
        version = "1",
        description = "What the pages show and do, for programs. Times are RFC 3339 in UTC. \
                       Errors are problems as in RFC 9457; fields that nobody knows are errors.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    components(schemas(Problem, FieldProblem, ListName)),
    tags(
        (name = "issues", description = "All reports whose blamed line has the same origin."),
        (name = "actions", description = "What people do to issues and rules, with who and when."),
        (name = "rules", description = "What is expected, what is library code, who is notified."),
        (name = "people", description = "Developers, and whom rules name."),
        (name = "projects", description = "Code bases with their keys."),
        (name = "health", description = "Whether the server does its work."),
        (name = "document", description = "This document."),
    ),
)]
pub(super) struct Document;

/// The document as it is sent.
#[derive(Debug, Clone)]
pub(super) struct Text(pub(super) Arc<str>);

/// This document
#[utoipa::path(get, path = "/openapi.json", tag = "document", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub(super) async fn show(Extension(Text(text)): Extension<Text>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], text.to_string()).into_response()
}

const TOKEN: &str = "token";

/// Adds to every operation what is the same in all: the token, the ways in which it fails.
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
        // What its `deny_unknown_fields` says is lost where a tag chooses the form.
        for action in &mut actions.items {
            if let RefOr::T(Schema::Object(action)) = action {
                action.additional_properties =
                    Some(Box::new(AdditionalProperties::FreeForm(false)));
            }
        }
    }
    for item in openapi.paths.paths.values_mut() {
        let reads = [&mut item.get, &mut item.put, &mut item.delete];
        reads.into_iter().flatten().for_each(|operation| add_problems(operation, false));
        item.post.iter_mut().for_each(|operation| add_problems(operation, true));
    }
    openapi.to_json().unwrap_or_default()
}

fn add_security(openapi: &mut utoipa::openapi::OpenApi) {
    openapi.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(TOKEN, [])]);
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(
        "A token of the page /account. Its role is the most it may do. A browser that is signed \
         in needs none to look.",
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
        ("406", "The header Accept leaves out JSON."),
        ("5XX", "The store does not answer; nothing was done."),
    ]);
    if !is_open {
        problems.insert("401", "There is no token, or it works no more.");
        problems.insert("403", "The role is not enough, or another site asks.");
    }
    if has_query || has_body {
        problems.insert("400", "It cannot be read; `errors` names the fields.");
        problems.insert("422", "It can be read, and not be done; `errors` names the fields.");
    }
    if has_path {
        problems.insert("404", "There is no such thing.");
    }
    if is_post {
        problems.insert("415", "It does not say that it is JSON.");
    }
    if has_body {
        problems.insert("408", "The body took too long.");
        problems.insert("409", "It cannot be done as things stand.");
        problems.insert("413", "The body is larger than 1 MiB.");
        problems.insert("415", "The body does not say that it is JSON.");
    }
    let problem = Ref::from_schema_name(Problem::name());
    for (status, words) in problems {
        let content = Content::new(Some(RefOr::<Schema>::Ref(problem.clone())));
        let response = ResponseBuilder::new().description(words).content(PROBLEM_JSON, content);
        let known = operation.responses.responses.entry(status.to_owned());
        known.or_insert_with(|| response.build().into());
    }
}
