//! Finds issues that are mended: their lines are gone in a later revision that runs.
use std::time::Duration;

use flawless_core::CommitId;
use flawless_git::{Mirror, Tip};

use super::again::{gone_in, line_origin};
use crate::attribution::Repo;
use crate::issue_details::IssueDetails;
use crate::state::Shared;
use crate::store::{OpenIssue, RunningRow, StoreError};

const LOOK_AGAIN: Duration = Duration::from_secs(2);
const BATCH: i64 = 20;
/// A line is looked for in so many of the newest revisions.
const MAX_REVISIONS: i64 = 5;
/// Programs that named a revision within this time say what runs; else the tip does.
const NAMED_MS: i64 = 30 * 86_400_000;

/// Looks for mended issues for ever.
pub async fn run_mending(shared: Shared) {
    loop {
        match look(&shared).await {
            Ok(0) => tokio::select! {
                () = shared.bells.revisions.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            },
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "mended issues could not be looked for");
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}

/// Says how many issues were looked at.
async fn look(shared: &Shared) -> Result<usize, StoreError> {
    let Repo::Ready(mirror) = shared.repo.get().repo else { return Ok(0) };
    let Some(tip) = mirror.tip() else { return Ok(0) };
    let mut revisions = shared.store.running_revisions(MAX_REVISIONS).await?;
    let is_known = revisions.iter().any(|known| known.commit_id == tip.commit.as_str());
    let now = shared.clock.now();
    if !is_known && !shared.store.names_revisions(now - NAMED_MS).await? {
        let mut tx = shared.store.write().await?;
        tx.seen_running(tip.commit.as_str(), false, now).await?;
        tx.commit().await?;
        revisions = shared.store.running_revisions(MAX_REVISIONS).await?;
    }
    let Some(newest) = revisions.first().map(|newest| newest.id) else { return Ok(0) };
    let issues = shared.store.open_issues(newest, BATCH).await?;
    for issue in &issues {
        let found = find(&mirror, &tip, issue, &revisions).await;
        let mut tx = shared.store.write().await?;
        if let Some((by, how)) = &found {
            tracing::info!(issue = issue.id, by = by.short(), "an issue is mended");
            tx.set_mended(issue.id, shared.clock.now(), Some(by.as_str()), how).await?;
        }
        tx.set_checked(issue.id, newest).await?;
        tx.commit().await?;
        if found.is_some() {
            shared.rules.refresh(&shared.store).await?;
        }
    }
    Ok(issues.len())
}

/// The commit that mended an issue, in one of the revisions in which it was not looked for yet.
async fn find(
    mirror: &Mirror,
    tip: &Tip,
    issue: &OpenIssue,
    revisions: &[RunningRow],
) -> Option<(CommitId, String)> {
    let line = line_origin(&issue.origin_commit, &issue.origin_path, issue.origin_line)?;
    let details: IssueDetails = serde_json::from_str(&issue.details).unwrap_or_default();
    for revision in revisions.iter().filter(|revision| revision.id > issue.checked_revision) {
        let Some(commit) = CommitId::parse(&revision.commit_id) else { continue };
        // A revision before the one in which it was seen last tells nothing about what comes.
        if let Some(seen_in) = &details.revision
            && mirror.repository().is_ancestor(&commit, seen_in).await.unwrap_or(true)
        {
            continue;
        }
        if let Some(found) = gone_in(mirror, tip, &line, &commit).await {
            return Some(found);
        }
    }
    None
}
