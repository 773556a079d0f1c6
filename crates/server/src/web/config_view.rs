//! `/view_config?key=`: one list of rules as JSON, each entry with a button that removes it.
use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::admin_show::about;
use super::layout::{PageError, message, page};
use super::visitor::Frame;
use crate::present::plain;
use crate::state::Shared;
use crate::store::{RULE_LISTS, RuleList};

#[derive(Debug, Deserialize)]
pub(super) struct Parameters {
    #[serde(default)]
    key: String,
}

/// Names a rule to remove.
#[derive(Debug, Deserialize)]
pub(super) struct RuleToRemove {
    key: String,
    id: i64,
}

#[derive(Template)]
#[template(path = "config_view.html")]
struct Page {
    frame: Frame,
    key: &'static str,
    title: &'static str,
    meaning: &'static str,
    add_url: &'static str,
    entries: Vec<Entry>,
}

struct Entry {
    id: i64,
    json: String,
}

pub(super) async fn show(
    frame: Frame,
    State(shared): State<Shared>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, PageError> {
    let Some(list) = RuleList::parse(&parameters.key) else { return Ok(no_such_list(frame)) };
    let entries = shared.store.rule_entries(list).await?.into_iter().map(|rule| Entry {
        id: rule.id,
        json: plain(&serde_json::to_string_pretty(&rule.entry).unwrap_or_default()),
    });
    let (meaning, add_url) = about(list);
    let (key, title) = (list.as_str(), list.title());
    Ok(page(&Page { frame, key, title, meaning, add_url, entries: entries.collect() }))
}

pub(super) async fn remove(
    frame: Frame,
    State(shared): State<Shared>,
    Form(rule): Form<RuleToRemove>,
) -> Result<Response, PageError> {
    let Some(list) = RuleList::parse(&rule.key) else { return Ok(no_such_list(frame)) };
    let mut tx = shared.store.write().await?;
    tx.remove_rule(list, rule.id).await?;
    tx.commit().await?;
    shared.rules.refresh(&shared.store).await?;
    Ok(Redirect::to(&format!("/view_config?key={}", list.as_str())).into_response())
}

fn no_such_list(frame: Frame) -> Response {
    let names = RULE_LISTS.map(RuleList::as_str).join(", ");
    let text = format!("There is no such list of rules. There are: {names}.");
    message(frame, StatusCode::NOT_FOUND, "Not found", &text)
}
