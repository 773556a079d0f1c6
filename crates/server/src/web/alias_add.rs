//! `/remap_email` and `/save_remap_email`: a commit address and the address that is read.
use askama::Template;
use axum::extract::{Form, Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::layout::{PageError, page};
use super::rule_save::save as save_rule;
use super::visitor::Frame;
use crate::state::Shared;
use crate::store::RuleList;

/// The fields of 0.4.5's form.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    old_email: String,
    new_email: String,
}

#[derive(Template)]
#[template(path = "alias_add.html")]
struct Page {
    frame: Frame,
    fields: Fields,
    problem: Option<String>,
}

pub(super) async fn show(frame: Frame, Query(fields): Query<Fields>) -> Response {
    page(&Page { frame, fields, problem: None })
}

pub(super) async fn save(
    frame: Frame,
    State(shared): State<Shared>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let entry = json!({
        "old_email": fields.old_email.trim(),
        "new_email": fields.new_email.trim(),
    });
    let form = |problem| Page { frame, fields, problem: Some(problem) };
    save_rule(&shared, RuleList::EmailRemapping, &entry, form).await
}
