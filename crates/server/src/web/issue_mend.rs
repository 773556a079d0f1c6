//! `/mark_mended` and `/unmark_mended`: somebody says that an issue is mended, or that it is not.
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use flawless_core::CommitId;
use serde::Deserialize;

use super::issue_find::{find, no_such_issue, to_issue};
use super::layout::{PageError, message};
use super::visitor::Frame;
use crate::attribution::Repo;
use crate::dates::date_time;
use crate::present::one_line;
use crate::state::Shared;
use crate::store::IssueRow;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Fields {
    issue: String,
    /// The commit that mends it; empty: as of now.
    commit: String,
}

pub(super) async fn mark(
    frame: Frame,
    State(shared): State<Shared>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&shared, &fields.issue).await? else { return Ok(no_such_issue(frame)) };
    let commit = match fields.commit.trim() {
        "" => None,
        name => match commit_of(&shared, name).await {
            Ok(commit) => Some(commit),
            Err(text) => {
                return Ok(message(frame, StatusCode::UNPROCESSABLE_ENTITY, "Not taken", &text));
            }
        },
    };
    let (now, commit) = (shared.clock.now(), commit.as_ref().map(CommitId::as_str));
    let mut tx = shared.store.write().await?;
    tx.set_mended(issue.id, now, commit, "marked as mended by hand").await?;
    tx.commit().await?;
    shared.rules.refresh(&shared.store).await?;
    Ok(to_issue(&issue))
}

pub(super) async fn unmark(
    frame: Frame,
    State(shared): State<Shared>,
    Form(fields): Form<Fields>,
) -> Result<Response, PageError> {
    let Some(issue) = find(&shared, &fields.issue).await? else { return Ok(no_such_issue(frame)) };
    let mut tx = shared.store.write().await?;
    tx.clear_mended(issue.id).await?;
    tx.commit().await?;
    shared.rules.refresh(&shared.store).await?;
    Ok(to_issue(&issue))
}

/// The commit with this id, full or shortened; else a sentence about what is wrong.
async fn commit_of(shared: &Shared, name: &str) -> Result<CommitId, String> {
    let shown = one_line(name, 80);
    let is_id = (7..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_id {
        return Err(format!(
            "{shown:?} is no commit: write its id, all of it or at least its first seven digits."
        ));
    }
    let Repo::Ready(mirror) = shared.repo.get().repo else {
        let text = "The repository cannot be asked for this commit now: /check_health says why. \
                    Try again later, or leave the commit empty.";
        return Err(text.to_owned());
    };
    match mirror.resolve(&name.to_ascii_lowercase()).await {
        Ok(Some(commit)) => Ok(commit),
        Ok(None) => Err(format!(
            "There is no commit {shown} in the repository, or several begin so. Push it first, or \
             write all of its id."
        )),
        Err(error) => {
            tracing::warn!(%error, "a commit could not be looked up");
            Err("git could not look for this commit; the server's log says why.".to_owned())
        }
    }
}

/// When and how it was mended; `None` when it is not.
pub(super) fn mended_in_words(shared: &Shared, issue: &IssueRow) -> Option<String> {
    let date = date_time(issue.mended_at?, &shared.config.timezone);
    let by = issue.mended_by.as_deref().map(|id| id.chars().take(12).collect::<String>());
    let by = by.map(|id| format!("by {id}, ")).unwrap_or_default();
    let how = one_line(issue.mended_how.as_deref().unwrap_or_default(), 300);
    Some(format!("{by}on {date}: {how}"))
}
