//! Problem details of RFC 9457: what is wrong with a request, in a sentence and field by field.
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flawless_base::text::cut;
use flawless_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actions::ActionError;

pub(super) const PROBLEM_JSON: &str = "application/problem+json";
/// Longer sentences are cut, because they may quote what a client sent.
const LONGEST: usize = 2_000;

/// Why a request failed. Nothing that it asked for was done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// Always `about:blank`: the status identifies the kind of problem.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: String,
    /// The status of the response.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong, and how to fix it.
    detail: String,
    /// The fields or parameters that are wrong, if any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldProblem>,
}

/// A field or a parameter that is wrong.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FieldProblem {
    /// Its name; its whole path when it is nested, such as `entry.filename`.
    pub(super) field: String,
    /// What is wrong with it.
    pub(super) problem: String,
}

impl FieldProblem {
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

impl Problem {
    pub(super) fn new(status: StatusCode, detail: &str) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: cut(detail, LONGEST),
            errors: Vec::new(),
        }
    }

    fn with(status: StatusCode, errors: Vec<FieldProblem>) -> Self {
        let texts: Vec<String> = errors
            .iter()
            .map(|FieldProblem { field, problem }| match field.as_str() {
                "" => problem.clone(),
                field => format!("{field}: {problem}"),
            })
            .collect();
        let cleaned = errors.into_iter().map(|FieldProblem { field, problem }| FieldProblem {
            field: cut(&field, 200),
            problem: cut(&problem, LONGEST),
        });
        let errors = cleaned.filter(|error| !error.field.is_empty()).collect();
        Self { errors, ..Self::new(status, &texts.join("; ")) }
    }

    /// The request is malformed: not JSON, a wrong type, an unknown name.
    pub(super) fn malformed(errors: Vec<FieldProblem>) -> Self {
        Self::with(StatusCode::BAD_REQUEST, errors)
    }

    /// The request is well-formed but invalid.
    pub(super) fn refused(errors: Vec<FieldProblem>) -> Self {
        Self::with(StatusCode::UNPROCESSABLE_ENTITY, errors)
    }

    pub(super) fn not_signed_in(detail: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, detail)
    }

    pub(super) fn forbidden(detail: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
    }

    pub(super) fn not_found(detail: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn not_allowed(detail: &str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, detail)
    }

    pub(super) fn not_acceptable(detail: &str) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, detail)
    }

    pub(super) fn too_slow(detail: &str) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, detail)
    }

    pub(super) fn conflict(detail: &str) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    pub(super) fn too_large(detail: &str) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
    }

    pub(super) fn not_json(detail: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
    }

    pub(super) fn no_issue(number: i64) -> Self {
        Self::not_found(&format!("There is no issue {number}. It may have been erased."))
    }

    /// The problem of a failed action. The API's name of its field `name` begins with `within`.
    pub(super) fn of_action(error: ActionError, within: &str) -> Self {
        match error {
            ActionError::Field { name: "", text } => Self::conflict(&text),
            ActionError::Field { name, text } => {
                Self::refused(vec![FieldProblem::new(format!("{within}{name}"), text)])
            }
            ActionError::NotFound(text) => Self::not_found(&text),
            ActionError::Store(error) => error.into(),
        }
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        Self::of_action(error, "")
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "an API request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.for_visitors())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        let json = serde_json::to_vec(&self).unwrap_or_default();
        let content = (header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        let more: Option<(HeaderName, HeaderValue)> = (status == StatusCode::UNAUTHORIZED)
            .then(|| (header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
        let mut response = (status, [content], json).into_response();
        response.headers_mut().extend(more);
        response
    }
}
