//! Finds issues that are fixed: their lines are gone in a later revision that runs.
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use flawless_core::CommitId;
use flawless_git::{GitError, Mirror, Tip};
use flawless_store::{OpenIssue, ProjectId, Resolution, RunningRow, StoreError};

use super::regression::{gone_in, line_origin};
use crate::app::App;
use crate::app::projects::Projects;
use crate::attribution::Repo;

const LOOK_AGAIN: Duration = Duration::from_secs(2);
const BATCH: i64 = 20;
/// Number of the newest revisions in which a line is searched.
const MAX_REVISIONS: i64 = 5;
/// First wait before git is asked again about an issue it could not decide; doubled each time.
const FIRST_WAIT_MS: i64 = 60_000;
const LONGEST_WAIT_MS: i64 = 3_600_000;
/// After this many attempts, about seven hours, the issue is left to the next revision.
const MAX_TRIES: u32 = 12;
/// At most this many issues wait for another attempt.
const MAX_WAITING: usize = 1_000;

/// Looks for fixed issues of all projects until the process ends.
pub async fn run_find_fixed(projects: Arc<Projects>) {
    let mut waiting: HashMap<ProjectId, Waiting> = HashMap::new();
    loop {
        let mut checked = 0;
        for app in projects.all() {
            match look(&app, waiting.entry(app.project_id()).or_default()).await {
                Ok(issues) => checked += issues,
                Err(error) => tracing::error!(
                    %error,
                    project = app.project.name(),
                    "the search for fixed issues failed"
                ),
            }
        }
        if checked == 0 {
            let wakeups = projects.first().wakeups;
            tokio::select! {
                () = wakeups.revisions.notified() => {}
                () = tokio::time::sleep(LOOK_AGAIN) => {}
            }
        }
    }
}

/// Checks the issues that are due, and returns how many there were.
async fn look(app: &App, waiting: &mut Waiting) -> Result<usize, StoreError> {
    let Repo::Ready(mirror) = app.repo.get().repo else { return Ok(0) };
    let Some(tip) = mirror.tip() else { return Ok(0) };
    let mut revisions = app.store.running_revisions(MAX_REVISIONS).await?;
    let is_known = revisions.iter().any(|known| known.commit_id == tip.commit.as_str());
    let now = app.clock.now();
    if !is_known && !app.store.names_revisions(now).await? {
        let mut tx = app.store.write().await?;
        tx.seen_running(tip.commit.as_str(), false, now).await?;
        tx.commit().await?;
        revisions = app.store.running_revisions(MAX_REVISIONS).await?;
    }
    let Some(newest) = revisions.first().map(|newest| newest.id) else { return Ok(0) };
    waiting.begin(newest);
    let limit = BATCH + i64::try_from(waiting.issues.len()).unwrap_or(i64::MAX - BATCH);
    let mut issues = app.store.open_issues(newest, limit).await?;
    issues.retain(|issue| !waiting.waits(issue.id, now));
    for issue in &issues {
        let found = find(&mirror, &tip, issue, &revisions).await;
        let now = app.clock.now();
        let found = match found {
            Ok(found) => found,
            Err(error) => {
                if waiting.tries_again(issue.id, now) {
                    tracing::debug!(%error, issue = issue.id, "an issue could not be checked yet");
                    continue;
                }
                tracing::warn!(%error, issue = issue.id, "an issue could not be checked");
                None
            }
        };
        waiting.issues.remove(&issue.id);
        let mut tx = app.store.write().await?;
        if !tx.is_unchecked(issue.id, newest).await? {
            continue;
        }
        if let Some((by, how)) = &found {
            tracing::info!(issue = issue.id, by = by.short(), "an issue is fixed");
            tx.set_resolved(issue.id, now, Some(by.as_str()), how).await?;
        }
        tx.set_checked(issue.id, newest).await?;
        tx.commit().await?;
        if found.is_some() {
            app.rules.refresh(&app.store).await?;
        }
    }
    Ok(issues.len())
}

/// Issues that git could not decide yet: by number, the failed attempts and the time of the next
/// one. Kept in memory only: after a restart git is asked immediately.
#[derive(Debug, Default)]
struct Waiting {
    newest: i64,
    issues: HashMap<i64, (u32, i64)>,
}

impl Waiting {
    /// When another revision becomes the newest, all are checked again.
    fn begin(&mut self, newest: i64) {
        if self.newest != newest {
            *self = Self { newest, issues: HashMap::new() };
        }
    }

    fn waits(&self, issue: i64, now: i64) -> bool {
        self.issues.get(&issue).is_some_and(|(_, until)| *until > now)
    }

    /// Counts a failed attempt; whether there is another one.
    fn tries_again(&mut self, issue: i64, now: i64) -> bool {
        if self.issues.len() >= MAX_WAITING && !self.issues.contains_key(&issue) {
            return false;
        }
        let (tries, until) = self.issues.entry(issue).or_default();
        *until = now + (FIRST_WAIT_MS << (*tries).min(6)).min(LONGEST_WAIT_MS);
        *tries += 1;
        *tries < MAX_TRIES
    }
}

/// The commit that fixed an issue, in one of the revisions in which it was not searched yet. An
/// error when git could not decide one of them, and it is not fixed in another.
async fn find(
    mirror: &Mirror,
    tip: &Tip,
    issue: &OpenIssue,
    revisions: &[RunningRow],
) -> Result<Option<(CommitId, Resolution)>, GitError> {
    let line = line_origin(&issue.origin_commit, &issue.origin_path, issue.origin_line);
    let Some(line) = line else { return Ok(None) };
    let mut not_known = None;
    for revision in revisions.iter().filter(|revision| revision.id > issue.checked_revision) {
        let Some(commit) = CommitId::parse(&revision.commit_id) else { continue };
        let look = async {
            // A revision before the one in which it was last seen says nothing about later ones.
            if let Some(seen_in) = &issue.details.revision
                && mirror.repository().is_ancestor(&commit, seen_in).await?
            {
                return Ok(None);
            }
            gone_in(mirror, tip, &line, &issue.path, &commit).await
        };
        match look.await {
            Ok(None) => {}
            Ok(found) => return Ok(found),
            Err(error) => not_known = Some(error),
        }
    }
    not_known.map_or(Ok(None), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn question_git_cannot_answer_is_retried_but_not_forever() {
        let mut waiting = Waiting::default();
        waiting.begin(1);
        assert!(waiting.tries_again(7, 0) && waiting.waits(7, 59_999));
        assert!(!waiting.waits(7, 60_000) && !waiting.waits(8, 0));
        let mut now = 60_000;
        let tries = std::iter::from_fn(|| {
            now += LONGEST_WAIT_MS;
            assert!(!waiting.waits(7, now));
            waiting.tries_again(7, now).then_some(())
        });
        assert_eq!(tries.count(), 10);
        waiting.begin(2);
        assert!(!waiting.waits(7, now), "another revision runs");
    }
}
