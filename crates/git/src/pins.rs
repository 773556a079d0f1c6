//! References of our own keep deployed revisions, so that a force-push does not lose them.
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use flawless_core::CommitId;
use tokio::time::Instant;

use crate::clock;
use crate::error::GitError;
use crate::repository::Repository;

const FETCH_LIMIT: Duration = Duration::from_secs(60);
/// Limit of remembered ids that the remote refused. Anybody can report ids that do not exist: a
/// remembered one is not requested again for some time.
const MAX_REFUSED: usize = 1_000;
const REFUSED_FOR: Duration = Duration::from_secs(600);

/// The pinned revisions, and those that the remote does not provide.
#[derive(Debug, Default)]
pub(crate) struct Pins {
    pinned: Mutex<HashSet<CommitId>>,
    refused: Mutex<HashMap<CommitId, Instant>>,
}

impl Pins {
    /// Pins a commit in our mirror.
    pub(crate) async fn pin(&self, repository: &Repository, commit: &CommitId) {
        let is_new =
            self.pinned.lock().unwrap_or_else(PoisonError::into_inner).insert(commit.clone());
        if !is_new {
            return;
        }
        let reference = reference(commit);
        let run = repository.run("update-ref").args([reference.as_str(), commit.as_str()]);
        if let Err(error) = run.output().await {
            tracing::warn!(%error, %commit, "a deployed revision could not be pinned");
            self.pinned.lock().unwrap_or_else(PoisonError::into_inner).remove(commit);
        }
    }

    /// Asks the remote for a commit that no branch or tag has any longer. Not every remote provides
    /// one.
    pub(crate) async fn fetch(&self, repository: &Repository, url: &str, commit: &CommitId) {
        if self.is_refused(commit) {
            return;
        }
        let refspec = format!("{commit}:{}", reference(commit));
        let run =
            repository.run_remote("fetch").args(["--quiet", "--no-tags", "--", url, &refspec]);
        let Err(error) = run.timeout(FETCH_LIMIT).output().await else { return };
        tracing::info!(%error, %commit, "a revision could not be fetched by its id");
        // The remote names the commit that it refuses; any other failure says nothing about the
        // commit.
        if matches!(&error, GitError::Failed { message, .. } if message.contains(commit.as_str())) {
            self.refuse(commit);
        }
    }

    fn is_refused(&self, commit: &CommitId) -> bool {
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(commit).is_some_and(|since| since.elapsed() < REFUSED_FOR)
    }

    fn refuse(&self, commit: &CommitId) {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused.len() >= MAX_REFUSED {
            refused.clear();
        }
        refused.insert(commit.clone(), clock::now());
    }
}

fn reference(commit: &CommitId) -> String {
    format!("refs/flawless/deploy/{commit}")
}
