//! `/add_watch` and `/save_watch`: someone who wants alerts for a path.
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
    filepath: String,
    email: String,
    watch_all_errors: String,
}

#[derive(Template)]
#[template(path = "watcher_add.html")]
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
        "filepath": fields.filepath.trim(),
        "email": fields.email.trim(),
        "watch_all_errors": fields.watch_all_errors == "true",
    });
    let form = |problem| Page { frame, fields, problem: Some(problem) };
    save_rule(&shared, RuleList::WatchList, &entry, form).await
}
