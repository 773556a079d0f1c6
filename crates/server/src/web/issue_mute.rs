//! `/mute` and `/save_mute`: nobody is told of an issue for a time. It is still counted.
use askama::Template;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::issue_find::{find, no_such_issue, to_issue};
use super::layout::{PageError, message, page};
use super::visitor::Frame;
use crate::dates::date_time;
use crate::present::one_line;
use crate::state::Shared;
use crate::store::{IssueRow, MUTED_FOR_EVER};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Parameters {
    issue: String,
}

/// What was chosen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    issue: String,
    time: String,
}

#[derive(Template)]
#[template(path = "issue_mute.html")]
struct Page {
    frame: Frame,
    issue: i64,
    place: String,
    muted: Option<String>,
    told: bool,
}

const DAY_MS: i64 = 86_400_000;

pub(super) async fn show(
    frame: Frame,
    State(shared): State<Shared>,
    Query(parameters): Query<Parameters>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&shared, &parameters.issue).await? else {
        return Ok(no_such_issue(frame));
    };
    Ok(page(&Page {
        frame,
        issue: issue.id,
        place: format!("{}:{}", one_line(&issue.facts.path, 300), issue.facts.line),
        muted: muted_in_words(&shared, &issue),
        told: issue.told_at.is_some(),
    }))
}

pub(super) async fn save(
    frame: Frame,
    State(shared): State<Shared>,
    Form(choice): Form<Choice>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&shared, &choice.issue).await? else { return Ok(no_such_issue(frame)) };
    let now = shared.clock.now();
    let until = match choice.time.as_str() {
        "day" => Some(now + DAY_MS),
        "week" => Some(now + 7 * DAY_MS),
        "month" => Some(now + 30 * DAY_MS),
        "ever" => Some(MUTED_FOR_EVER),
        "off" => None,
        other => {
            let other = one_line(other, 50);
            let text = format!("{other:?} is no time: it has to be day, week, month, ever or off.");
            return Ok(message(frame, StatusCode::UNPROCESSABLE_ENTITY, "Not taken", &text));
        }
    };
    let mut tx = shared.store.write().await?;
    tx.mute(issue.id, until).await?;
    tx.commit().await?;
    Ok(to_issue(&issue))
}

/// Until when nobody is told of it; `None` when it is not muted.
pub(super) fn muted_in_words(shared: &Shared, issue: &IssueRow) -> Option<String> {
    let until = issue.muted_at(shared.clock.now())?;
    Some(match until {
        MUTED_FOR_EVER.. => "for ever".to_owned(),
        _ => format!("until {}", date_time(until, &shared.config.timezone)),
    })
}
